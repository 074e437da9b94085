"""The documented transformations in plain Python, computed from the source rows."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation


@dataclass(frozen=True)
class Sources:
    """The rows of the CRM and the landing files, as dictionaries."""

    customers: list[dict]
    orders: list[dict]
    products: list[dict]
    events: list[dict]

    @classmethod
    def read(cls, directory):
        import duckdb

        with duckdb.connect(str(directory / "crm.duckdb"), read_only=True) as crm:
            files = [str(file) for file in directory.glob("landing/customer_events/*.parquet")]
            tables = map(crm.table, ("public.customers", "public.orders", "public.products"))
            relations = (*tables, crm.read_parquet(files))
            return cls(
                *(
                    [dict(zip(r.columns, row, strict=True)) for row in sorted(r.fetchall(), key=repr)]
                    for r in relations
                )
            )

    def stg_customers(self):
        return {
            (
                c["customer_id"],
                c["email"].upper().strip(" "),
                c["first_name"],
                c["last_name"],
                c["created_at"],
                c["updated_at"],
            )
            for c in self.customers
        }

    def stg_orders(self):
        return {
            (
                o["order_id"],
                o["customer_id"],
                o["product_id"],
                decimal(o["amount"]),
                o["status"],
                o["ordered_at"],
                o["updated_at"],
            )
            for o in self.orders
            if decimal(o["amount"]) is not None
        }

    def bad_orders(self):
        return {o["order_id"] for o in self.orders if decimal(o["amount"]) is None}

    def stg_events(self):
        columns = ("event_id", "customer_id", "event_type", "event_timestamp", "channel", "page_url")
        return {tuple(e[column] for column in columns) for e in self.events}

    def customer_orders_summary(self):
        orders = defaultdict(list)
        for _, customer, _, amount, _, ordered_at, _ in self.stg_orders():
            orders[customer].append((amount, ordered_at))
        return {
            (
                customer,
                len(rows),
                sum(amount for amount, _ in rows),
                min(ordered_at for _, ordered_at in rows),
                max(ordered_at for _, ordered_at in rows),
            )
            for customer, rows in orders.items()
        }

    def customer_behavior(self):
        counts = defaultdict(Counter)
        for _, customer, kind, moment, _, _ in self.stg_events():
            counts[customer][datetime.combine(moment.date(), datetime.min.time()), kind] += 1
        orders = {
            customer: (number, revenue) for customer, number, revenue, *_ in self.customer_orders_summary()
        }
        return {
            (customer, email, day, kind, count, *orders.get(customer, (None, None)))
            for customer, email, *_ in self.stg_customers()
            for (day, kind), count in (counts[customer] or {(None, None): None}).items()
        }


def decimal(text):
    """Return the text as DECIMAL(10,2); None if it is not one."""
    try:
        number = Decimal(text.strip(" "))
    except (AttributeError, InvalidOperation):
        return None
    return number.quantize(Decimal("0.01")) if number.is_finite() and abs(number) < 10**8 else None


TABLES = {
    "stg_customers": """
        select customer_id, email_normalized, first_name, last_name, created_at, updated_at
        from silver.stg_customers""",
    "stg_orders": """
        select order_id, customer_id, product_id, order_amount, order_status, ordered_at, updated_at
        from silver.stg_orders""",
    "stg_events": """
        select event_id, customer_id, event_type, event_timestamp, channel, page_url
        from silver.stg_events""",
    "customer_orders_summary": """
        select customer_id, total_orders, total_revenue, first_ordered_at, last_ordered_at
        from gold.customer_orders_summary""",
    "customer_behavior": """
        select customer_id, email_normalized, event_date, event_type, event_count, total_orders, total_revenue
        from gold.customer_behavior""",
}
