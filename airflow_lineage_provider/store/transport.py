"""An OpenLineage transport that commits events to the event store and returns."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import attr
from openlineage.client.serde import Serde
from openlineage.client.transport.transport import Config, Transport

from airflow_lineage_provider.store.location import default_store_url
from airflow_lineage_provider.store.store import EventStore

if TYPE_CHECKING:
    from openlineage.client.client import Event


@attr.define
class OutboxConfig(Config):
    """`store`: a file's path or a database URL; without it, `default_store_url`."""

    store: str

    @classmethod
    def from_dict(cls, params: dict[str, Any]) -> OutboxConfig:
        """Read the part of `transport` in OpenLineage's configuration that is ours."""
        return cls(params.get("store") or default_store_url(os.environ))


class OutboxTransport(Transport):
    """Commits events to the local store; the forwarder sends them on.

    For Airflow's own events: `[openlineage] transport =
    {"type": "airflow_lineage_provider.OutboxTransport", "store": "/var/lib/lineage.db"}`.
    """

    kind = "outbox"
    config_class = OutboxConfig

    def __init__(self, config: OutboxConfig) -> None:
        self.store = EventStore(config.store, _airflow_redact)

    def emit(self, event: Event) -> None:
        """Commit the event, without its secrets. Raises StoreError: no event is lost without an error."""
        self.store.append(Serde.to_dict(event))

    def close(self, timeout: float = -1) -> bool:  # noqa: ARG002
        """Close the store's connections; nothing is left to send."""
        self.store.close()
        return True


def _airflow_redact(text: str) -> str:
    """Apply Airflow's secrets masker where this is a process of Airflow.

    Airflow's OpenLineage adapter masks too, but with the secrets that were known when it was created, before
    the task read its connections.
    """
    if "airflow.sdk" not in sys.modules:
        return text
    from airflow.providers.common.compat.sdk import redact

    return str(redact(text))
