{{ config(materialized='table') }}

select
  customer_id,
  COUNT(*) as total_orders,
  SUM(order_amount) as total_revenue,
  MIN(ordered_at) as first_ordered_at,
  MAX(ordered_at) as last_ordered_at
from {{ ref('stg_orders') }}
group by customer_id
