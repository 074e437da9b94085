"""Many workers: a worker is killed in mid-run, the event store restarts in another; no event is lost."""

from __future__ import annotations

import shutil
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.support.stores import Postgres

from .celery_cluster import celery_cluster, open_dbt_runs, wait_for_start
from .pipeline import DAG_ID, new_pipeline
from .triggered import start

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .celery_cluster import Cluster
    from .triggered import Triggered

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Postgres, Postgres]]:
    """Start two Postgres servers, for Airflow and for the event store."""
    missing = [name for name in ("initdb", "redis-server") if not shutil.which(name)]
    if missing:
        pytest.skip(f"not on PATH: {', '.join(missing)} (Debian's postgresql and redis-server)")
    folders = [tempfile.mkdtemp(prefix="postgres-") for _ in range(2)]
    started = [Postgres(folder) for folder in folders]
    yield started[0], started[1]
    for server in started:
        server.stop()
        shutil.rmtree(server.folder)


@pytest.fixture(scope="module")
def cluster(servers, tmp_path_factory) -> Iterator[Cluster]:
    pipeline = new_pipeline(tmp_path_factory.mktemp("celery"))
    with celery_cluster(pipeline.root, *servers) as cluster:
        yield cluster


def dbt_events(cluster: Cluster, run: Triggered) -> list[dict]:
    """Return the events of the dbt nodes of one DAG run."""
    root = next(
        event["run"]["runId"]
        for event in cluster.store.events(job_name=DAG_ID)
        if event["run"]["facets"]["airflowDagRun"]["dagRun"]["run_id"] == run.run_id
    )
    return [e for e in cluster.store.events(root_run_id=root) if e["job"]["namespace"].startswith("dbt")]


def assert_nothing_is_lost(cluster: Cluster, run: Triggered) -> None:
    tail = cluster.airflow.tail()
    assert run.get().json()["state"] == "success", tail
    assert run.validation()["outcome"] == "PASS", tail
    assert open_dbt_runs(dbt_events(cluster, run)) == set()


def test_a_killed_worker_loses_no_event_and_the_run_validates(cluster):
    run = start(cluster.airflow, cluster.airflow.token("admin"), DAG_ID)
    wait_for_start(cluster, "silver.stg_orders")
    killed = cluster.busy_worker()
    assert killed
    cluster.kill(killed)
    run.wait_until_ended()

    assert_nothing_is_lost(cluster, run)
    assert run.tasks()["silver"]["try_number"] > 1
    ends = {event["eventType"] for event in dbt_events(cluster, run) if event["eventType"] != "START"}
    assert ends == {"ABORT", "COMPLETE"}


def test_a_store_that_restarts_in_mid_run_loses_no_event(cluster, servers):
    run = start(cluster.airflow, cluster.airflow.token("admin"), DAG_ID)
    before = len(list(cluster.store.events(job_name="silver.stg_orders")))
    cluster.airflow.wait_until(
        "silver running", lambda: len(list(cluster.store.events(job_name="silver.stg_orders"))) > before, 240
    )
    servers[1].stop()
    servers[1].start()
    run.wait_until_ended()

    assert_nothing_is_lost(cluster, run)
    events = dbt_events(cluster, run)
    assert {event["eventType"] for event in events} == {"START", "COMPLETE"}
    counts = {kind: sum(event["eventType"] == kind for event in events) for kind in ("START", "COMPLETE")}
    assert counts["START"] == counts["COMPLETE"]
