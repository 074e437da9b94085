"""The name of a node's job is unique in its project, and short where it can be."""

from dbt_projects import run, write_project

TWO_DATABASES = """
warehouse:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{folder}/two.duckdb"
      attach: [{{path: "{folder}/raw.duckdb", alias: raw}}]
"""


def test_two_relations_that_share_schema_and_alias_get_their_database(tmp_path):
    files = {
        "profiles.yml": TWO_DATABASES.format(folder=tmp_path),
        "models/extra.sql": "select 1 as id, 7 as secret_amount",
        "models/raw_orders.sql": """
            {{ config(database='raw', alias='orders', materialized='table') }}
            select id, secret_amount as amount from {{ ref('extra') }}
            """,
        "models/orders_now.sql": """
            {{ config(alias='orders', materialized='table') }}
            select id, amount * 2 as amount2 from {{ ref('raw_orders') }}
            """,
        "tests/extra.sql": "select * from {{ ref('extra') }} where id <> 1",
    }
    outcome = run(write_project(tmp_path, files))
    assert outcome.statuses == {
        "main.extra": "success",
        "raw.main.orders": "success",
        "two.main.orders": "success",
        "main.extra.test": "pass",
    }


def test_tests_of_one_name_in_two_packages_are_named_by_unique_id(tmp_path):
    files = {
        "packages.yml": "packages: [{local: helpers}]",
        "dbt_packages/helpers/dbt_project.yml": "name: helpers",
        "dbt_packages/helpers/tests/orders_ok.sql": "select * from {{ ref('orders') }} where id is null",
        "dbt_packages/helpers/models/orders.sql": "select 1 as id",
        "tests/orders_ok.sql": "select * from {{ ref('orders') }} where id = 2",
    }
    outcome = run(write_project(tmp_path, files))
    assert outcome.statuses == {
        "main.orders": "success",
        "test.helpers.orders_ok": "pass",
        "test.shop.orders_ok": "pass",
    }
