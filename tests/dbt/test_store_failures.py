"""A test that stores its failures makes a table."""

import pytest
from dbt_projects import run, write_project

FILES = {
    "models/orders.sql": "select 1 as id union all select 1",
    "models/orders.yml": """
        models:
          - name: orders
            columns:
              - name: id
                data_tests:
                  - unique: {config: {store_failures: true}}
                  - not_null: {config: {store_failures_as: view}}
        """,
}


@pytest.mark.parametrize(
    ("label", "materialized", "columns"),
    [
        ("main.unique_orders_id", "table", ["unique_field", "n_records"]),
        ("main.not_null_orders_id", "view", ["id"]),
    ],
)
def test_the_table_of_failing_rows_is_the_tests_relation(tmp_path, label, materialized, columns):
    end = run(write_project(tmp_path, FILES)).ends[label]
    relation = end.node.relation
    assert (relation.schema, relation.materialized) == ("dbt_test__audit", materialized)
    assert [column.name for column in relation.columns] == columns
    assert [relation.identifier for relation in end.node.inputs] == ["orders"]
