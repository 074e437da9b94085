"""Make a dbt profile from an Airflow connection."""

from __future__ import annotations

import json
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import BaseHook

from airflow_lineage_provider.dbt import DbtError
from airflow_lineage_provider.dbt.profile import profile_name, temporary_profile
from airflow_lineage_provider.events.naming import snowflake_account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from airflow.sdk import Connection

Output = tuple[dict[str, Any], dict[str, Any]]
"""The fields of a dbt profile output: the plain ones, and the secret ones; both may be nested."""

DEFAULT_SCHEMA = "main"


def _postgres(conn: Connection) -> Output:
    fields = {
        "host": conn.host,
        "port": conn.port or 5432,
        "user": conn.login,
        "dbname": conn.schema,
        "schema": conn.extra_dejson.get("schema", "public"),
        "sslmode": conn.extra_dejson.get("sslmode"),
    }
    return fields, {"password": conn.password or ""}


def _snowflake(conn: Connection) -> Output:
    extra = conn.extra_dejson
    account = snowflake_account(str(extra.get("account") or conn.host or ""), private_link=True)
    if (region := extra.get("region")) and "." not in account:
        account = f"{account}.{region}"
    fields = {
        "account": account,
        "host": extra.get("host"),
        "port": extra.get("port") or conn.port,
        "protocol": extra.get("protocol"),
        "user": conn.login,
        "database": extra.get("database"),
        "schema": conn.schema or "public",
        "warehouse": extra.get("warehouse"),
        "role": extra.get("role"),
    }
    passphrase = {"private_key_passphrase": conn.password} if conn.password else {}
    if key := extra.get("private_key_content"):
        return fields, {"private_key": key, **passphrase}
    if path := extra.get("private_key_file"):
        return {**fields, "private_key_path": path}, passphrase
    return fields, {"password": conn.password or ""}


def _duckdb(conn: Connection) -> Output:
    path = conn.host or ":memory:"
    schema: dict[str, Any] = {"schema": conn.schema or DEFAULT_SCHEMA}
    if conn.password:
        return {"path": path, **schema}, {"motherduck_token": conn.password}
    # The path of a MotherDuck database can hold a token, as in md:analytics?motherduck_token=...
    return (schema, {"path": path}) if "?" in path else ({"path": path, **schema}, {})


def _bigquery(conn: Connection) -> Output:
    """Return the output of a `google_cloud_platform` connection; its schema is the dataset."""
    extra = conn.extra_dejson
    fields: dict[str, Any] = {
        "method": "oauth",
        "project": extra.get("project"),
        "dataset": conn.schema or extra.get("dataset"),
        "location": extra.get("location"),
    }
    if key_path := extra.get("key_path"):
        return {**fields, "method": "service-account", "keyfile": key_path}, {}
    if given := extra.get("keyfile_dict"):
        key = json.loads(given) if isinstance(given, str) else dict(given)
        secret = {"keyfile_json": {"private_key": key.pop("private_key", "")}}
        return {**fields, "method": "service-account-json", "keyfile_json": key}, secret
    return fields, {}


OUTPUTS: dict[str, tuple[str, Callable[[Connection], Output]]] = {
    "duckdb": ("duckdb", _duckdb),
    "google_cloud_platform": ("bigquery", _bigquery),
    "postgres": ("postgres", _postgres),
    "snowflake": ("snowflake", _snowflake),
}
"""dbt's adapter, and what makes its output, by Airflow's type of a connection."""


def dbt_profile(
    conn_id: str | None, project_dir: str, target: str | None
) -> AbstractContextManager[str | None]:
    """Yield the `profiles_dir` of a profile made from a connection; None if `conn_id` is None.

    Raises DbtError for an unknown connection, or one of a type that is not in OUTPUTS.
    """
    if conn_id is None:
        return nullcontext()
    return _from_connection(conn_id, project_dir, target or "airflow")


@contextmanager
def _from_connection(conn_id: str, project_dir: str, target: str) -> Iterator[str]:
    try:
        conn = BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        raise DbtError(
            f"connection {conn_id!r} does not exist; add it to Airflow, or set profile_conn_id to another"
        ) from None
    if conn.conn_type not in OUTPUTS:
        raise DbtError(
            f"connection {conn_id!r} is of type {conn.conn_type!r}, for which no dbt profile can be made; "
            f"use one of {', '.join(sorted(OUTPUTS))}, or a profiles.yml"
        )
    adapter, to_output = OUTPUTS[conn.conn_type]
    try:
        fields, secrets = to_output(conn)
    except (TypeError, ValueError):
        raise DbtError(f"connection {conn_id!r} has an extra that cannot be read; write it as JSON") from None
    output = {"type": adapter, **{key: value for key, value in fields.items() if value is not None}}
    with temporary_profile(profile_name(project_dir), target, output, secrets) as profiles_dir:
        yield profiles_dir
