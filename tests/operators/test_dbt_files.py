"""What a try of a dbt task takes over from earlier ones, with real dbt and folders."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from dbt_projects import collect, command, write_files, write_project

from airflow_lineage_provider.dbt import DbtRun
from airflow_lineage_provider.errors import InputError, LineageError
from airflow_lineage_provider.utils.dbt_files import XCOM_KEY, dbt_files
from airflow_lineage_provider.utils.dbt_process import DbtProcess
from tests.support.environments import python_of

FILES = {
    "models/silver/kept.sql": "{{ config(materialized='table') }} select 1 as id",
    "models/gold/wrong.sql": "select no_such from {{ ref('kept') }}",
    "models/gold/after.sql": "select * from {{ ref('wrong') }}",
    "models/gold/right.sql": "select id from {{ ref('kept') }}",
    "models/gold/gold.yml": """
        models:
          - name: right
            columns:
              - name: id
                data_tests: [{accepted_values: {arguments: {values: [2]}, config: {severity: warn}}}]
        """,
}
MENDED = {"models/gold/wrong.sql": "select 1 as other from {{ ref('kept') }}"}


class Task:
    """The tries of one task, as Airflow would run them; `xcoms` are of earlier DAG runs."""

    def __init__(self, project, **options: Any) -> None:
        self.project = project
        self.options = {"artifacts": None, "state": None, "retries": True} | options
        self.xcoms: dict[str, str] = {}
        self.number = 0

    def run(self, clear_number: int = 0, python: str = "", **given: Any):
        """Run a try; return dbt's verb and the outcome."""
        self.number += 1
        ti = SimpleNamespace(
            dag_id="d", run_id="r", task_id="t", map_index=-1, try_number=self.number,
            xcom_push=lambda key, value: self.xcoms.update({key: value}),
            xcom_pull=lambda *_, key, **__: self.xcoms.get(key),
        )  # fmt: skip
        context: Any = {"ti": ti, "dag_run": SimpleNamespace(clear_number=clear_number)}
        with dbt_files(context, command(self.project, **given), **self.options) as files:
            runner = DbtProcess(python, files.command, lambda *_: ()) if python else DbtRun(files.command)
            outcome = collect(runner)
            files.keep({})
            if outcome.finished.success:
                files.succeeded()
            return files.command.verb, outcome


@pytest.fixture
def project(tmp_path):
    return write_project(tmp_path / "shop", FILES)


def test_a_retry_starts_from_the_target_folder_and_success_removes_what_was_kept(project):
    task = Task(project)
    assert task.run()[1].statuses["gold.wrong"] == "error"
    assert list((project / "target" / "retries").iterdir())
    write_files(project, MENDED)
    verb, retried = task.run()
    assert (verb, retried.statuses) == ("retry", {"gold.wrong": "success", "gold.after": "success"})
    assert list((project / "target" / "retries").iterdir()) == []


def test_each_try_runs_what_the_one_before_left(project):
    task = Task(project)
    task.run()
    assert task.run()[1].statuses == {"gold.wrong": "error", "gold.after": "skipped"}
    write_files(project, MENDED)
    assert task.run()[1].statuses == {"gold.wrong": "success", "gold.after": "success"}


def test_another_task_of_the_project_does_not_change_what_a_retry_runs(project):
    task = Task(project)
    task.run()
    collect(DbtRun(command(project, verb="run", select=("right",))))  # dbt's own run_results.json
    assert set(task.run()[1].ends) == {"gold.wrong", "gold.after"}


def test_after_the_task_was_cleared_all_of_it_runs(project):
    task = Task(project)
    task.run()
    verb, again = task.run(clear_number=1)
    assert (verb, len(again.ends)) == ("build", 5)


def test_a_task_that_succeeded_runs_whole_when_it_is_cleared(project, tmp_path):
    write_files(project, MENDED)
    task = Task(project, artifacts=str(tmp_path / "kept"))
    assert task.run()[1].finished.success
    assert task.run()[0] == "build"


def test_a_failed_hook_is_not_what_a_retry_can_run(tmp_path):
    hook = 'on-run-end: "insert into nowhere values (1)"'
    project = write_project(tmp_path, {"models/gold/a.sql": "select 1 as id"}, more=hook)
    task = Task(project)
    assert not task.run()[1].finished.success
    assert task.run()[0] == "build"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"results": [{}]}', '{"results": 1}', "null"])
def test_results_that_cannot_be_read_make_the_retry_run_all(project, tmp_path, text):
    task = Task(project, artifacts=str(tmp_path / "kept"))
    task.run()
    (tmp_path / "kept" / "t" / "run_results.json").write_text(text)
    assert task.run()[0] == "build"


def test_a_model_that_was_removed_meanwhile_is_not_run(project):
    task = Task(project)
    task.run()
    for name in ("wrong", "after"):
        (project / "models" / "gold" / f"{name}.sql").unlink()
    outcome = task.run()[1]
    assert "\n" not in (outcome.finished.error or "")


@pytest.mark.parametrize(
    "options", [{"warn_error": True}, {"warn_error_options": {"error": ["LogTestResult"]}}]
)
def test_warnings_that_are_errors_are_retried(project, options):
    # dbt warns of the settings of a folder that is not there.
    write_files(project, {**MENDED, "models/bronze/any.sql": "select 1 as id"})
    task = Task(project)
    failed = task.run(options=options)[1].ends["gold.accepted_values_right_id__2"]
    assert failed.failed
    assert set(task.run(options=options)[1].ends) == {"gold.accepted_values_right_id__2"}


def test_a_microbatch_model_that_is_always_made_anew_is_retried_whole(tmp_path):
    daily = """
        {{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened_at',
                  batch_size='day', begin='2026-01-01', full_refresh=true) }}
        select id, happened_at, cast(value as integer) as value from {{ ref('events') }}
        """
    events = """
        {{ config(materialized='table', event_time='happened_at') }}
        select range as id, timestamp '2026-01-01' + to_days(range::int) as happened_at,
            case when range = 1 then 'x' else '1' end as value
        from range(3)
        """
    project = write_project(tmp_path / "days", {"models/events.sql": events, "models/daily.sql": daily})
    window = {"event_time_start": "2026-01-01", "event_time_end": "2026-01-04"}
    task = Task(project)
    assert task.run(options=window)[1].statuses["main.daily"] == "partial success"
    with duckdb.connect(str(project / "warehouse.duckdb")) as warehouse:
        warehouse.execute("update main.events set value = '1'")
    assert task.run(options=window)[1].statuses == {"main.daily": "success"}
    with duckdb.connect(str(project / "warehouse.duckdb")) as warehouse:
        assert warehouse.execute("select count(*) from main.daily").fetchone() == (3,)


DEFERRED = {"select": ("wrong", "right"), "options": {"defer": True, "exclude-resource-types": ["test"]}}


@pytest.mark.parametrize("environment", ["", "dbt-1.10", "dbt-1.12"])
def test_a_deferred_run_is_retried_with_its_state(tmp_path, environment):
    python = str(python_of(environment)) if environment else ""
    project = write_project(tmp_path / "shop", FILES)
    output = {"type": "duckdb", "path": str(tmp_path / "dev.duckdb")}
    prod = {"type": "duckdb", "path": str(tmp_path / "prod.duckdb")}
    dev = output | {"attach": [{"path": prod["path"], "alias": "prod"}]}
    profile = {"warehouse": {"target": "dev", "outputs": {"dev": dev, "prod": prod}}}
    (project / "profiles.yml").write_text(json.dumps(profile))
    Task(project, artifacts=str(tmp_path / "of_prod")).run(target="prod")
    task = Task(project, artifacts=str(tmp_path / "kept"), state=str(tmp_path / "of_prod" / "t"))
    _, first = task.run(**DEFERRED, python=python)
    assert first.statuses == {"gold.wrong": "error", "gold.right": "success"}
    assert [table.database for table in first.ends["gold.right"].node.inputs] == ["prod"]
    write_files(project, MENDED)
    verb, retried = task.run(**DEFERRED, python=python)
    assert (verb, retried.statuses) == ("retry", {"gold.wrong": "success"})
    assert [table.database for table in retried.ends["gold.wrong"].node.inputs] == ["prod"]


def test_the_last_success_is_the_state_and_before_it_everything_is_new(project, tmp_path):
    task = Task(project, artifacts=str(tmp_path / "kept"), state="last_success")
    assert len(task.run(select=("state:modified",), exclude=("wrong+",))[1].ends) == 3
    assert task.xcoms == {XCOM_KEY: str(tmp_path / "kept" / "t")}
    write_files(project, {"models/gold/right.sql": "select 2 as id from {{ ref('kept') }}"})
    task.options["retries"] = False
    assert "gold.right" in task.run(select=("state:modified",))[1].ends


def test_artifacts_that_cannot_be_kept_do_not_fail_the_task(project, tmp_path, caplog):
    (tmp_path / "a_file").write_text("")
    write_files(project, MENDED)
    assert Task(project, artifacts=str(tmp_path / "a_file" / "kept")).run()[1].finished.success
    assert f"The artifacts are not kept in {tmp_path}/a_file/kept/t: " in caplog.text


@pytest.mark.parametrize(
    ("options", "given", "message"),
    [
        ({"state": "last_success"}, {}, "state='last_success' needs artifacts"),
        ({"state": "/no/such/folder"}, {}, "state: there is no manifest.json in /no/such/folder"),
        ({"state": "moon://crater"}, {}, "state: moon://crater cannot be opened: "),
        ({"artifacts": "moon://crater"}, {}, "artifacts: moon://crater cannot be opened: "),
        ({}, {"options": {"state": "/opt/state"}}, "dbt_options: 'state' has an argument of its own"),
        ({}, {"verb": "freshness"}, "retry_failed_only: `dbt retry` cannot repeat dbt freshness"),
    ],
)
def test_what_does_not_go_together_is_one_line_before_dbt_runs(project, options, given, message):
    with pytest.raises(InputError) as error:
        Task(project, **options).run(**given)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_state_that_cannot_be_read_lets_the_task_be_retried(project, tmp_path):
    (tmp_path / "state" / "manifest.json").mkdir(parents=True)
    with pytest.raises(LineageError, match=r"manifest\.json cannot be read: IsADirectoryError") as error:
        Task(project, state=str(tmp_path / "state")).run()
    assert error.value.unreachable
