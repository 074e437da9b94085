{{
  config(
    materialized='table',
    cluster_by=['customer_id', 'event_date']
  )
}}

with daily_events as (
  select
    customer_id,
    DATE_TRUNC('day', event_timestamp) as event_date,
    event_type,
    COUNT(*) as event_count
  from {{ ref('stg_events') }}
  group by 1, 2, 3
)

select
  customers.customer_id,
  customers.email_normalized,
  events.event_date,
  events.event_type,
  events.event_count,
  orders.total_orders,
  orders.total_revenue
from {{ ref('stg_customers') }} as customers
left join daily_events as events on events.customer_id = customers.customer_id
left join {{ ref('customer_orders_summary') }} as orders on orders.customer_id = customers.customer_id
