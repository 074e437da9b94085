"""Events are appended to the store and found again by each of its queries."""

import json
import multiprocessing
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.store import EventStore, StoreError
from tests.support.kills import start
from tests.support.samples import DAG, NODE, TASK, run_event
from tests.support.writer import write


def test_events_are_returned_unchanged_and_in_order(any_store):
    events = [run_event(event_type=kind) for kind in ("START", "RUNNING", "COMPLETE")]

    assert [any_store.append(event) for event in events] == [1, 1, 1]

    assert list(any_store.events()) == events


def test_a_duplicate_event_is_stored_once(any_store):
    assert any_store.append([run_event(), run_event(), run_event(event_type="COMPLETE")]) == 2
    assert any_store.append(run_event()) == 0
    assert len(list(any_store.events())) == 2


def test_duplicate_dataset_events_are_stored_once(any_store):
    event = {"eventTime": "2026-11-22T07:28:01Z", "dataset": {"namespace": "duckdb", "name": "gold.orders"}}

    assert any_store.append([event, event]) == 1
    assert list(any_store.events(dataset="gold.orders")) == [event]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"run_id": TASK}, ["dag.task"]),
        ({"root_run_id": DAG}, ["dag", "dag.task", "silver.stg_orders", "gold.orders"]),
        ({"job_name": "gold.orders"}, ["gold.orders"]),
        ({"job_namespace": "other"}, []),
        ({"dataset": "bronze.orders"}, ["silver.stg_orders"]),
        ({"dataset": "bronze.orders", "dataset_namespace": "elsewhere"}, []),
        ({"after": 2, "root_run_id": DAG}, ["silver.stg_orders", "gold.orders"]),
    ],
)
def test_events_are_found_by(any_store, wanted, found):
    any_store.append(run_event(DAG, name="dag"))
    any_store.append(run_event(TASK, name="dag.task", parent=DAG))
    any_store.append(run_event(NODE, parent=TASK, root=DAG, inputs=["bronze.orders"]))
    any_store.append(run_event("n2", name="gold.orders", parent=TASK, root=DAG, outputs=["gold.orders"]))

    assert [event["job"]["name"] for event in any_store.events(**wanted)] == found


def test_more_events_than_a_page(any_store):
    any_store.append(
        [run_event(event_type="RUNNING", at=f"2026-11-22T07:28:01.{n:06}Z") for n in range(1234)]
    )

    times = [event["eventTime"] for event in any_store.events(run_id=NODE)]

    assert len(times) == 1234
    assert times == sorted(times)


def test_the_latest_root_run_is_the_one_of_the_newest_event(any_store):
    any_store.append(run_event("root-1", name="first"))
    any_store.append(run_event("root-2", name="second"))
    assert any_store.latest_root_run() == "root-2"

    any_store.append(run_event("child", parent="root-1"))
    assert any_store.latest_root_run() == "root-1"


def test_a_late_start_does_not_reopen_a_run(any_store):
    for kind in ("START", "FAIL", "START"):
        any_store.append(
            run_event(event_type=kind, parent=TASK, root=DAG, at=f"2026-11-22T07:28:0{len(kind)}Z")
        )

    assert {run: state.state for run, state in any_store.run_states(DAG).items()} == {NODE: "FAIL"}


def test_reading_a_missing_store_names_it(store, tmp_path):
    with pytest.raises(StoreError, match=f"no event store at {tmp_path}/lineage.db"):
        store.latest_root_run()
    assert not (tmp_path / "lineage.db").exists()


@settings(max_examples=50, deadline=None)
@given(text=st.text(st.characters(codec=None), max_size=40), long=st.integers(1, 50))
def test_any_name_is_stored_and_found(tmp_path_factory, text, long):
    store = EventStore(str(tmp_path_factory.mktemp("store") / "lineage.db"))
    event = run_event(run_id=text * long, name=text, inputs=[text * long])
    event = json.loads(json.dumps(event))

    store.append(event)

    assert list(store.events(job_name=text)) == [event]
    assert list(store.events(dataset=text * long)) == [event]
    store.close()


def test_several_processes_can_create_and_fill_a_store_at_once(tmp_path):
    path = str(tmp_path / "new" / "lineage.db")
    ends = [multiprocessing.Pipe(duplex=False) for _ in range(4)]
    writers = [start(write, path, f"run-{n}", 100, end) for n, (_, end) in enumerate(ends)]
    for writer in writers:
        writer.join()

    assert [writer.exitcode for writer in writers] == [0] * 4
    assert len(list(EventStore(path).events())) == 400


def test_threads_can_share_a_store(any_store):
    def append(n):
        for m in range(50):
            any_store.append(run_event(f"run-{n}", "RUNNING", at=f"2026-11-22T07:28:01.{m:06}Z"))

    threads = [threading.Thread(target=append, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list(any_store.events())) == 200


def test_a_forked_child_uses_the_store_of_its_parent(any_store):
    any_store.append(run_event())
    for kind in ("RUNNING", "COMPLETE"):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                status = 0 if any_store.append(run_event(event_type=kind)) == 1 else 2
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        any_store.append(run_event(event_type=kind, name="parent"))

    kinds = [(event["eventType"], event["job"]["name"]) for event in any_store.events()]
    assert kinds == [
        ("START", "silver.stg_orders"),
        ("RUNNING", "silver.stg_orders"),
        ("RUNNING", "parent"),
        ("COMPLETE", "silver.stg_orders"),
        ("COMPLETE", "parent"),
    ]
