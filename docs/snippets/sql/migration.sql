ALTER TABLE gold.customer_behavior RENAME COLUMN total_revenue TO total_income;
