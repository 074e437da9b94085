# ruff: noqa: E501 - a case is a row
"""DbtLayerOperator in a real Airflow: the state, log, XCom and files of its task."""

import duckdb
import pytest


def query(file, sql):
    with duckdb.connect(str(file), read_only=True) as warehouse:
        return warehouse.execute(sql).fetchall()


def ends(events):
    return {e["job"]["name"]: e["eventType"] for e in events if e["eventType"] != "START"}


def own_lines(log):
    """Return the lines that the operator logged, without Airflow's own."""
    return [line.split("]", 1)[1].strip() for line in log.splitlines() if "DbtLayerOperator]" in line]


def test_templated_arguments_are_rendered(airflow):
    ran = airflow["templated"]
    assert ran.state == "success"
    assert set(ends(ran.events)) == {"gold.answer", "gold.other"}
    sql = [event["job"]["facets"]["sql"]["query"] for event in ran.events]
    assert any("'forty-two' as answer" in statement for statement in sql)
    assert any("Concurrency: 2 threads (target='dev')" in line for line in own_lines(ran.log))
    assert ran.events[0]["run"]["facets"]["dbt_run"]["full_refresh"] is True


def test_vars_can_be_rendered_to_text(airflow):
    (start, _) = airflow["vars_as_text"].events
    assert "'from text' as answer" in start["job"]["facets"]["sql"]["query"]


def test_a_layer_is_narrowed_by_selectors(airflow):
    assert set(ends(airflow["narrowed"].events)) == {"gold.answer", "gold.old"}


def test_xcom_has_one_small_summary(airflow):
    summary = airflow["templated"].returned
    assert summary == {
        "command": "run",
        "layer": "gold",
        "invocation_id": airflow["templated"].events[0]["run"]["facets"]["dbt_run"]["invocation_id"],
        "nodes": {"success": 2},
        "rows": 2,
        "events": 4,
        "events_lost": 0,
    }


def test_dbt_logs_to_the_task_line_by_line_with_node_numbers(airflow):
    lines = own_lines(airflow["narrowed"].log)
    assert sum("1 of 2 START sql table model gold.answer" in line for line in lines) == 1
    assert sum("2 of 2 OK created sql table model gold.old" in line for line in lines) == 1


def test_events_are_children_of_the_task_and_grandchildren_of_the_dag_run(airflow):
    for event in airflow["narrowed"].events:
        parent = event["run"]["facets"]["parent"]
        assert parent["job"]["name"] == "narrowed.dbt"
        assert parent["root"]["job"]["name"] == "narrowed"
        assert event["run"]["facets"]["nominalTime"]["nominalStartTime"]


def test_a_failed_node_fails_the_task_with_its_error_and_nothing_else(airflow):
    ran = airflow["failing"]
    assert ran.state == "failed"
    assert ends(ran.events) == {"silver.fails": "FAIL", "silver.child": "ABORT"}
    assert ran.error == (
        "silver.fails: Runtime Error in model fails (models/silver/fails.sql) Binder Error: Referenced column "
        '"no_such_column" not found in FROM clause! Candidate bindings: "id"'
    )


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (
            "unknown_layer",
            "dbt build found no node of shop that matches 'sliver'; the project has the layers bronze, gold, silver",
        ),
        ("no_project", "no dbt project at /no/such/project: there is no dbt_project.yml; set project_dir to"),
        ("no_profile", "no dbt profile at /no/such/profiles: there is no profiles.yml; set profiles_dir to"),
        ("no_target", "does not have a target named 'production'. The valid target names for this profile are: - dev"),
        ("unparsable", "Compilation Error in model broken (models/gold/broken.sql) unexpected 'end of print"),
        ("unknown_command", "dbt command 'bild' is unknown; use one of run, build, test, seed, snapshot"),
        ("threads_in_words", "threads must be a whole number such as 4, not 'many'"),
        ("no_connection", "connection 'nowhere' does not exist; add it to Airflow, or set profile_conn_id"),
        ("empty_in_words", "empty_selection is one of fail, success, skip"),
        ("odd_connection", "connection 'odd' is of type 'http', for which no dbt profile can be made; use one of "),
        ("unwritable_store", "/a_file/lineage.db"),
    ],
)  # fmt: skip
def test_invalid_input_fails_the_task_in_one_line_before_dbt_runs(airflow, case, said):
    ran = airflow[case]
    assert ran.state == "failed"
    assert said in ran.error
    assert "AirflowFailException: " + ran.error in ran.log
    assert ran.events == []
    assert "1 of " not in ran.log


def test_a_store_that_fails_while_dbt_runs_does_not_fail_the_models(airflow):
    ran = airflow["store_breaks"]
    assert ran.state == "success"
    assert ran.returned["nodes"] == {"success": 2}
    assert (ran.returned["events"], ran.returned["events_lost"]) == (1, 3)
    assert ran.log.count("lineage: the event of bronze.after_it is lost: ") == 2


def test_a_profile_comes_from_a_duckdb_connection(airflow):
    ran = airflow["duckdb_connection"]
    assert ran.state == "success"
    connected = airflow.home.parent / "connected.duckdb"
    assert query(connected, "select answer from gold.answer") == [("none",)]
    assert ran.events[-1]["outputs"][0]["namespace"] == f"duckdb://{connected}"


def test_a_profile_comes_from_a_postgres_connection(airflow):
    ran = airflow["postgres_connection"]
    assert ran.state == "success"
    (output,) = ran.events[-1]["outputs"]
    assert output["namespace"].startswith("postgres://127.0.0.1:")
    assert output["name"] == "analytics.gold.other"
    assert [f["type"] for f in output["facets"]["schema"]["fields"]] == ["integer"]


def test_no_file_and_no_log_contains_a_password(airflow):
    written = [file for file in airflow.home.parent.rglob("*") if file.is_file()]
    assert airflow.home / "output.log" in written
    assert airflow.home / "lineage.db" in written
    for file in written:
        for secret in airflow.secrets:
            assert secret.encode() not in file.read_bytes(), file


def test_the_profile_of_a_connection_is_deleted_after_the_task(airflow):
    assert list((airflow.home / "tmp").glob("dbt-profile-*")) == []


def test_an_operation_runs_its_macro(airflow):
    ran = airflow["operation"]
    assert ran.state == "success"
    assert any("said: hello" in line for line in own_lines(ran.log))


def test_a_killed_task_stops_dbt_and_its_query(airflow):
    ran = airflow["killed"]
    assert ran.state == "failed"
    assert ends(ran.events) == {"gold.endless": "FAIL", "gold.after": "ABORT"}
    assert "The task was killed: cancelling dbt's queries" in ran.log
    assert ran.error.startswith("gold.endless: cancelled: the task was killed (")


def test_dbt_in_another_interpreter_emits_the_events_under_the_task(airflow):
    outcome = airflow["own_interpreter"]
    assert outcome.state == "success"
    assert outcome.returned["nodes"] == {"success": 1}
    assert [(e["job"]["name"], e["eventType"]) for e in outcome.events] == [
        ("gold.answer", "START"),
        ("gold.answer", "COMPLETE"),
    ]


def test_an_interpreter_that_is_not_there_fails_the_task_in_one_line(airflow):
    assert airflow["bare_interpreter"].state == "failed"
    assert airflow["bare_interpreter"].error.startswith("/no/such/python cannot be run")
