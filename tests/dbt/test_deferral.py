"""`--defer --state`: an input that the target lacks is the table of the other environment."""

import pytest
from dbt_projects import run, write_files, write_project

PROFILES = """
warehouse:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: "{folder}/depot.duckdb"
      attach: [{{path: "{folder}/depot_prod.duckdb", alias: depot_prod}}]
    prod: {{type: duckdb, path: "{folder}/depot_prod.duckdb"}}
"""
FILES = {
    "models/scans.sql": "{{ config(materialized='table') }} select 1 as id, 2 as weight",
    "models/sites.sql": "{{ config(materialized='table') }} select 1 as site",
    "models/totals.sql": """
        select site, sum(weight) as weight from {{ ref('scans') }}, {{ ref('sites') }} group by 1
        """,
    "tests/scans_ok.sql": "select * from {{ ref('scans') }} where id is null",
}


def inputs(record):
    return {
        (relation.database, relation.identifier, bool(relation.columns)) for relation in record.node.inputs
    }


@pytest.mark.parametrize("by", ["option", "variable"])
def test_a_deferred_input_is_the_table_that_was_read(tmp_path, monkeypatch, by):
    project = write_project(tmp_path, FILES)
    write_files(project, {"profiles.yml": PROFILES.format(folder=tmp_path)})
    assert run(project, target="prod").finished.success
    state = tmp_path / "state"
    state.mkdir()
    write_manifest(project, state, target="prod")
    options = {"defer": True, "state": str(state)} if by == "option" else {}
    if by == "variable":
        monkeypatch.setenv("DBT_DEFER", "1")
        monkeypatch.setenv("DBT_STATE", str(state))
    outcome = run(project, select=("sites", "totals"), options=options)
    assert outcome.finished.success, outcome.log
    read = {("depot_prod", "scans", True), ("depot", "sites", True)}
    assert inputs(outcome.starts["main.totals"]) == inputs(outcome.ends["main.totals"]) == read
    tested = run(project, "test", select=("scans_ok",), options=options)
    assert inputs(tested.ends["main.scans_ok"]) == {("depot_prod", "scans", True)}


def write_manifest(project, folder, target):
    """Write the manifest of a target as the environment that is deferred to keeps it."""
    from dbt.cli.main import dbtRunner

    where = ["--project-dir", str(project), "--profiles-dir", str(project), "--target", target]
    assert dbtRunner().invoke(["parse", *where, "--target-path", str(folder)]).success
