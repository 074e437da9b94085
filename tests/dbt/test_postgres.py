"""Columns and types on a real Postgres, as the warehouse states them."""

from dbt_projects import run, write_files, write_project

PROFILE = """
warehouse:
  target: dev
  outputs:
    dev:
      type: postgres
      host: "{PGHOST}"
      port: {PGPORT}
      user: "{PGUSER}"
      password: "{PGPASSWORD}"
      dbname: "{PGDATABASE}"
      schema: lineage_types
      threads: 2
"""
FILES = {
    "models/typed.sql": """
        {{ config(materialized='table') }}
        select 1::bigint as id, 'a'::varchar(20) as code, 1.5::numeric(10, 2) as amount,
            '{1}'::int[] as numbers, now()::timestamp as at
        """,
    "models/kept.sql": """
        {{ config(materialized='materialized_view') }} select id, amount from {{ ref('typed') }}
        """,
    # It runs after the others.
    "models/named.sql": "select t.amount from lineage_types.typed as t -- {{ ref('kept') }}",
}


def types(relation):
    return {column.name: column.data_type for column in relation.columns}


def test_types_have_precision_and_length(tmp_path, postgres):
    project = write_project(tmp_path, FILES)
    write_files(project, {"profiles.yml": PROFILE.format(**postgres)})
    outcome = run(project)
    assert outcome.finished.success, outcome.log
    typed = {
        "id": "bigint",
        "code": "character varying(20)",
        "amount": "numeric(10,2)",
        "numbers": "integer[]",
        "at": "timestamp without time zone",
    }
    ends = outcome.ends
    assert types(ends["lineage_types.typed"].node.relation) == typed
    # information_schema has no materialized views.
    assert types(ends["lineage_types.kept"].node.relation) == {"id": "bigint", "amount": "numeric(10,2)"}
    read = {relation.unique_id: types(relation) for relation in ends["lineage_types.named"].node.inputs}
    assert read["model.shop.typed"] == typed
    assert "lineage:" not in outcome.log
