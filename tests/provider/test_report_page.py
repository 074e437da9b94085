"""The lineage report: what it shows of a DAG run's events, and of whose."""

from __future__ import annotations

import pytest

from airflow_lineage_provider.delivery import EventStore
from airflow_lineage_provider.plugins.dag_run import DagRunIds, lineage_of
from airflow_lineage_provider.plugins.report_page import Heading, report_page

WAREHOUSE = "postgres://db:5432"


def run_event(
    kind: str, job: str, run_id: str, parent: str = "", root: str = "dag", *, reads=(), writes=(), **facets
):
    """Return an event of a dbt job, or of one of Airflow's own where the name starts with `airflow:`."""
    namespace = "default" if job.startswith("airflow:") else "dbt"
    above = {"run": {"runId": parent}, "job": {}, "root": {"run": {"runId": root}, "job": {}}}
    return {
        "eventType": kind,
        "eventTime": f"2026-01-02T03:04:05.{len(run_id):03}Z",
        "job": {"namespace": namespace, "name": job.removeprefix("airflow:")},
        "run": {"runId": run_id, "facets": facets | ({"parent": above} if parent else {})},
        "inputs": [{"namespace": WAREHOUSE, "name": name} for name in reads],
        "outputs": [
            {"namespace": WAREHOUSE, "name": name, "outputFacets": {"outputStatistics": {"rowCount": 1234}}}
            for name in writes
        ],
    }


@pytest.fixture
def page(tmp_path):
    """Return a function that stores events and renders the report of the DAG run `dag`."""

    def render(*events: dict, own=("dag",), roots=("dag",)) -> str:
        store = EventStore(str(tmp_path / "lineage.db"))
        store.append(events)
        ids = DagRunIds(frozenset(own), roots, "default")
        return report_page(Heading("sales", "manual__1", "success", roots[-1]), lineage_of(ids, store))

    return render


TASK = run_event("COMPLETE", "airflow:sales.silver", "task", "dag")
MODEL = run_event("COMPLETE", "silver.orders", "node", "task", reads=["raw.orders"], writes=["silver.orders"])


def test_a_job_with_what_it_read_and_wrote(page):
    shown = page(TASK, MODEL)
    assert "<code>silver.orders</code>" in shown
    assert f'<code title="{WAREHOUSE}">raw.orders</code>' in shown
    assert "1,234" in shown
    assert "<code>sales.silver</code>" in shown


def test_a_failed_job_with_its_error(page):
    error = {"message": "division by zero", "programmingLanguage": "SQL"}
    shown = page(TASK, run_event("FAIL", "silver.orders", "node", "task", errorMessage=error))
    assert "division by zero" in shown
    assert '<span class="state failed">failed</span>' in shown


def test_names_and_errors_from_outside_are_escaped(page):
    script = "<script>alert(1)</script>"
    error = {"message": script}
    shown = page(
        TASK, run_event("FAIL", script, "node", "task", reads=[script], writes=[script], errorMessage=error)
    )
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_a_dag_run_that_a_task_triggered_is_not_shown_with_it(page):
    other_dag = run_event("COMPLETE", "airflow:salaries", "other", "task")
    other_task = run_event("COMPLETE", "airflow:salaries.pay", "other-task", "other")
    other_model = run_event("COMPLETE", "gold.salaries", "other-node", "other-task", writes=["gold.salaries"])
    shown = page(TASK, MODEL, other_dag, other_task, other_model)
    assert "silver.orders" in shown
    assert "salaries" not in shown


def test_a_dag_run_that_another_dag_triggered_shows_its_own_part_of_that_root(page):
    mine = run_event("COMPLETE", "airflow:sales", "dag", "their-task", "their-dag")
    theirs = run_event("COMPLETE", "airflow:salaries.pay", "their-task", "their-dag", "their-dag")
    task = run_event("COMPLETE", "airflow:sales.silver", "task", "dag", "their-dag")
    shown = page(theirs, mine, task, roots=("their-dag",))
    assert "sales.silver" in shown
    assert "salaries" not in shown


def test_after_a_task_was_cleared_its_last_try_counts_and_the_others_stay(page):
    again = run_event("COMPLETE", "airflow:sales.gold", "again", "dag-again", "dag-again")
    shown = page(TASK, MODEL, again, own=("dag", "dag-again"), roots=("dag", "dag-again"))
    assert "silver.orders" in shown
    assert "sales.gold" in shown


def test_a_run_without_events_says_so(page):
    assert "No event of this run is in the event store yet" in page()
