"""Events through any other transport of the OpenLineage client: a file, local or by fsspec, console, ..."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.forwarding.target import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlineage.client.transport.transport import Transport


class ClientTarget:
    """One event a call, because the client's transports take one at a time."""

    max_batch = 1

    def __init__(self, config: Mapping[str, Any]) -> None:
        from openlineage.client.transport import get_default_factory

        self._kind = config["type"]
        self._transport: Transport = get_default_factory().create(dict(config))

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Emit the events through the transport; return the failures by id."""
        return {at: failure for at, body in events.items() if (failure := self._emit(body))}

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()

    def _emit(self, body: bytes) -> Failure | None:
        try:
            self._transport.emit(json.loads(body))  # the client's serializer accepts a dict
        except Exception as error:  # noqa: BLE001 - a transport may raise anything, also around an OSError
            of_target = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
            return Failure(f"{self._kind}: {error}", "target" if of_target else "unknown")
        return None
