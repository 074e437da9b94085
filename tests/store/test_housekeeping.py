"""Retention deletes old events that every target has received; runs of dead workers are closed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select, update

from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.forwarding.consumer import Consumer, discard, forget, outbox_status
from airflow_lineage_provider.store.dead_runs import abort_runs, open_runs, sweep
from airflow_lineage_provider.store.retention import delete_events
from airflow_lineage_provider.store.schema import event, metadata
from tests.support.samples import DAG, NODE, TASK, run_event

TOMORROW = datetime.now(UTC) + timedelta(days=1)


def rows(store):
    with store.database.read() as connection:
        return {
            table.name: connection.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }


def test_retention_deletes_old_events_and_their_index_rows(any_store):
    any_store.append([run_event(f"run-{n}", inputs=["a"], outputs=[f"b{n}"]) for n in range(450)])
    seen = []

    assert delete_events(any_store, TOMORROW, seen.append) == 450

    assert seen == [200, 400, 450]
    assert set(rows(any_store).values()) == {0}
    assert any_store.append(run_event("run-0")) == 1


@pytest.mark.parametrize("ahead", [0, 3, 7])
def test_an_event_from_the_future_does_not_stop_retention(any_store, caplog, ahead):
    """The writer's clock was ahead, or has been set back since."""
    any_store.append([run_event(f"run-{n}") for n in range(8)])
    with any_store.database.write() as connection:
        future = update(event).where(event.c.id == select(func.min(event.c.id)).scalar_subquery() + ahead)
        connection.execute(future.values(stored_at="2999-01-01T00:00:00.000000Z"))

    assert delete_events(any_store, TOMORROW) == 7

    assert [left["run"]["runId"] for left in any_store.events()] == [f"run-{ahead}"]
    warned = "check the clocks of the machines" in caplog.text
    assert warned == (ahead < 7)  # the last one may be new


def test_retention_keeps_recent_events(store):
    store.append(run_event())

    assert delete_events(store, datetime.now(UTC) - timedelta(hours=1)) == 0
    assert len(list(store.events())) == 1


def test_retention_keeps_undelivered_events_and_dead_letters(store):
    store.append([run_event(f"run-{n}") for n in range(5)])
    marquez = Consumer(store, "marquez")
    marquez.position()
    marquez.record(3, "", dead_letters={2: "422"})

    assert delete_events(store, TOMORROW) == 2

    assert [event["run"]["runId"] for event in store.events()] == ["run-1", "run-3", "run-4"]
    assert rows(store)["run"] == 3


def test_a_damaged_event_does_not_stop_retention(any_store):
    any_store.append([run_event(f"run-{n}", inputs=["a"], outputs=[f"b{n}"]) for n in range(300)])
    with any_store.database.write() as connection:
        half = select(func.substr(event.c.payload, 1, 40)).where(event.c.id == 7).scalar_subquery()
        connection.execute(update(event).where(event.c.id == 7).values(payload=half))

    assert delete_events(any_store, TOMORROW) == 300

    assert set(rows(any_store).values()) == {0}


def test_retention_keeps_a_damaged_event_that_is_a_dead_letter(store):
    store.append([run_event(f"run-{n}") for n in range(3)])
    with store.database.write() as connection:
        connection.execute(update(event).where(event.c.id == 2).values(payload=b"\0"))
    marquez = Consumer(store, "marquez")
    marquez.position()
    marquez.record(3, "", dead_letters={2: "is damaged"})
    assert delete_events(store, TOMORROW) == 2

    discard(store, "marquez")

    assert delete_events(store, TOMORROW) == 1


def test_retention_does_not_wait_for_a_removed_target(any_store):
    any_store.append([run_event(f"run-{n}") for n in range(3)])
    Consumer(any_store, "old").position()
    assert [(target.target, target.pending) for target in outbox_status(any_store)] == [("old", 3)]
    assert delete_events(any_store, TOMORROW) == 0

    forget(any_store, "old")

    assert outbox_status(any_store) == []
    assert delete_events(any_store, TOMORROW) == 3


def test_positions_are_never_reused(store):
    store.append([run_event(f"run-{n}") for n in range(5)])
    delete_events(store, TOMORROW)
    store.append(run_event())

    with store.database.read() as connection:
        assert connection.scalar(select(metadata.tables["event"].c.id)) == 6


def test_a_run_of_a_dead_worker_is_closed_with_the_reason(any_store):
    any_store.append(run_event(TASK, name="dag.task", parent=DAG))
    any_store.append(run_event(NODE, parent=TASK, root=DAG, outputs=["a"]))
    any_store.append(run_event(TASK, "COMPLETE", name="dag.task", parent=DAG))
    assert sweep(any_store) == []

    (dead,) = sweep(any_store, timedelta(0))

    assert (dead.run_id, dead.job_name, dead.state) == (NODE, "silver.stg_orders", "START")
    abort = list(any_store.events(run_id=NODE))[-1]
    assert abort["eventType"] == "ABORT"
    assert "No event came for 0:00:00" in abort["run"]["facets"]["errorMessage"]["message"]
    assert abort["run"]["facets"]["parent"]["run"]["runId"] == TASK
    assert any_store.run_states(DAG)[NODE].state == "ABORT"
    assert sweep(any_store, timedelta(0)) == []


def test_the_next_try_closes_the_runs_of_the_last_one(store):
    store.append(
        [run_event(NODE, parent=TASK, root=DAG), run_event("other", parent="t2", root="another-root")]
    )

    left = [run for run in open_runs(store, root_run_id=DAG) if run.parent_run_id == TASK]

    assert abort_runs(store, left, "The worker of try 1 died") == 1
    assert abort_runs(store, left, "again") == 0
    assert [run.run_id for run in open_runs(store)] == ["other"]


def test_start_and_end_are_compared_as_times_not_as_text(store):
    at = (datetime.now(UTC) + timedelta(hours=1)).astimezone(timezone(timedelta(hours=-11))).isoformat()
    store.append(run_event(at=at))
    sweep(store, timedelta(0))

    start, abort = store.events()
    assert event_time(abort) == event_time(start)


def test_a_run_never_ends_before_its_start(store):
    """Also after the clock was set back."""
    store.append(run_event(at="2999-01-01T00:00:00Z"))
    sweep(store, timedelta(0))

    assert [event_time(event).year for event in store.events()] == [2999, 2999]
