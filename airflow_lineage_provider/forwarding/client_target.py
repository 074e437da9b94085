"""Events through any other transport of the OpenLineage client: a file, local or by fsspec, console, ..."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.forwarding.target import SLOWEST_SEND, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlineage.client.transport.transport import Transport


class ClientTarget:
    """One event a call, because the client's transports take one at a time.

    A transport has no deadline of its own and cannot be interrupted, so each call runs on a daemon thread:
    one that does not return within a minute is a failure, and nothing else is sent until it does.
    """

    max_batch = 1

    def __init__(self, config: Mapping[str, Any]) -> None:
        from openlineage.client.transport import get_default_factory

        self._kind = config["type"]
        self._transport: Transport = get_default_factory().create(dict(config))
        self._call: threading.Thread | None = None
        self._wake = threading.Event()

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Emit the events through the transport; return the failures by id."""
        return {at: failure for at, body in events.items() if (failure := self._emit(body))}

    def interrupt(self) -> None:
        """Stop waiting for a `send` that is under way in another thread."""
        self._wake.set()

    def close(self) -> None:
        """Close the transport, unless it hangs."""
        if self._call is None:
            self._transport.close()

    def _emit(self, body: bytes) -> Failure | None:
        if self._call is not None and self._call.is_alive():
            return Failure(f"{self._kind}: an earlier call still hangs", "target")
        outcome: list[Failure] = []
        self._wake.clear()
        self._call = threading.Thread(target=self._run, args=(body, outcome), daemon=True)
        self._call.start()
        self._wake.wait(SLOWEST_SEND)
        if self._call.is_alive() and not outcome:
            self._call.join(0.1)  # it may just be ending
        if self._call.is_alive():
            return Failure(f"{self._kind}: the call does not return", "target")
        self._call = None
        return outcome[0] if outcome else None

    def _run(self, body: bytes, outcome: list[Failure]) -> None:
        try:
            self._transport.emit(json.loads(body))  # the client's serializer accepts a dict
        except Exception as error:  # noqa: BLE001 - a transport may raise anything, also around an OSError
            of_target = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
            outcome.append(Failure(f"{self._kind}: {error}", "target" if of_target else "unknown"))
        finally:
            self._wake.set()
