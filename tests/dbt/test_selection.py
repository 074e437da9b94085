"""Verbs, selectors and options of a command, and the errors of a wrong one."""

import re

import pytest
from dbt_projects import collect, command, run, write_project
from shop import write_shop

from airflow_lineage_provider.dbt import DbtError, DbtRun


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = write_shop(tmp_path_factory.mktemp("selection"))
    run(project)
    return project


@pytest.mark.parametrize(
    ("verb", "options", "expected"),
    [
        ("seed", {}, {"bronze.countries"}),
        ("snapshot", {}, {"silver.order_history"}),
        ("run", {"select": ("gold",)}, {"gold.order_summary", "gold.python_totals"}),
        ("run", {"select": ("gold",), "exclude": ("order_summary",)}, {"gold.python_totals"}),
        ("run", {"select": ("stg_clicks", "customers.v2")}, {"silver.stg_clicks", "silver.customers_v2"}),
        ("run", {"select": ("stg_clicks",), "threads": 2}, {"silver.stg_clicks"}),
        (
            "test",
            {"select": ("stg_orders,test_name:unique", "stg_orders,test_name:not_null")},
            {"silver.unique_stg_orders_order_id", "silver.not_null_stg_orders_order_id"},
        ),
        ("freshness", {}, {"crm.t_orders_v2.freshness"}),
        (
            "build",
            {"options": {"resource_types": ["seed", "snapshot"]}},
            {"bronze.countries", "silver.order_history"},
        ),
        (
            "run",
            {"select": ("stg_clicks",), "options": {"fail-fast": "true", "empty": True}},
            {"silver.stg_clicks"},
        ),
    ],
)
def test_a_verb_runs_what_is_selected(project, verb, options, expected):
    assert set(run(project, verb, **options).ends) == expected


def test_threads_is_passed_on(project):
    assert "Concurrency: 3 threads" in run(project, "run", select=("stg_clicks",), threads=3).log


def test_all_nodes_of_several_threads_have_records(project):
    several = run(project, threads=4)
    assert set(several.starts) == set(several.ends) == set(run(project).ends)
    assert several.finished.success


def test_a_full_refresh_rebuilds_an_incremental_model(project):
    refreshed = run(project, "run", select=("stg_orders",), full_refresh=True)
    assert refreshed.invocation.full_refresh
    assert refreshed.ends["silver.stg_orders"].rows == 10
    assert run(project, "run", select=("stg_orders",)).ends["silver.stg_orders"].rows == 0


def test_freshness_is_a_test_of_the_source(project):
    end = run(project, "freshness").ends["crm.t_orders_v2.freshness"]
    assert (end.status, end.node.test.kind) == ("warn", "freshness")
    assert end.node.test.arguments == {"warn_after": "1 hour"}
    assert [relation.identifier for relation in end.node.inputs] == ["t_orders_v2"]


def test_an_operation_runs_a_macro_with_its_arguments(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run(project, "run-operation", operation="count_orders", operation_args={"least": 7})
    assert "there are 10 orders, at least 7 expected" in ran.log
    assert ran.finished.success
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "expected_error"),
    [
        (
            {"select": ("sliver",)},
            "dbt build found no node of shop that matches 'sliver'; the project has the layers gold, silver",
        ),
        (
            {"select": ("silver",), "exclude": ("silver",)},
            "no node of shop that matches 'silver' less 'silver'; the project has the layers gold, silver",
        ),
        (
            {"verb": "run-operation", "operation": "no_such_macro"},
            "dbt could not find a macro with the name 'no_such_macro' in any package",
        ),
        ({"target": "prod"}, "'dbt' could not find the target 'prod'|does not have a target named 'prod'"),
        ({"profile": "lakehouse"}, "Could not find profile named 'lakehouse'"),
    ],
)
def test_a_wrong_command_runs_nothing_and_has_a_one_line_error(project, options, expected_error):
    outcome = run(project, **options)
    assert outcome.ends == {}
    assert not outcome.finished.success
    assert "\n" not in outcome.finished.error
    assert any(part in outcome.finished.error for part in expected_error.split("|")), outcome.finished.error


def test_an_empty_project_succeeds(tmp_path):
    empty = run(write_project(tmp_path, {}))
    assert empty.finished.success
    assert "Nothing to do" in empty.log


@pytest.mark.parametrize(
    ("options", "expected_error"),
    [
        ({"verb": "bild"}, "dbt command 'bild' is unknown; use one of run, build, test"),
        (
            {"profiles_dir": "/nowhere"},
            "no dbt profile at /nowhere: there is no profiles.yml; set profiles_dir",
        ),
        ({"verb": "run-operation"}, "dbt run-operation needs the name of a macro; set operation='my_macro'"),
    ],
)
def test_a_wrong_command_raises_before_dbt_is_imported(project, options, expected_error):
    with pytest.raises(DbtError, match="^" + expected_error):
        command(project, **options)


def test_a_folder_without_a_project_raises(tmp_path):
    with pytest.raises(DbtError) as refused:
        command(tmp_path)
    assert str(refused.value) == (
        f"no dbt project at {tmp_path}: there is no dbt_project.yml; "
        "set project_dir to the folder that holds it"
    )


@pytest.mark.parametrize(
    ("path", "text", "expected_error"),
    [
        ("models/gold/broken.sql", "select {{ ref('no_such_model') }}", "no_such_model"),
        ("models/gold/broken.sql", "select {{ 1 + }}", "models/gold/broken.sql"),
        ("models/gold/broken.sql", "{% if true %} select 1", "models/gold/broken.sql"),
        (
            "models/gold/broken.yml",
            "models: [\n  - name: : x",
            "gold/broken.yml - Runtime Error Syntax error near line 2",
        ),
        ("dbt_project.yml", "profile: warehouse", """Required "name" field not present"""),
    ],
)
def test_a_parse_error_is_one_line_with_the_file(tmp_path, path, text, expected_error):
    project = write_project(tmp_path, {"models/gold/good.sql": "select 1 as id"})
    (project / path).write_text(text)
    parsed = run(project)
    assert parsed.finished.bad_input
    assert "\n" not in parsed.finished.error
    assert parsed.finished.error.startswith(f"dbt could not parse {project}: ")
    assert expected_error in parsed.finished.error


@pytest.mark.parametrize(
    ("text", "expected_error"),
    [
        ("name: shop\nprofile: [", "cannot be read: while parsing a flow node .* line 2, column 11"),
        ("just words", "holds no settings; it must be a mapping that begins with 'name: my_project'$"),
    ],
)
def test_a_malformed_project_file_is_named(tmp_path, text, expected_error):
    project = write_project(tmp_path, {})
    (project / "dbt_project.yml").write_text(text)
    error = run(project).finished.error
    assert re.match(f"{project}/dbt_project.yml {expected_error}", error), error


def test_a_missing_macro_fails_its_node_only(tmp_path):
    project = write_project(
        tmp_path,
        {"models/gold/good.sql": "select 1 as id", "models/gold/typo.sql": "{{ no_such_macro() }} select 1"},
    )
    parsed = run(project)
    assert parsed.statuses == {"gold.good": "success", "gold.typo": "error"}
    assert "'no_such_macro' is undefined" in parsed.ends["gold.typo"].message


def test_a_syntax_error_in_sql_fails_its_node_only(tmp_path):
    project = write_project(
        tmp_path, {"models/gold/good.sql": "select 1 as id", "models/gold/typo.sql": "selct 1"}
    )
    parsed = collect(DbtRun(command(project)))
    assert parsed.statuses == {"gold.good": "success", "gold.typo": "error"}
    assert "syntax error" in parsed.ends["gold.typo"].message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"defr": True}, "dbt_options: dbt run has no option 'defr'; did you mean 'defer'?"),
        ({"select": "gold"}, "dbt_options: 'select' is set by the operator; use its own argument"),
        ({"log-level": "debug"}, "dbt_options: 'log_level' is set by the operator; use its own argument"),
        ({"empty": "perhaps"}, "dbt_options: empty is a flag: true or false, not 'perhaps'"),
        ({"resource_types": "model"}, "dbt_options: dbt run has no option 'resource_types'; "),
    ],
)
def test_an_option_that_dbt_does_not_take_is_one_line_before_anything_runs(project, options, message):
    finished = run(project, "run", options=options).finished
    assert finished.bad_input
    assert finished.error.startswith(message)
    assert "\n" not in finished.error


def test_an_empty_run_reads_no_rows(project):
    refreshed = run(project, "run", select=("stg_orders",), full_refresh=True, options={"empty": True})
    assert refreshed.ends["silver.stg_orders"].rows == 0
    run(project, "run", select=("stg_orders",), full_refresh=True)
