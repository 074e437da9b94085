{{ config(materialized='incremental', unique_key='product_id') }}

{{ capture_changes(
  table='products',
  key='product_id',
  columns=['product_id', 'product_name', 'category', 'unit_price', 'created_at', 'updated_at'],
) }}
