"""An OpenLineage transport that commits events to the event store and returns."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import attr
from openlineage.client.serde import Serde
from openlineage.client.transport.transport import Config, Transport

from airflow_lineage_provider.events.masking import mask_event
from airflow_lineage_provider.store.location import default_store_url
from airflow_lineage_provider.store.store import EventStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from openlineage.client.client import Event


@attr.define
class OutboxConfig(Config):
    """`store`: a file's path or a database URL; `default_store_url` says what is meant without one."""

    store: str

    @classmethod
    def from_dict(cls, params: dict[str, Any]) -> OutboxConfig:
        """Read the part of `transport` in OpenLineage's configuration that is ours."""
        return cls(params.get("store") or default_store_url(os.environ))


class OutboxTransport(Transport):
    """Keeps events safe on this side of the network; the forwarder takes them on.

    For Airflow's own events: `[openlineage] transport =
    {"type": "airflow_lineage_provider.OutboxTransport", "store": "/var/lib/lineage.db"}`.
    """

    kind = "outbox"
    config_class = OutboxConfig

    def __init__(self, config: OutboxConfig) -> None:
        self.store = EventStore(config.store)

    def emit(self, event: Event) -> None:
        """Commit the event, without its secrets. Raises StoreError: nothing is lost silently."""
        self.store.append(mask_event(Serde.to_dict(event), _airflow_redact()))

    def close(self, timeout: float = -1) -> bool:  # noqa: ARG002
        """Close the store's connections; there is never anything left to send."""
        self.store.close()
        return True


def _airflow_redact() -> Callable[[str], str] | None:
    """Return Airflow's secrets masker where this process is Airflow's.

    Airflow's OpenLineage adapter masks too, but with the secrets that were known when it was made: before
    the task read its connections.
    """
    if "airflow.sdk" not in sys.modules:
        return None
    from airflow.providers.common.compat.sdk import redact

    return lambda text: str(redact(text))
