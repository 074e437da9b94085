"""Open the event store of an Airflow connection or of the option `[airflow_lineage] store`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from airflow.sdk import BaseHook

if TYPE_CHECKING:
    from airflow_lineage_provider.store.store import EventStore


class EventStoreHook(BaseHook):
    """Opens the event store.

    `conn_id` names a connection of type `lineage_store`: a Postgres database (host, port, login, password,
    schema; the fields in extra, such as `sslmode`, are passed to the driver), or a SQLite file (its path as
    host, no login and no schema). Without `conn_id` the store is that of `[airflow_lineage] store`, by
    default `lineage.db` in AIRFLOW_HOME. The connection form is declared in `get_provider_info`.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "lineage_store_default"
    conn_type = "lineage_store"
    hook_name = "Lineage event store"

    def __init__(self, conn_id: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self) -> EventStore:
        """Return the store; its tables are created with the first event."""
        from airflow_lineage_provider.store import EventStore

        return EventStore(self.get_url())

    def get_url(self) -> str:
        """Return the database URL of the store, including the password."""
        from airflow.providers.common.compat.sdk import conf

        from airflow_lineage_provider.store import default_store_url

        if self.conn_id is None:
            return conf.get("airflow_lineage", "store", fallback="") or default_store_url(os.environ)
        conn = self.get_connection(self.conn_id)
        if not conn.login and not conn.schema:
            return conn.host or default_store_url(os.environ)
        user = quote(conn.login or "", safe="")
        password = f":{quote(conn.password, safe='')}" if conn.password else ""
        port = f":{conn.port}" if conn.port else ""
        options = {key: value for key, value in conn.extra_dejson.items() if value}
        query = f"?{urlencode(options)}" if options else ""
        return f"postgresql://{user}{password}@{conn.host or ''}{port}/{conn.schema or ''}{query}"

    def test_connection(self) -> tuple[bool, str]:
        """Return whether events can be written, and a message that says what to do if not."""
        from airflow_lineage_provider.store import StoreError

        store = self.get_conn()
        try:
            store.append([])
        except StoreError as error:
            return False, str(error)
        finally:
            store.close()
        return True, f"{store} accepts events"
