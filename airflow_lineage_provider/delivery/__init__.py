"""Events on their way: the event store, the transport that fills it, the forwarder that empties it.

Nothing here imports SQLAlchemy or the OpenLineage client until a name is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_lineage_provider.delivery.location import StoreError, default_store_url
    from airflow_lineage_provider.delivery.store import EventStore
    from airflow_lineage_provider.delivery.transport import OutboxTransport

__all__ = ["EventStore", "OutboxTransport", "StoreError", "default_store_url"]

_HOME = {
    "EventStore": "store",
    "OutboxTransport": "transport",
    "StoreError": "location",
    "default_store_url": "location",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
