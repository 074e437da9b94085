"""The event store: events are appended, read back, kept for a time and closed where their worker died.

`store` is built on `database`, `schema`, `records` and `migrations`; `location` says where it is. `retention`
deletes old events, `dead_runs` closes runs that never ended, `transport` is the OpenLineage transport that
appends. `sources` opens the other places that events are read from: `files` and `marquez`.

Nothing here imports SQLAlchemy or the OpenLineage client until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_lineage_provider.store.errors import EventSourceError, StoreError
    from airflow_lineage_provider.store.location import default_store_url
    from airflow_lineage_provider.store.store import EventStore

__all__ = ["EventSourceError", "EventStore", "StoreError", "default_store_url"]

_HOME = {
    "EventSourceError": "errors",
    "EventStore": "store",
    "StoreError": "errors",
    "default_store_url": "location",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
