"""The event store as an Airflow connection, or as the `[airflow_lineage] store` option has it."""

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
    schema; what is in extra, such as `sslmode`, goes to the driver), or a SQLite file (its path as host, and
    no login or schema). Without one, `[airflow_lineage] store` counts,
    and without that `lineage.db` in AIRFLOW_HOME. What the connection's form shows stands in
    `get_provider_info`.
    """

    conn_name_attr = "conn_id"
    default_conn_name = "lineage_store_default"
    conn_type = "lineage_store"
    hook_name = "Lineage event store"

    def __init__(self, conn_id: str | None = None) -> None:
        super().__init__()
        self.conn_id = conn_id

    def get_conn(self) -> EventStore:
        """Return the store; its tables are made when the first event comes."""
        from airflow_lineage_provider.store import EventStore

        return EventStore(self.get_url())

    def get_url(self) -> str:
        """Return the store's database URL, with its password."""
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
        given = {key: value for key, value in conn.extra_dejson.items() if value}
        query = f"?{urlencode(given)}" if given else ""
        return f"postgresql://{user}{password}@{conn.host or ''}{port}/{conn.schema or ''}{query}"

    def test_connection(self) -> tuple[bool, str]:
        """Return whether events can be written, and what to do where they cannot."""
        from airflow_lineage_provider.store import StoreError

        store = self.get_conn()
        try:
            store.append([])
        except StoreError as error:
            return False, str(error)
        finally:
            store.close()
        return True, f"{store} takes events"
