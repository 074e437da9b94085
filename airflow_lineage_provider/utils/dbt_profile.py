"""Make a dbt profile from an Airflow connection."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.sdk import BaseHook

from airflow_lineage_provider.dbt import DbtError
from airflow_lineage_provider.dbt.profile import profile_name, temporary_profile
from airflow_lineage_provider.utils.dbt_outputs import DECLARATIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def dbt_profile(
    conn_id: str | None, project_dir: str, target: str | None
) -> AbstractContextManager[str | None]:
    """Yield the `profiles_dir` of a profile made from a connection; None if `conn_id` is None.

    Raises DbtError for an unknown connection, or one of a type that is not in DECLARATIONS.
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
    if conn.conn_type not in DECLARATIONS:
        raise DbtError(
            f"connection {conn_id!r} is of type {conn.conn_type!r}, for which no dbt profile can be made; "
            f"use one of {', '.join(sorted(DECLARATIONS))}, or a profiles.yml"
        )
    declaration = DECLARATIONS[conn.conn_type]
    try:
        fields, secrets = declaration.output(conn)
    except (TypeError, ValueError):
        raise DbtError(f"connection {conn_id!r} has an extra that cannot be read; write it as JSON") from None
    output = {"type": declaration.adapter, **fields}
    with temporary_profile(profile_name(project_dir), target, output, secrets) as profiles_dir:
        yield profiles_dir
