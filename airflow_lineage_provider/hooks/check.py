"""Test this package's connections in Airflow: `python -m` this module prints a JSON object for each.

A process of its own, because the command line does not import Airflow.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.hooks.kafka_connect import KafkaConnectHook
from airflow_lineage_provider.hooks.openlineage import DataHubHook, OpenLineageHook
from airflow_lineage_provider.hooks.schema_registry import SchemaRegistryHook

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HOOKS = (EventStoreHook, OpenLineageHook, DataHubHook, KafkaConnectHook, SchemaRegistryHook)
_PREFIX = "AIRFLOW_CONN_"


def checked_connections(environ: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the id of each connection of one of this package's types, whether it works, and a message.

    Connections in Airflow's database and in environment variables are found; those of other secrets backends
    cannot be listed.
    """
    from airflow.sdk import BaseHook

    hooks = {hook.conn_type: hook for hook in _HOOKS}
    for conn_id in sorted({*_in_environment(environ), *_in_database()}):
        conn_type = BaseHook.get_connection(conn_id).conn_type
        if conn_type in hooks:
            yield {"conn_id": conn_id, **_tested(hooks[conn_type], conn_id)}


def _tested(hook: Any, conn_id: str) -> dict[str, Any]:
    try:
        ok, message = hook(conn_id).test_connection()
    except LineageError as error:
        ok, message = False, str(error)
    except Exception as error:  # noqa: BLE001 - its text could have a secret
        ok, message = False, f"its test raises {type(error).__name__}: check its fields"
    return {"ok": bool(ok), "message": str(message)}


def _in_environment(environ: Mapping[str, str]) -> Iterator[str]:
    return (name.removeprefix(_PREFIX).lower() for name in environ if name.startswith(_PREFIX))


def _in_database() -> list[str]:
    """Return the ids in Airflow's database; none where there is no database yet."""
    from airflow.models import Connection
    from airflow.utils.session import create_session
    from sqlalchemy import select
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_session() as session:
            return list(session.scalars(select(Connection.conn_id)))  # noqa: AIR311 - the table
    except SQLAlchemyError:
        return []


if __name__ == "__main__":
    for one in checked_connections(os.environ):
        print(json.dumps(one), flush=True)  # noqa: T201 - what the calling process reads
