"""The event store as a connection: its form's fields, and its Test button."""

import json

import pytest

from airflow_lineage_provider.hooks.event_store import EventStoreHook


@pytest.fixture
def connect(monkeypatch):
    def connect(**fields):
        monkeypatch.setenv("AIRFLOW_CONN_STORE", json.dumps({"conn_type": "lineage_store", **fields}))
        return EventStoreHook("store")

    return connect


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "/data/lineage.db"}, "/data/lineage.db"),
        (
            {"host": "db", "port": 5433, "login": "me", "password": "p@ss/w:rd", "schema": "lineage"},
            "postgresql://me:p%40ss%2Fw%3Ard@db:5433/lineage",
        ),
        ({"host": "db", "login": "me"}, "postgresql://me@db/"),
        ({"schema": "lineage"}, "postgresql://@/lineage"),
        (
            {"host": "db", "schema": "lineage", "extra": {"sslmode": "verify-full", "sslrootcert": None}},
            "postgresql://@db/lineage?sslmode=verify-full",
        ),
    ],
)
def test_every_field_of_the_form_is_in_the_url(connect, fields, url):
    assert connect(**fields).get_url() == url


def test_a_sqlite_file(connect, tmp_path):
    assert connect(host=f"{tmp_path}/lineage.db").test_connection() == (
        True,
        f"{tmp_path}/lineage.db accepts events",
    )


def test_a_file_that_is_no_store(connect, tmp_path):
    (tmp_path / "notes.txt").write_text("not a database, and longer than the header of one " * 40)
    worked, message = connect(host=f"{tmp_path}/notes.txt").test_connection()
    assert not worked
    assert "is not a SQLite database: name another file" in message


def postgres_fields(postgres, **other):
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "login": "PGUSER",
        "password": "PGPASSWORD",
        "schema": "PGDATABASE",
    }
    return {field: postgres[name] for field, name in names.items()} | other


def test_postgres(connect, postgres):
    worked, message = connect(**postgres_fields(postgres)).test_connection()
    assert (worked, message.partition(" accepts ")[2]) == (True, "events")
    assert postgres["PGPASSWORD"] not in message


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"password": "s3cret"}, "refuses the user or the password: check the store's URL"),
        ({"schema": "nowhere"}, "holds no lineage events: name another database"),
        ({"host": "nowhere.invalid"}, "cannot be reached: check its server and the store's URL"),
        ({"port": 1}, "cannot be reached: check its server and the store's URL"),
        ({"extra": {"sslmode": "require"}}, "server does not support SSL"),
    ],
)
def test_a_postgres_that_takes_no_events(connect, postgres, monkeypatch, wrong, said):
    monkeypatch.setattr("airflow_lineage_provider.store.store.PATIENCE", 0.1)
    worked, message = connect(**postgres_fields(postgres, **wrong)).test_connection()
    assert not worked
    assert said in message
    assert "\n" not in message
    assert "s3cret" not in message
    assert postgres["PGPASSWORD"] not in message
