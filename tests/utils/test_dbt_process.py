"""dbt in an interpreter of its own: the same events, and no process that outlives its task."""

import json
import os
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "dbt"))
sys.path.insert(0, str(Path(__file__).parents[1] / "events"))

from dbt_projects import collect, command, run, write_project
from event_helpers import SMALL, events_of

from airflow_lineage_provider.dbt import Command, child
from airflow_lineage_provider.dbt.records import DbtError, NodeFinished, NodeStarted
from airflow_lineage_provider.events.sql_tables import tables_named
from airflow_lineage_provider.utils import dbt_process
from airflow_lineage_provider.utils.dbt_process import DbtProcess, needed_environment
from tests.support.comparable import comparable

ENDLESS = "select count(*) as n from range(1000000) a, range(10000000) b where hash(a.range, b.range) = 1"
PARENT = """
import sys
sys.path[:0] = {path!r}
from dbt_projects import command
from airflow_lineage_provider.utils.dbt_process import DbtProcess
from airflow_lineage_provider.dbt.records import NodeStarted
from pathlib import Path

run = DbtProcess(sys.executable, command(Path({project!r})), lambda *_: ())
for record in run:
    if isinstance(record, NodeStarted):
        print(run._process.pid, flush=True)
"""


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    files = {"models/gold/endless.sql": "{{ config(materialized='table') }} " + ENDLESS}
    return write_project(tmp_path_factory.mktemp("endless"), files)


def process(python, project):
    return DbtProcess(str(python), command(project), tables_named)


def until_gone(pid):
    """Wait until a process has ended; a zombie has."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


def script(folder, text):
    """Write a program that is no Python."""
    file = folder / "python"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def stop_at_start(running, stop):
    """Run until the first node has started, call `stop`, and return all records."""
    records = []
    for record in running:
        records.append(record)
        if isinstance(record, NodeStarted):
            stop()
    return collect(records)


def test_the_events_equal_those_of_this_interpreter(tmp_path):
    project = write_project(tmp_path, SMALL)
    run(project)
    here, there = run(project), collect(process(sys.executable, project))
    assert comparable(events_of(there), project) == comparable(events_of(here), project)
    assert there.finished == here.finished


def test_a_process_that_is_killed_fails_the_node_that_ran_and_says_so(endless):
    running = process(sys.executable, endless)
    outcome = stop_at_start(running, lambda: os.kill(running._process.pid, signal.SIGKILL))
    (end,) = outcome.of(NodeFinished)
    assert (end.node.label, end.status) == ("gold.endless", "error")
    assert "was ended by the signal SIGKILL; it may have run out of memory" in end.message
    assert outcome.finished.error == end.message


def test_a_cancelled_process_ends_its_query_and_its_node(endless):
    running = process(sys.executable, endless)
    outcome = stop_at_start(running, running.cancel)
    assert outcome.statuses == {"gold.endless": "error"}
    assert not outcome.finished.success
    until_gone(running._process.pid)


def test_the_process_dies_with_its_task(endless):
    path = [str(Path(__file__).parents[1] / "dbt"), str(Path(__file__).parents[2])]
    code = PARENT.format(path=path, project=str(endless))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as task:
        pid = int(task.stdout.readline())
        task.kill()
    until_gone(pid)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("echo 'what is this'; exec sleep 600", "sent what is no record of dbt's: 'what is this'"),
        ("echo '[\"Nothing\", {}]'; exec sleep 600", "sent what is no record of dbt's"),
        ("echo '[\"Invocation\", 5]'; exec sleep 600", "sent what is no record of dbt's"),
        ("exec sleep 600", "dbt's process hangs: nothing came from it for 1 s"),
        ("head -c 3000000 /dev/zero; exec sleep 600", "sent a line of more than 1000000 bytes"),
        ("echo 'the reason' >&2; exit 3", "ended with status 3 before dbt did: the reason"),
        ("kill -SEGV $$", "was ended by the signal SIGSEGV"),
    ],
)
def test_a_process_that_is_no_dbt_is_one_line_and_is_ended(text, error, endless, tmp_path, monkeypatch):
    monkeypatch.setattr(dbt_process, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(dbt_process, "LONGEST_LINE", 1_000_000)
    running = process(script(tmp_path, text), endless)
    outcome = collect(running)
    assert error in outcome.finished.error
    assert "\n" not in outcome.finished.error
    until_gone(running._process.pid)


def test_an_interpreter_without_dbt_says_what_to_do(endless, tmp_path):
    venv.create(tmp_path / "bare", with_pip=False)
    python = tmp_path / "bare" / "bin" / "python"
    finished = collect(process(python, endless)).finished
    assert finished.bad_input
    assert finished.error == f"{python} has no dbt-core: install it there, or name another python"


@pytest.mark.parametrize("version", ["1.7.19", "1.9.0b2", "2.0.0"])
def test_an_interpreter_with_another_dbt_says_what_is_needed(endless, tmp_path, version):
    venv.create(tmp_path / "old", with_pip=False)
    (site,) = (tmp_path / "old").glob("lib/python*/site-packages")
    (site / "dbt" / "cli").mkdir(parents=True)
    (site / "dbt" / "cli" / "main.py").write_text("")
    (site / f"dbt_core-{version}.dist-info").mkdir()
    (site / f"dbt_core-{version}.dist-info" / "METADATA").write_text(f"Name: dbt-core\nVersion: {version}\n")
    running = process(tmp_path / "old" / "bin" / "python", endless)
    finished = collect(running).finished
    assert finished.bad_input
    assert finished.error.endswith(f" has dbt-core {version}; 1.10, 1.11 or 1.12 is needed")
    until_gone(running._process.pid)


def test_a_process_that_goes_on_after_its_last_record_is_ended_with_all_that_it_started(
    endless, tmp_path, monkeypatch
):
    monkeypatch.setattr(dbt_process, "END_SECONDS", 0.5)
    text = f"""
    sleep 600 & echo $! > {tmp_path}/pid
    echo '["InvocationFinished", {{"success": true}}]'
    exec sleep 600
    """
    running = process(script(tmp_path, text), endless)
    outcome = collect(running)
    assert outcome.finished.success
    until_gone(running._process.pid)
    until_gone(int((tmp_path / "pid").read_text()))


def test_a_process_that_ends_in_the_middle_fails_what_was_open(endless, tmp_path):
    """The records of a real start, and then nothing: as of a dbt whose adapter ends the interpreter."""
    started = next(record for record in process(sys.executable, endless) if isinstance(record, NodeStarted))
    line = json.dumps(["NodeStarted", started], default=child._plain)
    (tmp_path / "line").write_text(line + "\n")
    outcome = collect(process(script(tmp_path, f"cat {tmp_path}/line; exit 7"), endless))
    (end,) = outcome.of(NodeFinished)
    assert (end.node.label, end.status) == ("gold.endless", "error")
    assert "ended with status 7 before dbt did" in end.message
    assert not outcome.finished.success


def test_an_interpreter_that_is_not_there_says_what_to_do(endless):
    with pytest.raises(DbtError, match="/no/such/python cannot be run: No such file or directory"):
        collect(process("/no/such/python", endless))


def test_the_process_gets_what_the_project_names_and_nothing_of_airflows(tmp_path, monkeypatch):
    project = write_project(tmp_path, {"models/gold/one.sql": "select '{{ env_var(\"REGION\") }}' as region"})
    for name in ("REGION", "AIRFLOW__CORE__FERNET_KEY", "AIRFLOW_CONN_CRM", "OPENLINEAGE_API_KEY", "DBT_X"):
        monkeypatch.setenv(name, "value")
    found = needed_environment(command(project))
    assert {"REGION", "DBT_X", "PATH"} <= found.keys()
    assert not [name for name in found if name.startswith(("AIRFLOW", "OPENLINEAGE"))]


def test_the_process_gets_what_a_profile_elsewhere_names_and_not_what_dbt_has_compiled(tmp_path, monkeypatch):
    project = write_project(tmp_path / "shop", {"target/compiled/old.sql": "{{ env_var('OLD') }}"})
    profile = tmp_path / "profiles" / "profiles.yml"
    profile.parent.mkdir()
    profile.write_text("shop: {outputs: {dev: {password: \"{{ env_var('WAREHOUSE_KEY') }}\"}}}")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(profile.parent))
    for name in ("OLD", "WAREHOUSE_KEY"):
        monkeypatch.setenv(name, "value")
    found = needed_environment(Command(project_dir=str(project)))
    assert "WAREHOUSE_KEY" in found
    assert "OLD" not in found
