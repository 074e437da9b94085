"""Events on their way: the event store, the transport that fills it, the forwarder that empties it.

- kept: `store`, on `database`, `schema`, `records`, `migrations`; `location` says where, `retention` for how
  long, `dead_runs` what never ended;
- emitted: `transport`, through `masking`;
- received: `receiver`, with `request_body`, `event_schema` and `openapi`;
- sent on: `forwarder` for one target, `service` for all; `consumer` and `turn` are a target's place in the
  store; `targets` are reached by `http_target` (`http_client`) and `kafka_target`;
- read back: `sources`, which are the store, `files` and `marquez`.

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
