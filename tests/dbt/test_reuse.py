"""A process parses a project once, and again only after a change."""

import gc
import os

import pytest
from dbt_projects import command, run, write_files, write_project

from airflow_lineage_provider.dbt.profile import temporary_profile
from airflow_lineage_provider.dbt.project import known_manifest

FILES = {
    "models/gold/settings.sql": """
        select '{{ var("answer", "none") }}' as answer, '{{ env_var("SHOP_COLOUR", "grey") }}' as colour
        """,
    "macros/unit.sql": "{% macro unit() %}'EUR'{% endmacro %}",
    "models/gold/prices.sql": "select {{ unit() }} as unit, code from {{ ref('codes') }}",
    "seeds/codes.csv": "code\n1\n",
}

PROFILE = """
    warehouse:
      target: dev
      outputs:
        dev:
          type: duckdb
          path: "{path}"
          schema: "{{{{ env_var('SHOP_SCHEMA', 'main') }}}}"
    """


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = write_project(tmp_path_factory.mktemp("reuse"), FILES)
    write_files(project, {"profiles.yml": PROFILE.format(path=project / "warehouse.duckdb")})
    run(project)
    return project


def is_parsed(project, **options):
    """Tell whether an invocation would reuse the parsed manifest."""
    return known_manifest(command(project, **options)) is not None


def sql(project, label="gold.settings", **options):
    return run(project, "run", select=("gold",), **options).starts[label].sql


def test_nothing_changed(project):
    assert is_parsed(project)
    assert run(project).finished.success
    assert is_parsed(project)


def test_dbts_own_output_is_no_change(tmp_path):
    project = write_project(tmp_path, {"models/gold/one.sql": "select 1 as id"}, more="target-path: build")
    run(project)
    assert (project / "build" / "compiled").is_dir()
    assert is_parsed(project)


@pytest.mark.parametrize(
    ("path", "text", "label", "expected"),
    [
        ("models/gold/prices.sql", "select {{ unit() }} as u", "gold.prices", "select 'EUR' as u"),
        ("macros/unit.sql", "{% macro unit() %}'USD'{% endmacro %}", "gold.prices", "select 'USD' as u"),
        ("models/gold/more.sql", "select 1 as more", "gold.more", "select 1 as more"),
    ],
)
def test_a_file_changed(project, path, text, label, expected):
    write_files(project, {path: text})
    assert not is_parsed(project)
    assert sql(project, label) == expected


def test_a_seeds_rows_changed(project):
    write_files(project, {"seeds/codes.csv": "code\n1\n2\n"})
    assert run(project, "seed").ends["main.codes"].rows == 2


def test_a_var_changed(project):
    assert "'none' as answer" in sql(project)
    assert "'42' as answer" in sql(project, vars={"answer": 42})
    assert "'none' as answer" in sql(project)


def test_an_environment_variable_was_set_changed_and_unset(project, monkeypatch):
    found = []
    for colour in ("red", "blue", None):
        if colour:
            monkeypatch.setenv("SHOP_COLOUR", colour)
        else:
            monkeypatch.delenv("SHOP_COLOUR")
        found.append(sql(project).split("'")[3])
    assert found == ["red", "blue", "grey"]


def test_an_environment_variable_of_the_profile_changed(project, monkeypatch):
    monkeypatch.setenv("SHOP_SCHEMA", "elsewhere")
    assert set(run(project, "seed").ends) == {"elsewhere.codes"}
    monkeypatch.delenv("SHOP_SCHEMA")
    assert set(run(project, "seed").ends) == {"main.codes"}


def test_a_profile_in_the_default_folder_changed(project, monkeypatch, tmp_path):
    profile = PROFILE.format(path=tmp_path / "other.duckdb")
    write_files(tmp_path, {"profiles.yml": profile})
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    assert set(run(project, "seed", profiles_dir=None).ends) == {"main.codes"}
    write_files(tmp_path, {"profiles.yml": profile.replace("'main'", "'moved'")})
    assert set(run(project, "seed", profiles_dir=None).ends) == {"moved.codes"}


def test_a_profile_of_a_connection_is_in_a_new_folder_each_time(project):
    output = {"type": "duckdb", "path": str(project / "warehouse.duckdb"), "schema": "main"}
    with temporary_profile("warehouse", "dev", output, {}) as folder:
        assert run(project, "seed", profiles_dir=folder).finished.success
    with temporary_profile("warehouse", "dev", output, {}) as folder:
        assert is_parsed(project, profiles_dir=folder)
    with temporary_profile("warehouse", "dev", {**output, "schema": "other"}, {}) as folder:
        assert not is_parsed(project, profiles_dir=folder)


def test_a_secret_of_a_connection_changed(project):
    output = {"type": "duckdb", "path": str(project / "warehouse.duckdb"), "schema": "main"}
    with temporary_profile("warehouse", "dev", output, {"alias": "warehouse"}) as folder:
        assert run(project, "seed", profiles_dir=folder).finished.success
        assert is_parsed(project, profiles_dir=folder)
    with temporary_profile("warehouse", "dev", output, {"alias": "changed"}) as folder:
        assert not is_parsed(project, profiles_dir=folder)


def test_the_environment_is_restored(project):
    before = dict(os.environ), gc.get_threshold()
    run(project, "seed")
    assert (dict(os.environ), gc.get_threshold()) == before
