-- The CRM as the pipeline documents it. Debezium reads the publication; a deleted row tells its key.
create table public.customers (
  customer_id text primary key,
  email text,
  first_name text,
  last_name text,
  created_at timestamp,
  updated_at timestamp not null
);
create table public.orders (
  order_id text primary key,
  customer_id text,
  product_id text,
  amount text,
  status text,
  ordered_at timestamp,
  updated_at timestamp not null
);
create table public.products (
  product_id text primary key,
  product_name text,
  category text,
  unit_price text,
  created_at timestamp,
  updated_at timestamp not null
);
create publication crm_changes for table public.customers, public.orders, public.products;
