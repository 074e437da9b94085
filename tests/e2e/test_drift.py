"""One thing is changed in a copy of the project, the whole DAG runs, and the run says what was changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_lineage_provider.graph import ColumnRef, trace
from airflow_lineage_provider.lineage_map import bindings_of, load_map
from airflow_lineage_provider.readers.events import read_events

from .pipeline import DAG_ID, REPOSITORY, Pipeline, new_pipeline

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.e2e

CHECK_EVENTS = REPOSITORY.parent / "shared" / "tools" / "check_events.py"
SUMMARY, BEHAVIOR = "gold/marts/customer_orders_summary.sql", "gold/marts/customer_behavior.sql"
FROM_ORDERS = "from {{ ref('stg_orders') }}"
REF_SUMMARY = "{{ ref('customer_orders_summary') }}"


def unchanged(project: Pipeline) -> None:
    """Leave everything as it is documented."""


def column_dropped(project: Pipeline) -> None:
    project.edit(BEHAVIOR, "orders.total_orders,\n  orders.total_revenue", "orders.total_orders")


def ref_added(project: Pipeline) -> None:
    known = "where customer_id in (select customer_id from {{ ref('stg_customers') }})"
    project.edit(SUMMARY, FROM_ORDERS, f"{FROM_ORDERS} {known}")


def model_renamed(project: Pipeline) -> None:
    (project.models / SUMMARY).rename(project.models / "gold" / "marts" / "orders_per_customer.sql")
    project.edit(BEHAVIOR, REF_SUMMARY, "{{ ref('orders_per_customer') }}")
    project.edit("gold/marts/gold.yml", "- name: customer_orders_summary", "- name: orders_per_customer")


def model_removed(project: Pipeline) -> None:
    body = (project.models / SUMMARY).read_text().partition("}}")[2]
    (project.models / SUMMARY).unlink()
    project.edit(BEHAVIOR, REF_SUMMARY, f"({body})")
    described = (project.models / "gold/marts/gold.yml").read_text()
    start, end = (described.index(f"- name: customer_{table}") for table in ("orders_summary", "behavior"))
    project.edit("gold/marts/gold.yml", described[start:end], "")


def transformation_changed(project: Pipeline) -> None:
    project.edit(SUMMARY, "SUM(order_amount)", "MAX(order_amount)")


def model_failing(project: Pipeline) -> None:
    project.edit(SUMMARY, "COUNT(*)", "CAST('many' AS INTEGER)")


CHANGES: tuple[Callable[[Pipeline], None], ...] = (
    unchanged,
    column_dropped,
    transformation_changed,
    ref_added,
    model_renamed,
    model_removed,
    model_failing,
)


@dataclass(frozen=True, slots=True)
class DagRun:
    pipeline: Pipeline
    status: int
    root_run_id: str

    def events(self) -> list[dict]:
        return list(self.pipeline.store.events(root_run_id=self.root_run_id))

    def validation_error(self) -> str:
        """Return what Airflow's own event of the failed validation says."""
        job = f"{DAG_ID}.validate_lineage"
        (end,) = (e for e in self.events() if e["job"]["name"] == job and e["eventType"] == "FAIL")
        return end["run"]["facets"]["errorMessage"]["message"]

    def ends(self, layer: str) -> dict[str, str]:
        """Return how each dbt node of a layer ended in the last try."""
        ends = (e for e in self.events() if e["eventType"] != "START" and e["job"]["namespace"] == "dbt")
        return {e["job"]["name"]: e["eventType"] for e in ends if e["job"]["name"].startswith(f"{layer}.")}

    def check_events(self, tmp_path: Path) -> set[str]:
        """Return the codes of what the strict check of the events finds."""
        if not CHECK_EVENTS.exists():
            pytest.skip(f"{CHECK_EVENTS} is not on this machine")
        listed = self.pipeline.run(
            "airflow-lineage", "events", "--run", self.root_run_id, "--format", "jsonl"
        )
        file = tmp_path / "events.jsonl"
        file.write_text(listed.stdout)
        done = self.pipeline.run("python", CHECK_EVENTS, file, "--known", "^crm|landing|raw_", "--json")
        return set(json.loads(done.stdout)["by_code"])


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, DagRun]:
    """Run the DAG once for each change, in copies that share nothing but Airflow and its event store."""
    root = tmp_path_factory.mktemp("drift")
    pipeline = new_pipeline(root / "pipeline")
    pipeline.without_contract()
    projects = {change.__name__: pipeline.copy(root / change.__name__) for change in CHANGES}
    for change in CHANGES:
        change(projects[change.__name__])
    folders = {name: str(project.root / "dbt_project") for name, project in projects.items()}
    results = root / "results.json"
    done = pipeline.run(
        "python", Path(__file__).with_name("run_dags.py"), results, *folders.values(), timeout=400
    )
    assert results.exists(), done.stdout[-5000:]
    outcome = json.loads(results.read_text())
    return {name: DagRun(pipeline, *outcome[folder]) for name, folder in folders.items()}


def test_without_a_change_the_run_passes(runs):
    assert runs["unchanged"].status == 0
    assert set(runs["unchanged"].ends("gold").values()) == {"COMPLETE"}


def test_a_documented_edge_is_satisfied_through_a_table_that_the_document_leaves_out(runs):
    run = runs["unchanged"]
    lineage_map = f"dags/{DAG_ID}.yaml"
    report = run.pipeline.run(
        "airflow-lineage", "validate", lineage_map, "--run", run.root_run_id, "-e", "dev"
    )
    assert report.returncode == 0
    said = " ".join(report.stdout.split())
    through = "silver.stg_orders -> gold.customer_behavior is satisfied through gold.customer_orders_summary"
    assert through in said
    assert "edge-missing" not in said
    assert "edge-unexpected" not in said


CHAIN = {
    ("crm.public.orders.amount", "bronze.raw_orders.amount", "IDENTITY"),
    ("bronze.raw_orders.amount", "silver.stg_orders.order_amount", "TRANSFORMATION"),
    ("silver.stg_orders.order_amount", "gold.customer_orders_summary.total_revenue", "AGGREGATION"),
    ("gold.customer_orders_summary.total_revenue", "gold.customer_behavior.total_revenue", "IDENTITY"),
}


def test_the_documented_chain_of_total_revenue_is_what_the_events_say(runs):
    run = runs["unchanged"]
    lineage_map = load_map(run.pipeline.root / "dags" / f"{DAG_ID}.yaml")
    emitted = read_events(
        run.pipeline.store.events(root_run_id=run.root_run_id), bindings_of(lineage_map, "dev")
    ).graph
    end = ColumnRef("gold.customer_behavior", "total_revenue")
    on_the_way = {end, *trace(emitted, [end]).nodes}
    chain = {
        (str(edge.source), str(edge.target), transformation.subtype)
        for edge in emitted.column_edges
        for transformation in edge.transformations
        if edge.target in on_the_way and transformation.type == "DIRECT"
    }
    assert chain == CHAIN


def test_a_changed_transformation_is_named_with_both_expressions(runs):
    error = runs["transformation_changed"].validation_error()
    assert runs["transformation_changed"].status == 1
    assert "gold.customer_orders_summary.total_revenue" in error
    assert "MAX(" in error.upper()


def test_a_column_dropped_from_a_model_is_named(runs):
    error = runs["column_dropped"].validation_error()
    assert runs["column_dropped"].status == 1
    assert "gold.customer_behavior" in error
    assert "total_revenue" in error


def test_a_ref_that_is_not_documented_is_named(runs):
    error = runs["ref_added"].validation_error()
    assert runs["ref_added"].status == 1
    assert "gold.customer_orders_summary reads silver.stg_customers" in error


def test_a_renamed_model_is_named_with_what_it_is_called_now(runs):
    error = runs["model_renamed"].validation_error()
    assert runs["model_renamed"].status == 1
    assert "gold.customer_orders_summary" in error
    assert "gold.orders_per_customer" in error


def test_the_model_of_a_documented_edge_that_was_removed_is_named(runs):
    error = runs["model_removed"].validation_error()
    assert runs["model_removed"].status == 1
    assert "gold.customer_orders_summary is documented and was not produced" in error


def test_a_model_that_fails_says_so_in_its_event_and_what_reads_it_is_skipped(runs):
    run = runs["model_failing"]
    assert run.status == 1
    assert run.ends("gold")["gold.customer_orders_summary"] == "FAIL"
    assert run.ends("gold")["gold.customer_behavior"] == "ABORT"


@pytest.mark.parametrize("name", ["unchanged", "model_failing"])
def test_the_events_of_a_run_hold_to_the_specification(runs, name, tmp_path):
    assert runs[name].check_events(tmp_path) == set()
