"""A source of several files, and SQL that reads files without `source`."""

import pytest
from dbt_projects import run, write_project
from event_helpers import end_of, events_of


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    landing = tmp_path_factory.mktemp("landing")
    for name in ("a.csv", "b.csv", "c.csv"):
        (landing / name).write_text("order_id,amount\n1,2.5\n")
    location = f"read_csv(['{landing}/a.csv', '{landing}/b.csv'])"
    files = {
        "models/sources.yml": f"""
            sources:
              - name: landing
                tables:
                  - name: orders
                    config: {{meta: {{external_location: "{location}"}}}}
                    columns: [{{name: order_id, data_tests: [not_null]}}]
            """,
        "models/silver/orders.sql": "select amount * 2 as twice from {{ source('landing', 'orders') }}",
        "models/silver/outright.sql": f"select * from read_csv(['{landing}/b.csv', '{landing}/c.csv'])",
    }
    result = run(write_project(tmp_path_factory.mktemp("files"), files))
    assert result.finished.success
    return events_of(result), landing


def test_each_file_is_an_input(events):
    emitted, landing = events
    read = {e["job"]["name"]: {i["name"] for i in e["inputs"]} for e in emitted}
    assert read["silver.orders"] == {f"{landing}/a.csv", f"{landing}/b.csv"}
    assert read["silver.outright"] == {f"{landing}/b.csv", f"{landing}/c.csv"}


def test_a_column_is_made_from_each_file(events):
    emitted, landing = events
    (output,) = end_of(emitted, "silver.orders")["outputs"]
    made_from = output["facets"]["columnLineage"]["fields"]["twice"]["inputFields"]
    assert [(one["name"], one["field"]) for one in made_from] == [
        (f"{landing}/a.csv", "amount"),
        (f"{landing}/b.csv", "amount"),
    ]


def test_a_test_is_about_each_file(events):
    emitted, _ = events
    (test,) = [e for e in emitted if "not_null" in e["job"]["name"] and e["eventType"] == "COMPLETE"]
    assert len(test["inputs"]) == 2
    assert all("dataQualityAssertions" in one["inputFacets"] for one in test["inputs"])
