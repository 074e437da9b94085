"""Which time and which events belong to a DAG run."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from airflow_lineage_provider.utils.dag_run import MAX_CLOCK_SKEW, dag_run_ids, earliest_event_time

DUE = datetime(2026, 1, 1, 6, tzinfo=UTC)
STARTED = DUE + timedelta(hours=2)
TRIGGERED = {
    "openlineage": {
        "parentRunId": "01890000-0000-7000-8000-000000000001",
        "parentJobName": "etl.trigger",
        "parentJobNamespace": "default",
    }
}


def dag_run(**fields):
    known = {"dag_id": "sales", "logical_date": DUE, "run_after": DUE, "start_date": STARTED, "conf": {}}
    return SimpleNamespace(**known | {"clear_number": 0} | fields)


@pytest.mark.parametrize(
    ("run", "earliest"),
    [
        (dag_run(), STARTED),
        (dag_run(start_date=None), DUE),
        # Clearing a task sets the start anew; what ran before counts.
        (dag_run(clear_number=1, start_date=STARTED + timedelta(days=3)), DUE),
    ],
    ids=["started", "queued", "cleared"],
)
def test_no_event_of_a_dag_run_is_older_than_its_start(run, earliest):
    assert earliest_event_time(run, dag_run_ids(run)) == earliest - MAX_CLOCK_SKEW


def test_who_triggered_it_began_at_a_time_that_is_not_known():
    run = dag_run(conf=TRIGGERED)
    assert dag_run_ids(run).roots == (TRIGGERED["openlineage"]["parentRunId"],)
    assert earliest_event_time(run, dag_run_ids(run)) is None
