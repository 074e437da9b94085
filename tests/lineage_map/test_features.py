"""The spellings of features' windows, aggregations and entities."""

import pytest

from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.lineage_map.features import aggregation_text, entity_text, window_text
from airflow_lineage_provider.readers.documented import read_map


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7 days", "7 days"),
        ("1 week", "7 days"),
        ("604800s", "7 days"),
        ("168h", "7 days"),
        ("1 day", "1 day"),
        ("90 minutes", "90 minutes"),
        ("1.5 s", "1.5 seconds"),
        ("Life time", "life time"),
        ("the last 1 week", "7 days"),
        ("604800s offset -86400s", "7 days offset -1 day"),
        ("Series of 86400s", "series of 1 day"),
        ("7 parsecs", "7 parsecs"),
        ("none", "none"),
    ],
)
def test_windows_of_one_length_have_one_spelling(text, expected):
    assert window_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SUM", "sum"),
        ("avg", "mean"),
        ("AGGREGATION_FUNCTION_COUNT", "count"),
        ("last_distinct_n", "last distinct n"),
    ],
)
def test_an_aggregation_has_one_spelling(text, expected):
    assert aggregation_text(text) == expected


def test_the_order_of_join_keys_means_nothing():
    assert entity_text(["b", "a"]) == entity_text(["a", "b"])


def test_a_map_states_features_and_models():
    content = """
document: {title: Shop}
feature_views:
  view:
    entity: customer_id
    from: gold.orders
    features: {count_7d: {from: orders, aggregation: COUNT, window: 1 week}, plain: orders}
ml_models: {churn: {from: view, version: "3", approval: Approved}}
"""
    found = read_map(parse_map(content)).graph.datasets
    assert found["view"].properties == (("entity", "customer_id"),)
    assert found["view"].columns["count_7d"].properties == (("aggregation", "count"), ("window", "7 days"))
    assert found["view"].columns["plain"].properties == ()
    assert found["churn"].properties == (("version", "3"), ("approval", "Approved"))
