{# What is new is what is not here yet: an event that comes late has an old time, and is new all the same. #}
{{
  config(
    materialized='incremental',
    unique_key='event_id',
    on_schema_change='append_new_columns'
  )
}}

select
  landed.event_id,
  landed.customer_id,
  landed.event_type,
  landed.event_timestamp,
  landed.channel,
  landed.page_url,
  landed._loaded_at as loaded_at
from {{ source('bronze', 'raw_customer_events') }} as landed
{% if is_incremental() %}
left join {{ this }} as known on known.event_id = landed.event_id
where known.event_id is null
{% endif %}
