{{ config(materialized='incremental', unique_key='customer_id') }}

{{ capture_changes(
  table='customers',
  key='customer_id',
  columns=['customer_id', 'email', 'first_name', 'last_name', 'created_at', 'updated_at'],
) }}
