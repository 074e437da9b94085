"""Applies feature views to the registry of the Feast repository that it is run in, by Feast's library."""

from datetime import timedelta

import pandas as pd
from feast import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    Field,
    FileSource,
    KafkaSource,
    Project,
    PushSource,
    RequestSource,
)
from feast.aggregation import Aggregation
from feast.data_format import JsonFormat
from feast.infra.offline_stores.snowflake_source import SnowflakeSource
from feast.on_demand_feature_view import on_demand_feature_view
from feast.stream_feature_view import StreamFeatureView
from feast.types import Float64, Int64

QUERY = (
    "select customer_id, event_date, sum(total_revenue) as spent "
    "from analytics.gold.customer_behavior group by 1, 2"
)
WAREHOUSE = {"database": "ANALYTICS", "schema": "GOLD", "timestamp_field": "event_date"}
customer = Entity(name="customer", join_keys=["customer_id"])
behavior = SnowflakeSource(
    name="behavior",
    table="CUSTOMER_BEHAVIOR",
    field_mapping={"EVENT_COUNT": "7_day_event_count"},
    **WAREHOUSE,
)
engagement = FeatureView(
    name="customer_engagement_features",
    entities=[customer],
    schema=[Field(name="7_day_event_count", dtype=Int64), Field(name="total_revenue", dtype=Float64)],
    source=behavior,
    ttl=timedelta(days=30),
    owner="ml@example.com",
)
query = SnowflakeSource(name="query", query=QUERY, **WAREHOUSE)
spent = FeatureView(
    name="spent", entities=[customer], schema=[Field(name="spent", dtype=Float64)], source=query
)
push = PushSource(
    name="push", batch_source=FileSource(name="pushed", path="s3://lake/x.parquet", timestamp_field="t")
)
pushed = FeatureView(name="pushed", entities=[customer], schema=[Field(name="a", dtype=Float64)], source=push)
events = KafkaSource(
    name="events",
    kafka_bootstrap_servers="broker:9092",
    topic="events",
    timestamp_field="at",
    message_format=JsonFormat(schema_json="trips integer"),
    batch_source=FileSource(name="landed", path="/data/x.parquet", timestamp_field="at"),
)
trips = StreamFeatureView(
    name="trips",
    entities=[customer],
    schema=[Field(name="sum_trips_604800s", dtype=Float64)],
    source=events,
    aggregations=[Aggregation(column="trips", function="sum", time_window=timedelta(days=7))],
    timestamp_field="at",
    mode="spark",
)
request = RequestSource(name="request", schema=[Field(name="amount", dtype=Float64)])


@on_demand_feature_view(sources=[engagement, request], schema=[Field(name="ratio", dtype=Float64)])
def ratio(inputs: pd.DataFrame) -> pd.DataFrame:
    """Compare an amount with what was spent."""
    return pd.DataFrame({"ratio": inputs["amount"] / inputs["total_revenue"]})


def main() -> None:
    """Apply without `feast apply`, which asks the sources for their columns."""
    store = FeatureStore(".")
    registry = store.registry
    registry.apply_project(Project(name=store.project))
    registry.apply_entity(customer, store.project)
    for source in (behavior, query, push, events, request):
        registry.apply_data_source(source, store.project)
    for view in (engagement, spent, pushed, trips, ratio):
        registry.apply_feature_view(view, store.project)
    registry.apply_feature_service(
        FeatureService(name="churn_v1", features=[engagement, ratio]), store.project
    )
    registry.commit()


if __name__ == "__main__":
    main()
