"""A store that fails for a whole run does not change dbt's result; the log names the lost events."""

import json
import sqlite3
import subprocess
from pathlib import Path

import pytest
from airflow_cases import run_cases
from dbt_projects import write_project

from airflow_lineage_provider.store import EventStore

TRANSPORT = "airflow_lineage_provider.OutboxTransport"
EVENT = {
    "eventType": "START",
    "eventTime": "2026-01-01T00:00:00Z",
    "producer": "urn:test",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "0190a0e2-0000-7000-8000-000000000001"},
    "job": {"namespace": "test", "name": "before"},
}
MODELS = {
    "models/gold/one.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/gold/two.sql": "{{ config(materialized='table') }} select * from {{ ref('one') }}",
}
SAID = {
    "locked": "is locked by another process: try again",
    "garbage": "is not a SQLite database",
    "damaged": "is damaged: restore it or move it away",
    "server_is_down": "cannot be reached: check its server",
    "server_is_unknown": "cannot be reached: check its server",
    "read_only": "cannot be opened: check that the folder exists and that this user may write to it",
    "full_disk": "cannot be read or written: check that its disk works and is not full",
}
SMALL_DISKS = """
mount --bind "$1/read_only" "$1/read_only" && mount -o remount,bind,ro "$1/read_only" || exit
mount -t tmpfs -o size=128k none "$1/full_disk" && cp "$1/before.db" "$1/full_disk/lineage.db" || exit
head -c 1000000 /dev/zero > "$1/full_disk/rest" 2>/dev/null
shift; exec "$@"
"""


def new_store(path):
    path.parent.mkdir(exist_ok=True)
    store = EventStore(str(path))
    store.append(EVENT)
    store.close()
    return path


def lock(path):
    holder = sqlite3.connect(new_store(path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder


def damage(path):
    data = bytearray(new_store(path).read_bytes())
    path.write_bytes(data[:4096] + bytes(len(data) - 4096))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """Run one task for each fault in one Airflow. Mounts are created where this user has permission."""
    base = tmp_path_factory.mktemp("faults")
    stores = {name: str(base / name / "lineage.db") for name in SAID}
    holder = lock(Path(stores["locked"]))
    damage(Path(stores["damaged"]))
    new_store(Path(stores["garbage"])).write_text("no database " * 1000)
    new_store(Path(stores["read_only"]))
    new_store(base / "before.db")
    (base / "full_disk").mkdir()
    stores["server_is_down"] = "postgresql://me:secret@127.0.0.1:1/lineage"
    stores["server_is_unknown"] = "postgresql://me:secret@no-such-host.invalid/lineage"
    mounts = ["unshare", "-rm", "sh", "-c", SMALL_DISKS, "sh", str(base)]
    if subprocess.run([*mounts, "true"], check=False, capture_output=True).returncode:
        mounts = []
        del stores["read_only"], stores["full_disk"]
    project = str(write_project(base / "shop", MODELS))
    operator = {"layer": "gold", "project_dir": project, "profiles_dir": project}
    cases = {name: {"operator": operator | {"store_conn_id": name}} for name in stores}
    environ = {
        f"AIRFLOW_CONN_{name.upper()}": json.dumps({"conn_type": "lineage_store", "host": url})
        for name, url in stores.items()
    }
    environ["AIRFLOW__OPENLINEAGE__TRANSPORT"] = json.dumps({"type": TRANSPORT})
    ran = run_cases(base / "airflow", cases, environ, mounts)
    holder.close()
    return ran


@pytest.mark.parametrize("fault", SAID)
def test_the_models_run_and_the_log_names_the_lost_events(outcomes, fault):
    if fault not in outcomes:
        pytest.skip("this user may not mount a small or a read-only disk")
    ran = outcomes[fault]
    assert (ran.state, ran.tries) == ("success", 1)
    assert ran.returned["nodes"] == {"success": 2}
    assert (ran.returned["events"], ran.returned["events_lost"]) == (0, 4)
    assert SAID[fault] in ran.log
    assert ran.log.count("lineage: the event of gold.two is lost: ") == 2
    assert "secret" not in ran.log
