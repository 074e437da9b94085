"""dbt profiles made from Airflow connections; no secret is ever written."""

import fcntl
import json
import os
import re
import tempfile
from pathlib import Path

import pytest
import yaml

from airflow_lineage_provider.dbt import DbtError
from airflow_lineage_provider.dbt.credentials import target_credentials
from airflow_lineage_provider.dbt.profile import FOLDER_PREFIX, PREFIX, SECRET_PREFIX
from airflow_lineage_provider.utils.dbt_profile import dbt_profile

SECRET = "hunter2/with:odd@characters"


@pytest.fixture
def project(tmp_path):
    (tmp_path / "dbt_project.yml").write_text("name: shop\nprofile: warehouse\n")
    return str(tmp_path)


def resolved(value):
    """Return a profile's value with the texts that its variables hold now."""
    if isinstance(value, dict):
        return {key: resolved(inner) for key, inner in value.items()}
    found = re.fullmatch(r"\{\{ env_var\('(\w+)'\) \}\}", value) if isinstance(value, str) else None
    return os.environ[found[1]] if found else value


@pytest.fixture
def profile_of(project, monkeypatch):
    """Return the output of the profile that a connection makes, and the variables that are secret."""

    def make(target="prod", **connection):
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
        with dbt_profile("warehouse", project, target) as folder:
            file = Path(folder, "profiles.yml")
            assert file.stat().st_mode & 0o777 == 0o600
            text = file.read_text()
            profile = yaml.safe_load(text)["warehouse"]
            output = resolved(profile["outputs"][target])
            secrets = {
                k.removeprefix(SECRET_PREFIX): v for k, v in os.environ.items() if k.startswith(SECRET_PREFIX)
            }
        assert not Path(folder).exists()
        assert not any(name.startswith((SECRET_PREFIX, PREFIX)) for name in os.environ)
        assert profile["target"] == target
        assert SECRET not in text
        return output, secrets

    return make


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
        "password": SECRET,
    }
    assert secrets == {"PASSWORD": SECRET}


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
        "password": SECRET,
    }
    assert secrets == {"PASSWORD": SECRET}


def test_snowflake_with_a_key(profile_of):
    extra = {"account": "acme-emea", "private_key_content": f"-----BEGIN {SECRET}-----"}
    output, secrets = profile_of(conn_type="snowflake", login="etl", password="phrase", extra=extra)
    assert "password" not in output
    assert {key: output[key.lower()] for key in secrets} == secrets
    assert secrets == {
        "PRIVATE_KEY": f"-----BEGIN {SECRET}-----",
        "PRIVATE_KEY_PASSPHRASE": "phrase",
    }


def test_snowflake_with_a_key_in_a_file(profile_of):
    extra = {"account": "acme-emea", "private_key_file": "/keys/etl.p8"}
    output, secrets = profile_of(conn_type="snowflake", login="etl", password="phrase", extra=extra)
    assert output["private_key_path"] == "/keys/etl.p8"
    assert "password" not in output
    assert secrets == {"PRIVATE_KEY_PASSPHRASE": "phrase"}


@pytest.mark.parametrize(
    ("given", "account"),
    [
        ({"extra": {"account": "acme-emea"}}, "acme-emea"),
        ({"extra": {"account": "xy12345", "region": "eu-central-1"}}, "xy12345.eu-central-1"),
        ({"extra": {"account": "xy12345.eu-central-1", "region": "eu-central-1"}}, "xy12345.eu-central-1"),
        ({"extra": {"account": "xy12345.east-us-2.azure"}}, "xy12345.east-us-2.azure"),
        ({"extra": {"account": "acme-emea.privatelink"}}, "acme-emea.privatelink"),
        ({"host": "acme-emea.snowflakecomputing.com"}, "acme-emea"),
        (
            {"host": "https://xy12345.eu-central-1.privatelink.snowflakecomputing.com"},
            "xy12345.eu-central-1.privatelink",
        ),
    ],
)
def test_every_form_of_a_snowflake_account_connects(profile_of, given, account):
    assert profile_of(conn_type="snowflake", login="etl", password=SECRET, **given)[0]["account"] == account


def test_snowflake_at_a_host_of_its_own(profile_of):
    extra = {"account": "acme-emea", "host": "127.0.0.1", "port": 8084, "protocol": "http"}
    output, _ = profile_of(conn_type="snowflake", login="etl", password=SECRET, extra=extra)
    assert {name: output[name] for name in extra} == extra


def test_duckdb(profile_of):
    output, secrets = profile_of(conn_type="duckdb", host="/data/shop.duckdb")
    assert output == {"type": "duckdb", "path": "/data/shop.duckdb", "schema": "main"}
    assert secrets == {}


@pytest.mark.parametrize(
    "connection",
    [
        {"host": f"md:analytics?motherduck_token={SECRET}"},
        {"host": "md:analytics", "password": SECRET},
    ],
)
def test_a_motherduck_token_is_secret_wherever_it_stands(profile_of, connection):
    _, secrets = profile_of(conn_type="duckdb", **connection)
    assert any(SECRET in value for value in secrets.values())


KEY = {"type": "service_account", "project_id": "acme", "private_key": SECRET, "client_email": "etl@acme"}


@pytest.mark.parametrize("given", [KEY, json.dumps(KEY)])
def test_bigquery_with_a_key(profile_of, given):
    extra = {"project": "acme", "keyfile_dict": given, "location": "EU"}
    output, secrets = profile_of(conn_type="google_cloud_platform", schema="gold", extra=extra)
    assert output == {
        "type": "bigquery",
        "method": "service-account-json",
        "project": "acme",
        "dataset": "gold",
        "location": "EU",
        "keyfile_json": KEY,
    }
    assert secrets == {"KEYFILE_JSON_PRIVATE_KEY": SECRET}


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"key_path": "/keys/etl.json"}, {"method": "service-account", "keyfile": "/keys/etl.json"}),
        ({}, {"method": "oauth"}),
    ],
)
def test_bigquery_without_a_key_in_the_connection(profile_of, extra, expected):
    output, secrets = profile_of(conn_type="google_cloud_platform", schema="gold", extra=extra)
    assert output == {"type": "bigquery", "dataset": "gold", **expected}
    assert secrets == {}


def test_an_extra_that_is_no_json_says_so(profile_of):
    with pytest.raises(DbtError, match="connection 'warehouse' has an extra that cannot be read"):
        profile_of(conn_type="google_cloud_platform", extra={"keyfile_dict": "{"})


@pytest.mark.parametrize(
    "text", ["{{ env_var('AIRFLOW__CORE__FERNET_KEY') }}", "{% raw %}x", "{{ 7 * 7 }}", "{# note", "a: 'b'"]
)
def test_dbt_renders_no_jinja_of_a_connection(project, monkeypatch, text):
    monkeypatch.setenv("AIRFLOW__CORE__FERNET_KEY", SECRET)
    connection = {"conn_type": "duckdb", "host": f"/data/{text}.duckdb", "schema": text}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(connection))
    with dbt_profile("warehouse", project, "prod") as folder:
        credentials = target_credentials(project, folder, None)
    assert (credentials.path, credentials.schema) == (connection["host"], text)


def test_the_folder_of_a_killed_process_is_removed_at_the_next_start(project, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "duckdb"}))
    folders = {name: tmp_path / f"{FOLDER_PREFIX}{name}" for name in ("dead", "in-use", "new")}
    for folder in folders.values():
        folder.mkdir()
    for name in ("dead", "in-use"):
        os.utime(folders[name], (0, 0))
    descriptor = os.open(folders["in-use"], os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with dbt_profile("warehouse", project, "prod"):
        pass
    os.close(descriptor)
    assert set(tmp_path.glob(f"{FOLDER_PREFIX}*")) == {folders["in-use"], folders["new"]}


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
