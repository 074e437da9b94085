"""dbt profiles made from Airflow connections; no secret is ever written."""

import json
import os
from pathlib import Path

import pytest
import yaml

from airflow_lineage_provider.dbt import DbtError
from airflow_lineage_provider.utils.dbt_profile import dbt_profile

SECRET = "hunter2/with:odd@characters"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: warehouse\n")
    return str(tmp_path)


@pytest.fixture
def profile_of(project, monkeypatch):
    """Return the output of the profile that a connection makes, as dbt would read it, and its text."""

    def make(target="prod", **connection):
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        with dbt_profile("warehouse", project, target) as folder:
            file = Path(folder, "profiles.yml")
            assert file.stat().st_mode & 0o777 == 0o600
            text = file.read_text()
            profile = yaml.safe_load(text)["warehouse"]
            secrets = {k: v for k, v in os.environ.items() if k.startswith("DBT_ENV_SECRET_LINEAGE_")}
        assert not Path(folder).exists()
        assert not any(name.startswith("DBT_ENV_SECRET_LINEAGE_") for name in os.environ)
        assert profile["target"] == target
        assert SECRET not in text
        return profile["outputs"][target], secrets

    return make


def variable(field):
    return f"{{{{ env_var('DBT_ENV_SECRET_LINEAGE_{field}') }}}}"


def test_postgres(profile_of):
    output, secrets = profile_of(
        conn_type="postgres",
        host="db",
        login="etl",
        password=SECRET,
        schema="shop",
        extra={"sslmode": "require"},
    )
    assert output == {
        "type": "postgres",
        "host": "db",
        "port": 5432,
        "user": "etl",
        "dbname": "shop",
        "schema": "public",
        "sslmode": "require",
        "password": variable("PASSWORD"),
    }
    assert secrets == {"DBT_ENV_SECRET_LINEAGE_PASSWORD": SECRET}


def test_snowflake_with_a_password(profile_of):
    extra = {"account": "acme-emea", "database": "SHOP", "warehouse": "ETL", "role": "LOADER"}
    output, secrets = profile_of(
        conn_type="snowflake", login="etl", password=SECRET, schema="GOLD", extra=extra
    )
    assert output == {
        "type": "snowflake",
        **extra,
        "user": "etl",
        "schema": "GOLD",
        "password": variable("PASSWORD"),
    }
    assert secrets == {"DBT_ENV_SECRET_LINEAGE_PASSWORD": SECRET}


def test_snowflake_with_a_key(profile_of):
    extra = {"account": "acme-emea", "private_key_content": f"-----BEGIN {SECRET}-----"}
    output, secrets = profile_of(conn_type="snowflake", login="etl", password="phrase", extra=extra)
    assert output["private_key"] == variable("PRIVATE_KEY")
    assert output["private_key_passphrase"] == variable("PRIVATE_KEY_PASSPHRASE")
    assert "password" not in output
    assert secrets == {
        "DBT_ENV_SECRET_LINEAGE_PRIVATE_KEY": f"-----BEGIN {SECRET}-----",
        "DBT_ENV_SECRET_LINEAGE_PRIVATE_KEY_PASSPHRASE": "phrase",
    }


def test_duckdb(profile_of):
    output, secrets = profile_of(conn_type="duckdb", host="/data/shop.duckdb")
    assert output == {"type": "duckdb", "path": "/data/shop.duckdb", "schema": "main"}
    assert secrets == {}


def test_without_a_connection_there_is_no_profile(project):
    with dbt_profile(None, project, "prod") as folder:
        assert folder is None


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        (None, "connection 'warehouse' does not exist; add it to Airflow"),
        (
            {"conn_type": "http"},
            "connection 'warehouse' is of type 'http', for which no dbt profile",
        ),
    ],
)
def test_a_connection_that_makes_no_profile_says_so(project, monkeypatch, connection, said):
    if connection:
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    with pytest.raises(DbtError, match=said), dbt_profile("warehouse", project, None):
        pass


def test_a_project_that_names_no_profile_says_so(project, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb"}))
    Path(project, "dbt_project.yml").write_text("name: shop\n")
    with (
        pytest.raises(DbtError, match=r"dbt_project\.yml names no profile"),
        dbt_profile("warehouse", project, None),
    ):
        pass


def test_the_environment_is_as_before_after_an_error(profile_of, project, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "postgres", "password": SECRET}))
    before = dict(os.environ)
    with pytest.raises(RuntimeError), dbt_profile("warehouse", project, None):
        raise RuntimeError
    assert dict(os.environ) == before
