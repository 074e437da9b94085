"""The records of a run that fails in part: each node's error, and the reason of each skip."""

from datetime import UTC, datetime, timedelta

import pytest
from dbt_projects import run, write_files, write_project

BEGIN = f"{datetime.now(UTC) - timedelta(days=3):%Y-%m-%d}"

MICROBATCH = f"""
{{{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened_at',
           batch_size='day', begin='{BEGIN}') }}}}
"""

FILES = {
    "models/silver/raw_events.sql": f"""
        {{{{ config(materialized='table', event_time='happened_at') }}}}
        select range as id, timestamp '{BEGIN}' + to_days(range::int) as happened_at,
            case when range = 2 then 'x' else '1' end as value
        from range(4)
        """,
    "models/silver/daily.sql": f"""
        {MICROBATCH}
        select id, happened_at from {{{{ ref('raw_events') }}}}
        """,
    "models/silver/daily_values.sql": f"""
        {MICROBATCH}
        select id, happened_at, cast(value as integer) as value from {{{{ ref('raw_events') }}}}
        """,
    "models/gold/after_daily.sql": "select * from {{ ref('daily_values') }}",
    "models/silver/no_such_table.sql": "select id from nothing",
    "models/gold/child.sql": "select * from {{ ref('no_such_table') }}",
    "models/gold/grandchild.sql": "select * from {{ ref('child') }}",
    "models/silver/not_today.sql": """
        {{ exceptions.raise_compiler_error('not today') if execute }} select 1 as id
        """,
    "models/gold/broken_part.sql": """
        {{ config(materialized='ephemeral') }}
        {{ exceptions.raise_compiler_error('the part is broken') if execute }} select 1 as id
        """,
    "models/gold/of_broken_part.sql": "select * from {{ ref('broken_part') }}",
    "models/silver/tested.sql": "select 1 as id union all select 1",
    "models/silver/tested.yml": """
        models:
          - name: tested
            columns:
              - name: id
                data_tests:
                  - unique
                  - accepted_values: {arguments: {values: [2]}, config: {severity: warn}}
        """,
    "models/gold/of_tested.sql": "select * from {{ ref('tested') }}",
    "models/gold/good.sql": "select 1 as id",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return write_project(tmp_path_factory.mktemp("failing"), FILES)


@pytest.fixture(scope="module")
def failing(project):
    return run(project)


@pytest.fixture(scope="module")
def retried(project, failing):
    write_files(project, {"models/silver/no_such_table.sql": "select 1 as id"})
    return run(project, "retry")


def test_every_node_has_its_status(failing):
    assert failing.statuses == {
        "silver.raw_events": "success",
        "silver.daily": "success",
        "silver.daily_values": "partial success",
        "gold.after_daily": "skipped",
        "silver.no_such_table": "error",
        "gold.child": "skipped",
        "gold.grandchild": "skipped",
        "silver.not_today": "error",
        "gold.of_broken_part": "skipped",
        "silver.tested": "success",
        "silver.unique_tested_id": "fail",
        "silver.accepted_values_tested_id__2": "warn",
        "gold.of_tested": "skipped",
        "gold.good": "success",
    }
    assert not failing.finished.success
    assert not failing.finished.bad_input


@pytest.mark.parametrize("label", ["silver.no_such_table", "gold.child", "silver.not_today", "silver.daily"])
def test_every_node_that_ends_has_started(failing, label):
    assert failing.starts[label].at == failing.ends[label].started_at


def test_a_failed_node_has_its_sql_and_the_warehouses_error(failing):
    end = failing.ends["silver.no_such_table"]
    assert "Table with name nothing does not exist" in end.message
    assert end.sql == "select id from nothing"
    assert (end.rows, end.created) == (None, None)


def test_a_node_that_does_not_compile_has_no_sql(failing):
    end = failing.ends["silver.not_today"]
    assert "not today" in end.message
    assert end.sql is None


def test_a_skipped_node_names_what_did_not_succeed(failing):
    reasons = {label: end.message for label, end in failing.ends.items() if end.status == "skipped"}
    assert reasons == {
        "gold.after_daily": "skipped because silver.daily_values did not succeed",
        "gold.child": "skipped because silver.no_such_table did not succeed",
        "gold.grandchild": "skipped because gold.child did not succeed",
        "gold.of_broken_part": "skipped because gold.broken_part did not succeed",
        "gold.of_tested": "skipped because silver.unique_tested_id did not succeed",
    }


def test_a_skipped_node_created_nothing(failing):
    assert failing.ends["gold.child"].created is None


def test_an_ephemeral_model_that_fails_is_an_error_of_the_run(failing):
    assert failing.finished.error == (
        "gold.broken_part: Compilation Error in model broken_part (models/gold/broken_part.sql)"
        " the part is broken"
    )


def test_a_failed_test_counts_its_rows_and_a_warning_does_not_fail(failing):
    assert (failing.ends["silver.unique_tested_id"].failures, failing.ends["silver.tested"].failed) == (
        1,
        False,
    )
    assert failing.ends["silver.unique_tested_id"].failed
    assert not failing.ends["silver.accepted_values_tested_id__2"].failed


def test_a_microbatch_model_is_one_node_with_the_sql_of_a_batch(failing):
    end = failing.ends["silver.daily"]
    assert "happened_at >=" in end.sql
    assert [column.name for column in end.node.relation.columns] == ["id", "happened_at"]


def test_a_partial_success_is_a_failure_with_its_batchs_error(failing):
    end = failing.ends["silver.daily_values"]
    assert end.failed
    assert end.message.startswith("PARTIAL SUCCESS (3/4): Runtime Error")
    assert "Could not convert string 'x' to INT32" in end.message
    assert [column.name for column in end.node.relation.columns] == ["id", "happened_at", "value"]


def test_a_retry_runs_only_what_failed_or_was_skipped(failing, retried):
    again = {label for label, status in failing.statuses.items() if status not in {"success", "warn"}}
    assert set(retried.starts) == set(retried.ends) == again
    assert retried.statuses["silver.no_such_table"] == "success"
    assert retried.statuses["gold.grandchild"] == "success"


def test_a_retry_with_warn_error_does_not_change_later_retries(tmp_path):
    project = write_project(tmp_path, {**FILES, "models/silver/no_such_table.sql": "select 1 as id"})
    run(project)
    run(project, "retry", options={"warn_error": True})
    run(project)
    assert "silver.accepted_values_tested_id__2" not in run(project, "retry").starts


def test_a_retry_has_compiled_sql_too(retried):
    assert retried.starts["silver.no_such_table"].sql == "select 1 as id"
    assert 'from "warehouse"."gold"."child"' in retried.starts["gold.grandchild"].sql


def test_a_hook_that_fails_is_an_error_of_the_run(tmp_path):
    project = write_project(
        tmp_path,
        {"models/gold/good.sql": "select 1 as id"},
        more="on-run-start: insert into nowhere values (1)",
    )
    outcome = run(project)
    assert not outcome.finished.success
    assert outcome.finished.error.startswith(
        "shop.on-run-start.0 failed, error: Catalog Error: Table with name"
    )


def test_fail_fast_ends_every_node_that_started(tmp_path):
    slow = "select count(*) as n from range(100000) a, range(50000) b where hash(a.range + b.range) = 1"
    files = {"models/gold/slow.sql": "{{ config(materialized='table') }} " + slow}
    files["models/gold/wrong.sql"] = "{{ config(materialized='table') }} select id from nothing"
    project = write_project(tmp_path, files, more="flags: {fail_fast: true}", threads=2)
    settings = (
        (project / "dbt_project.yml").read_text().replace("flags: {send_anonymous_usage_stats: false}", "")
    )
    (project / "dbt_project.yml").write_text(settings)
    outcome = run(project)
    assert set(outcome.starts) == set(outcome.ends)
    assert outcome.statuses["gold.wrong"] == "error"


def test_a_fault_of_the_listener_fails_no_node(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("a fault")

    monkeypatch.setattr("airflow_lineage_provider.dbt.listener.Listener._hook", fail)
    outcome = run(write_project(tmp_path, {"models/gold/good.sql": "select 1 as id"}))
    assert outcome.statuses == {"gold.good": "success"}
    assert "lineage: dbt's event SQLQuery is lost: RuntimeError('a fault')" in outcome.log


def test_columns_that_cannot_be_read_fail_no_node_and_are_logged(tmp_path):
    files = {"models/gold/rates.sql": "select * from read_csv('{folder}/rates.csv')"}
    files = {path: text.replace("{folder}", str(tmp_path)) for path, text in files.items()}
    outcome = run(write_project(tmp_path, files))
    assert outcome.statuses == {"gold.rates": "error"}
    assert f"lineage: columns of {tmp_path}/rates.csv could not be read" in outcome.log
