{# An amount that is no number has no place here, even if an earlier version of the order had one. #}
{{
  config(
    materialized='incremental',
    unique_key='order_id',
    on_schema_change='append_new_columns',
    post_hook="delete from {{ this }} where order_id in (
      select order_id
      from {{ source('bronze', 'raw_orders') }}
      where _op = 'D' or amount is null or not {{ is_decimal('amount') }}
    )"
  )
}}

with changed as (
  select
    landed.order_id,
    landed.customer_id,
    landed.product_id,
    landed.amount,
    landed.status,
    landed.ordered_at,
    landed.updated_at
  from {{ source('bronze', 'raw_orders') }} as landed
  {% if is_incremental() %}
  left join {{ this }} as known on known.order_id = landed.order_id
  {% endif %}
  where landed._op <> 'D'
    and {{ is_decimal('landed.amount') }}
  {% if is_incremental() %}
    and (known.order_id is null or known.updated_at <> landed.updated_at)
  {% endif %}
)

select
  order_id,
  customer_id,
  product_id,
  CAST(amount AS DECIMAL(10,2)) as order_amount,
  status as order_status,
  ordered_at,
  updated_at
from changed
