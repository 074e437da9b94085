"""When a validation stops waiting: all is there that the map expects, or nothing more will come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_lineage_provider.store import EventSourceError, EventStore
from airflow_lineage_provider.utils.event_wait import QUIET_PERIOD, EventWait, EventWaitConfig, open_runs

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DEADLINE = NOON + timedelta(minutes=5)
MAP = """
document: {}
layers:
  gold:
    tables:
      orders: {}
environments:
  dev:
    bindings:
      - {dataset: "{layer}.{table}", namespace: "duckdb://*", name: "warehouse.{layer}.{table}"}
"""


def event(kind: str, job: str, run_id: str, parent: str = "", root: str = "dag", *, writes: str = "") -> dict:
    above = {"run": {"runId": parent}, "job": {"name": "sales.gold"}, "root": {"run": {"runId": root}}}
    return {
        "eventType": kind,
        "eventTime": NOON.isoformat(),
        "job": {"namespace": "default", "name": job},
        "run": {"runId": run_id, "facets": {"parent": above} if parent else {}},
        "outputs": [{"namespace": "duckdb:///w.duckdb", "name": f"warehouse.{writes}"}] if writes else [],
    }


def config(source: str, roots=("dag",), above=("dag", "validate")) -> EventWaitConfig:
    dag_runs = [{"own": list(roots), "roots": list(roots)}]
    return EventWaitConfig(
        source, None, dag_runs, [*above], MAP, "m.yaml", [], "dev", None, DEADLINE.isoformat()
    )


@pytest.fixture
def waits(tmp_path):
    """Return a function that tells whether the validation waits on, with these events in the store."""

    def at(*events: dict, now: datetime = NOON, **more) -> bool:
        store = str(tmp_path / "lineage.db")
        EventStore(store).append(events)
        return not EventWait(config(store, **more)).is_over(now)

    return at


def test_it_compares_as_soon_as_each_expected_dataset_was_written(waits):
    assert waits(event("START", "sales.gold", "gold", "dag"))
    assert not waits(event("COMPLETE", "gold.orders", "node", "gold", writes="gold.orders"))


def test_it_waits_while_something_beside_it_runs(waits):
    later = NOON + QUIET_PERIOD + timedelta(seconds=1)
    assert waits(event("START", "sales.gold", "gold", "dag"), now=later)
    assert not waits(event("FAIL", "sales.gold", "gold", "dag"), now=later)


def test_it_does_not_wait_for_itself_nor_for_the_dag_run(waits):
    own = event("START", "sales.validate_lineage", "validate", "dag")
    assert not waits(event("START", "sales", "dag"), own, now=NOON + QUIET_PERIOD + timedelta(seconds=1))


def test_it_gives_the_last_events_a_moment(waits):
    assert waits(event("COMPLETE", "sales.gold", "gold", "dag"), now=NOON + QUIET_PERIOD)


def test_at_the_deadline_it_compares_with_what_there_is(waits):
    assert not waits(event("START", "sales.gold", "gold", "dag"), now=DEADLINE)


def test_what_ran_before_a_task_was_cleared_counts(waits):
    before = event("COMPLETE", "gold.orders", "node", "gold", writes="gold.orders")
    own = event("START", "sales.validate_lineage", "validate-2", "dag-2", "dag-2")
    assert not waits(before, own, roots=("dag", "dag-2"), above=("dag-2", "validate-2"))


def test_what_was_killed_before_a_task_was_cleared_is_not_waited_for(waits):
    before = event("START", "sales.silver", "silver", "dag")
    own = event("START", "sales.validate_lineage", "validate-2", "dag-2", "dag-2")
    later = NOON + QUIET_PERIOD + timedelta(seconds=1)
    assert not waits(before, own, roots=("dag", "dag-2"), above=("dag-2", "validate-2"), now=later)


def test_a_run_has_ended_once_any_of_its_events_says_so():
    events = [("START", "a"), ("RUNNING", "b"), ("COMPLETE", "c"), ("abort", "a"), ("RUNNING", "a")]
    assert open_runs(event(kind, "job", run_id) for kind, run_id in events) == {"b"}
    assert open_runs([{"eventType": "START"}, {"eventTime": "", "job": {}}, {"run": "text"}]) == set()


def test_it_waits_for_a_source_that_does_not_answer_now_and_says_so(tmp_path, caplog):
    wait = EventWait(config(f"{tmp_path}/not/yet/written"))
    assert not wait.is_over(NOON)
    assert "There are no events at" in caplog.text
    assert f"retrying until {DEADLINE.isoformat()}" in caplog.text
    assert wait.is_over(DEADLINE)
    with pytest.raises(EventSourceError, match="There are no events at"):
        wait.events()


def test_it_does_not_wait_for_a_source_that_cannot_be_read(tmp_path):
    (tmp_path / "events.jsonl").write_text("oops\n")
    with pytest.raises(EventSourceError, match="line 1: not JSON"):
        EventWait(config(f"{tmp_path}/events.jsonl")).is_over(NOON)


def test_what_the_map_includes_is_expected_without_the_files(tmp_path):
    """The triggerer may not have them: their text is in the configuration."""
    text = MAP.replace("layers:\n  gold:\n    tables:\n      orders: {}", "include: parts/*.yaml")
    part = {"file": "parts/gold.yaml", "text": "layers: {gold: {tables: [orders]}}", "dbt": ""}
    split = EventWait(replace(config(str(tmp_path / "lineage.db")), map_text=text, map_included=[part]))
    assert list(split.lineage_map.content.layers["gold"].tables) == ["orders"]
