"""Each option that the documentation of `DbtLayerOperator` names, with real dbt."""

import duckdb
import pytest
from dbt_projects import run, write_files, write_project

FILES = {
    "selectors.yml": """
        selectors:
          - name: nightly
            definition: {method: tag, value: nightly}
          - name: weekly
            definition: {method: tag, value: weekly}
        """,
    "seeds/codes.csv": "code\nde\nfr\n",
    "models/silver/clicks.sql": """
        {{ config(materialized='table', event_time='happened_at', tags=['nightly']) }}
        select range as id, timestamp '2026-01-01' + to_hours(range::int * 12) as happened_at from range(10)
        """,
    "models/gold/daily.sql": """
        {{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened_at',
                  batch_size='day', begin='2026-01-01') }}
        select id, happened_at from {{ ref('clicks') }}
        """,
    "models/gold/recent.sql": "{{ config(materialized='table') }} select * from {{ ref('clicks') }}",
    "models/gold/wrong.sql": "{{ config(materialized='table') }} select no_such from {{ ref('clicks') }}",
    "models/gold/later.sql": "{{ config(materialized='table') }} select 1 as id from {{ ref('recent') }}",
    "models/gold/gold.yml": """
        models:
          - name: recent
            columns:
              - name: id
                data_tests:
                  - unique
                  - relationships: {arguments: {to: ref('later'), field: id}}
                  - accepted_values: {arguments: {values: [1]}, config: {severity: warn}}
        """,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = write_project(tmp_path_factory.mktemp("options"), FILES)
    run(project, exclude=("wrong", "daily"))
    return project


def rows(project, table):
    with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(f"select count(*) from {table}").fetchone()[0]


def test_a_selector_of_selectors_yml(project):
    assert set(run(project, options={"selector": "nightly"}).ends) == {"silver.clicks"}


def test_a_selector_that_selects_nothing_is_an_error_that_names_it(project):
    finished = run(project, options={"selector": "weekly"}).finished
    assert finished.error.startswith("dbt build found no node of shop that matches the selector 'weekly'")
    assert run(project, options={"selector": "weekly"}, allows_empty=True).finished.success


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (
            "eager",
            {"unique_recent_id", "relationships_recent_id__id__ref_later_", "accepted_values_recent_id__1"},
        ),
        ("cautious", {"unique_recent_id", "accepted_values_recent_id__1"}),
        ("empty", set()),
    ],
)
def test_indirect_selection(project, mode, expected):
    options = {"indirect_selection": mode}
    tested = run(project, "test", select=("recent",), options=options, allows_empty=True)
    assert {end.node.name for end in tested.ends.values()} == expected


def test_resource_types_to_run_and_to_leave_out(project):
    assert set(run(project, options={"resource_types": ["seed"]}).ends) == {"main.codes"}
    without = run(project, select=("recent",), options={"exclude_resource_types": ["test", "unit_test"]})
    assert set(without.ends) == {"gold.recent"}


def test_an_empty_run_makes_tables_without_rows(project):
    assert run(project, "run", select=("recent",), options={"empty": True}).finished.success
    assert rows(project, "gold.recent") == 0
    run(project, "run", select=("recent",))


@pytest.mark.parametrize("window", [{"start": "2026-01-02", "end": "2026-01-04"}, "3650 days"])
def test_a_sample_reads_the_rows_of_a_time_window(project, window):
    ran = run(project, "run", select=("recent",), options={"sample": window})
    assert ran.finished.success, ran.log
    assert rows(project, "gold.recent") == (4 if isinstance(window, dict) else 10)
    run(project, "run", select=("recent",))


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-01-02", "2026-01-04"),
        ("2026-01-02 00:00:00+00:00", "2026-01-04T00:00:00Z"),
        ("2026-01-02T01:00:00+01:00", "2026-01-03T19:00:00.000000-05:00"),
    ],
)
def test_the_batches_between_two_times_with_a_zone_or_without(project, start, end):
    options = {"event_time_start": start, "event_time_end": end}
    ran = run(project, "run", select=("daily",), full_refresh=True, options=options)
    assert ran.finished.success, ran.log
    with duckdb.connect(str(project / "warehouse.duckdb"), read_only=True) as warehouse:
        days = warehouse.execute(
            "select distinct strftime(happened_at, '%d') from gold.daily order by 1"
        ).fetchall()
    assert days == [("02",), ("03",)]


def test_fail_fast_skips_what_has_not_begun(project):
    ran = run(project, "run", select=("wrong", "recent", "later"), options={"fail_fast": True})
    assert not ran.finished.success
    assert ran.statuses["gold.wrong"] == "error"
    assert set(ran.starts) == set(ran.ends)


def test_warn_error_makes_a_warning_an_error(project):
    select = ("recent,test_name:accepted_values",)
    assert run(project, "test", select=select).finished.success
    failed = run(project, "test", select=select, options={"warn_error": True})
    assert not failed.finished.success
    assert failed.ends["gold.accepted_values_recent_id__1"].failed
    options = {"warn_error_options": {"error": ["LogTestResult"]}}
    assert not run(project, "test", select=select, options=options).finished.success


def test_store_failures_of_all_tests(project):
    select = ("recent,test_name:accepted_values",)
    end = run(project, "test", select=select, options={"store_failures": True}).ends
    relation = end["gold.accepted_values_recent_id__1"].node.relation
    assert relation.schema.endswith("dbt_test__audit")
    assert rows(project, f"{relation.schema}.{relation.identifier}") == 9


@pytest.mark.parametrize(
    ("verb", "options", "message"),
    [
        (
            "run",
            {"event_time_start": "yesterday"},
            "dbt_options: event_time_start is a time such as 2026-01-31T",
        ),
        ("run", {"event_time_start": "2026-01-02"}, "dbt run: "),
        ("run", {"indirect_selection": "careless"}, "dbt run: "),
        ("run", {"sample": "some"}, "dbt run: "),
    ],
)
def test_a_wrong_value_is_one_line_and_a_retry_cannot_help(project, verb, options, message):
    outcome = run(project, verb, options=options)
    assert outcome.finished.error.startswith(message), outcome.finished.error
    assert outcome.finished.bad_input
    assert "\n" not in outcome.finished.error
    assert outcome.ends == {}


@pytest.mark.parametrize("verb", ["compile", "docs"])
def test_a_command_that_runs_nothing_has_no_lineage(project, verb):
    kept = project / verb
    options = {
        "select": ("gold",),
        "exclude": ("wrong",),
        "artifacts_dir": str(kept),
        "writes_manifest": True,
    }
    outcome = run(project, verb, **options)
    assert outcome.finished.success
    assert outcome.finished.selected
    assert outcome.starts == outcome.ends == {}
    results = {"catalog.json", "index.html"} if verb == "docs" else {"run_results.json"}
    assert {file.name for file in kept.iterdir()} == {"manifest.json", *results}


def test_a_node_that_does_not_compile_fails_the_command(tmp_path):
    broken = write_project(tmp_path, {"models/gold/typo.sql": "{{ no_such_macro() }} select 1"})
    finished = run(broken, "compile").finished
    assert not finished.success
    assert "'no_such_macro' is undefined" in finished.error


def test_a_clone_is_lineage_from_the_relation_in_the_state(tmp_path):
    project = write_project(tmp_path, {"models/gold/sites.sql": FILES["models/silver/clicks.sql"]})
    write_files(
        project,
        {
            "profiles.yml": f"""
                warehouse:
                  target: dev
                  outputs:
                    dev:
                      type: duckdb
                      path: "{tmp_path}/dev.duckdb"
                      attach: [{{path: "{tmp_path}/prod.duckdb", alias: prod}}]
                    prod: {{type: duckdb, path: "{tmp_path}/prod.duckdb"}}
                """
        },
    )
    state = str(tmp_path / "state")
    assert run(project, target="prod", artifacts_dir=state, writes_manifest=True).finished.success
    cloned = run(project, "clone", options={"state": state})
    assert cloned.finished.success, cloned.finished.error
    end = cloned.ends["gold.sites"]
    assert (end.node.relation.database, end.status) == ("dev", "success")
    assert [(table.database, table.identifier) for table in end.node.inputs] == [("prod", "sites")]
    assert [column.name for column in end.node.inputs[0].columns] == ["id", "happened_at"]
    again = run(project, "clone", options={"state": state}).ends["gold.sites"]
    assert (again.status, again.message) == (
        "skipped",
        "not cloned: the relation is there already, or is not in the state",
    )


def test_packages_are_installed_before_the_first_run_and_after_a_change(tmp_path):
    package = {"dbt_project.yml": "name: shared\nprofile: warehouse\n", "models/shared.sql": "select 1 as id"}
    write_files(tmp_path / "shared", package)
    write_files(tmp_path / "other", {**package, "dbt_project.yml": "name: other\nprofile: warehouse\n"})
    (tmp_path / "other" / "models" / "shared.sql").rename(tmp_path / "other" / "models" / "other.sql")
    project = write_project(tmp_path / "shop", {"packages.yml": "packages: [{local: ../shared}]\n"})
    assert "dbt deps" in run(project).finished.error
    assert run(project, install_deps=True).statuses == {"main.shared": "success"}
    assert "Installing" not in run(project, install_deps=True).log
    write_files(project, {"packages.yml": "packages: [{local: ../shared}, {local: ../other}]\n"})
    installed = run(project, install_deps=True)
    assert set(installed.ends) == {"main.shared", "main.other"}
    assert "Installing" in installed.log
    write_files(project, {"packages.yml": "packages: [{local: ../none_such}]\n"})
    assert run(project, install_deps=True).finished.error.startswith(
        "dbt deps cannot install the packages of "
    )
