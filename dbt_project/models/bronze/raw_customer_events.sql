{# The embedded stand-in for Kafka Connect: resumes at each partition's last offset, and lands a message once. #}
{{ config(materialized='incremental', unique_key='event_id') }}

with messages as (
  select
    topic.event_id,
    topic.customer_id,
    topic.event_type,
    topic.event_timestamp,
    topic.channel,
    topic.page_url,
    topic.kafka_partition,
    topic.kafka_offset,
    row_number() over (partition by topic.event_id order by topic.kafka_offset) as delivery
  from {{ source('landing', 'customer_events') }} as topic
  {% if is_incremental() %}
  left join (
    select
      landed.kafka_partition,
      max(landed.kafka_offset) as kafka_offset
    from {{ this }} as landed
    group by landed.kafka_partition
  ) as resumed on resumed.kafka_partition = topic.kafka_partition
  where topic.kafka_offset >= coalesce(resumed.kafka_offset, 0)
  {% endif %}
)

select
  messages.event_id,
  messages.customer_id,
  messages.event_type,
  messages.event_timestamp,
  messages.channel,
  messages.page_url,
  messages.kafka_partition,
  messages.kafka_offset,
  {{ dbt.current_timestamp() }} as _loaded_at
from messages
where messages.delivery = 1
