"""Records from the artifacts of a dbt run that is over, beside the records of the same run while it ran."""

import json
import re
import sys
from pathlib import Path

import pytest
from dbt_projects import collect, command, run, write_project

sys.path.insert(0, str(Path(__file__).parents[1] / "events"))

from event_helpers import SMALL, events_of

from airflow_lineage_provider.dbt.artifacts import (
    SOURCES,
    Artifacts,
    ArtifactsOrigin,
    given_warehouse,
    origin_by_profile,
)
from airflow_lineage_provider.dbt.records import DbtError
from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.readers.artifact_files import read_folder
from tests.support.comparable import comparable

FRESHNESS = {
    "models/sources.yml": """
        sources:
          - name: crm
            schema: main
            tables:
              - name: raw_orders
                loaded_at_field: "now()::timestamp"
                freshness: {warn_after: {count: 1, period: hour}}
        """,
}


def plain_dbt(project, *words):
    """Run dbt as somebody does who does not know this package."""
    from dbt.cli.main import dbtRunner

    options = command(project).project_args
    return dbtRunner().invoke([*words, *options, "--log-level", "none", "--log-level-file", "none"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The events of a second build while it ran, of a third from its artifacts, and the project."""
    project = write_project(tmp_path_factory.mktemp("over"), SMALL | FRESHNESS)
    run(project)
    live = run(project)
    plain_dbt(project, "docs", "generate")
    plain_dbt(project, "build")
    plain_dbt(project, "source", "freshness")
    return project, live, artifacts(project)


def artifacts(project, **options):
    origin = origin_by_profile(read_folder(str(project / "target")), str(project), str(project), None)
    return collect(
        Artifacts(read_folder(str(project / "target")), origin, find_tables=tables_named, **options)
    )


def test_the_events_equal_those_of_the_live_run(runs):
    project, live, over = runs
    found = comparable(events_of(over), project, after_the_fact=True)
    expected = comparable(events_of(live), project, after_the_fact=True)
    assert found.keys() == expected.keys()
    for key, event in expected.items():
        assert found[key] == event


def test_the_statuses_and_the_reasons_of_skips_are_those_of_the_live_run(runs):
    _, live, over = runs
    assert over.statuses == live.statuses
    assert (
        over.ends["main.skipped"].message == live.ends["main.skipped"].message
        if "main.skipped" in over.ends
        else True
    )
    assert not over.finished.success


def test_the_runs_are_marked_as_made_after_the_fact(runs):
    _, live, over = runs
    for event in events_of(over):
        (tag,) = event["run"]["facets"]["tags"]["tags"]
        assert (tag["key"], tag["value"]) == ("after_the_fact", "dbt artifacts")
    assert not any("tags" in event["run"]["facets"] for event in events_of(live))


def test_freshness_is_read_from_sources_json(runs):
    project, _, _ = runs
    found = artifacts(project, results=SOURCES)
    assert found.statuses == {"main.raw_orders.freshness": "pass"}


def test_without_a_catalog_the_columns_are_not_known_and_none_are_invented(runs, tmp_path):
    project, _, over = runs
    copied = copy_of(project, tmp_path, leave_out="catalog.json")
    (output,) = (
        e.node.relation
        for e in copied.of(type(over.ends["silver.stg_orders"]))
        if e.node.label == "silver.stg_orders"
    )
    assert output.columns == ()
    assert over.ends["silver.stg_orders"].node.relation.columns


def copy_of(project, folder, leave_out=None, **changed):
    for name in ("manifest.json", "run_results.json", "catalog.json"):
        if name != leave_out:
            text = (project / "target" / name).read_text()
            (folder / name).write_text(changed.get(name.partition(".")[0], text))
    return collect(Artifacts(read_folder(str(folder)), ArtifactsOrigin(given_warehouse({"type": "duckdb"}))))


@pytest.mark.parametrize(
    ("changed", "leave_out", "error"),
    [
        ({}, "run_results.json", "there is no run_results.json"),
        ({}, "manifest.json", "there is no manifest.json"),
        ({"manifest": "{}"}, None, "manifest.json cannot be read by the installed dbt"),
        ({"manifest": '{"metadata": '}, None, "manifest.json is no JSON"),
        ({"run_results": "[1]"}, None, "run_results.json is no artifact of dbt's"),
        ({"run_results": "[" * 100_000}, None, "run_results.json is no JSON"),
        ({"run_results": '{"args": {"which": "generate"}}'}, None, "of `dbt generate`, which runs no node"),
    ],
)
def test_artifacts_that_cannot_be_used_raise_one_line(runs, tmp_path, changed, leave_out, error):
    with pytest.raises(DbtError, match=re.escape(error)) as raised:
        copy_of(runs[0], tmp_path, leave_out, **changed)
    assert "\n" not in str(raised.value)


def test_results_of_odd_shape_are_left_out(runs, tmp_path):
    odd = {
        "metadata": None,
        "results": [None, 7, {"unique_id": "model.shop.gone", "timing": [3]}, {"unique_id": 5}],
    }
    found = copy_of(runs[0], tmp_path, run_results=json.dumps(odd))
    assert found.ends == {}
    assert "model.shop.gone is in the results and not in manifest.json" in found.log


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"account": "a"}, "needs the type of dbt's adapter"),
        ({"type": "snowflake", "pasword": "x"}, "has no field pasword"),
        ({"type": "postgres", "port": "x"}, "must be a number"),
    ],
)
def test_a_wrong_warehouse_names_what_is_wrong(fields, error):
    with pytest.raises(DbtError, match=error):
        given_warehouse(fields)
