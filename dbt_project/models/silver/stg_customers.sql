{{
  config(
    materialized='incremental',
    unique_key='customer_id',
    on_schema_change='append_new_columns',
    post_hook="delete from {{ this }} where customer_id in (
      select customer_id from {{ source('bronze', 'raw_customers') }} where _op = 'D'
    )"
  )
}}

select
  customer_id,
  TRIM(UPPER(email)) as email_normalized,
  first_name,
  last_name,
  created_at,
  updated_at
from {{ source('bronze', 'raw_customers') }}
where _op <> 'D'
{% if is_incremental() %}
  {# The maximum of no rows is null: without the second condition an empty table would stay empty. #}
  and (
    updated_at > (select MAX(updated_at) from {{ this }})
    or not exists (select 1 from {{ this }})
  )
{% endif %}
