"""Where events go: an HTTP endpoint, or anything the OpenLineage client has a transport for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from airflow_lineage_provider.store.location import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openlineage.client.transport.transport import Transport


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a target did not take an event.

    `fault`: "event" where the target says that the event is wrong, "target" where it cannot be
    reached or has no time for us, "unknown" where its answer could mean either. `wait`: for how many
    seconds the target asks to be left alone.
    """

    said: str
    fault: Literal["event", "target", "unknown"]
    wait: float | None = None


class Target(Protocol):
    """Something that takes events; used by one thread."""

    at_once: int
    """How many events it is given at most."""

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Send events (JSON by id), each of another run; return why some were not taken. Raises nothing."""

    def close(self) -> None:
        """Free what the target holds."""


def configured_targets(transport: str) -> dict[str, dict[str, Any]]:
    """Return the targets by name, from the `forward` of an OutboxTransport's configuration (JSON).

    `forward` is one transport (then its name is its type), or several by name. Raises StoreError.
    """
    try:
        forward = json.loads(transport or "{}").get("forward", {})
    except (ValueError, AttributeError) as error:
        raise StoreError(f"The OpenLineage transport is not a JSON object: {error}") from error
    targets = {forward["type"]: forward} if isinstance(forward.get("type"), str) else forward
    for name, config in targets.items():
        if not isinstance(config, dict) or "type" not in config:
            raise StoreError(f"The target {name!r} under `forward` names no transport `type`")
    return dict(targets)


def open_target(config: Mapping[str, Any]) -> Target:
    """Return the target that an OpenLineage transport's configuration describes.

    `http` and `async_http` are sent to without the client: it parses each event again and hides
    how a request ended. Raises StoreError for a configuration that the client does not accept.
    """
    try:
        if config.get("type") in {"http", "async_http"}:
            from airflow_lineage_provider.forwarding.http_target import HttpTarget

            return HttpTarget(config)
        if config.get("type") == "kafka":
            from airflow_lineage_provider.forwarding.kafka_target import KafkaTarget

            return KafkaTarget(config)
        return ClientTarget(config)
    except (KeyError, TypeError, ValueError, RuntimeError, ImportError) as error:
        raise StoreError(f"Not an OpenLineage transport ({config.get('type')}): {error}") from error


class ClientTarget:
    """Any other transport of the OpenLineage client: a file, local or by fsspec (s3://...), console, ...

    One event at a time, as the client has it: `file` makes an object of each, or opens the file for each.
    """

    at_once = 1

    def __init__(self, config: Mapping[str, Any]) -> None:
        from openlineage.client.transport import get_default_factory

        self._kind = config["type"]
        self._transport: Transport = get_default_factory().create(dict(config))

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Emit the events through the transport; return why some were not taken."""
        return {at: failure for at, body in events.items() if (failure := self._emit(body))}

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()

    def _emit(self, body: bytes) -> Failure | None:
        try:
            self._transport.emit(json.loads(body))  # its serializer takes a dict as it is
        except Exception as error:  # noqa: BLE001 - a transport may raise anything, also around an OSError
            of_target = isinstance(error, OSError) or isinstance(error.__cause__, OSError)
            return Failure(f"{self._kind}: {error}", "target" if of_target else "unknown")
        return None
