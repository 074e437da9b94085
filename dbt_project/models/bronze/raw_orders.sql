{{ config(materialized='incremental', unique_key='order_id') }}

{{ capture_changes(
  table='orders',
  key='order_id',
  columns=['order_id', 'customer_id', 'product_id', 'amount', 'status', 'ordered_at', 'updated_at'],
) }}
