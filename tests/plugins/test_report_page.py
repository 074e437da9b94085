"""The lineage report: what it shows of a DAG run's events, and of whose."""

from __future__ import annotations

import pytest

from airflow_lineage_provider.plugins.dag_run import MAX_EVENTS, lineage_of
from airflow_lineage_provider.plugins.report_page import Heading, TaskResult, report_page
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.utils.dag_run import DagRunIds

WAREHOUSE = "postgres://db:5432"


def run_event(
    kind: str,
    name: str,
    run_id: str,
    parent: str = "",
    root: str = "dag",
    *,
    job: str = "",
    reads=(),
    writes=(),
    **facets,
):
    """Return an event of a dbt job, or of one of Airflow's own where the name starts with `airflow:`.

    `parent` and `root` are the ids of those runs, `job` is the parent's.
    """
    namespace = "default" if name.startswith("airflow:") else "dbt"
    if name.startswith("airflow:"):
        facets["airflow" if "." in name else "airflowDagRun"] = {}
    above = {"run": {"runId": parent}, "job": {"name": job.removeprefix("airflow:")}}
    above |= {"root": {"run": {"runId": root}, "job": {}}}
    return {
        "eventType": kind,
        "eventTime": f"2026-01-02T03:04:05.{len(run_id):03}Z",
        "job": {"namespace": namespace, "name": name.removeprefix("airflow:")},
        "run": {"runId": run_id, "facets": facets | ({"parent": above} if parent else {})},
        "inputs": [{"namespace": WAREHOUSE, "name": one} for one in reads],
        "outputs": [
            {"namespace": WAREHOUSE, "name": one, "outputFacets": {"outputStatistics": {"rowCount": 1234}}}
            for one in writes
        ],
    }


@pytest.fixture
def page(tmp_path):
    """Return a function that stores events and renders the report of the DAG run `dag`."""

    def render(*events: dict, own=("dag",), roots=("dag",), results=()) -> str:
        store = EventStore(str(tmp_path / "lineage.db"))
        store.append(events)
        ids = DagRunIds(own, roots)
        heading = Heading("sales", "manual__1", "success", roots[-1])
        evidence, is_truncated = lineage_of(ids, store)
        return report_page(heading, evidence, results, read_only_first=MAX_EVENTS if is_truncated else None)

    return render


SILVER = {"job": "airflow:sales.silver"}
TASK = run_event("COMPLETE", "airflow:sales.silver", "task", "dag")
MODEL = run_event(
    "COMPLETE", "silver.orders", "node", "task", **SILVER, reads=["raw.orders"], writes=["silver.orders"]
)


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


def test_after_a_task_was_cleared_its_last_run_counts_and_the_other_tasks_stand(page):
    gold = run_event("COMPLETE", "airflow:sales.gold", "gold", "dag")
    old = run_event(
        "COMPLETE", "gold.old_name", "old", "gold", job="airflow:sales.gold", writes=["gold.old_name"]
    )
    gold_again = run_event("COMPLETE", "airflow:sales.gold", "gold-2", "dag-2", "dag-2")
    new = run_event(
        "COMPLETE", "gold.new_name", "new", "gold-2", "dag-2", job="airflow:sales.gold", writes=["gold"]
    )
    shown = page(TASK, MODEL, gold, old, gold_again, new, own=("dag", "dag-2"), roots=("dag", "dag-2"))
    assert "silver.orders" in shown
    assert "gold.new_name" in shown
    assert "gold.old_name" not in shown


def test_what_the_validation_found(page):
    findings = [("error", "edge-missing: <b>raw</b>"), ("warning", "x" * 9000)]
    drift = TaskResult(task_id="validate", outcome="DRIFT", findings=findings, more=3)
    shown = page(TASK, MODEL, results=[drift, TaskResult(task_id="later", outcome="PASS", findings=[])])
    assert '<code>validate</code> <span class="state failed">DRIFT</span>' in shown
    assert "edge-missing: &lt;b&gt;raw&lt;/b&gt;" in shown
    assert "x" * 2001 not in shown
    assert "and 3 more" in shown
    assert "The lineage is as documented." in shown


def test_a_run_without_events_says_so(page):
    assert "The event store has no events of this run yet" in page()


def test_a_large_run_is_read_in_part_and_the_page_says_so(page):
    models = [
        run_event("COMPLETE", f"silver.m{number}", f"node-{number}", "task", **SILVER)
        for number in range(MAX_EVENTS)
    ]
    assert "Only the first" not in page(TASK, *models[1:])
    assert f"Only the first {MAX_EVENTS:,} events of this run are shown" in page(*models)
