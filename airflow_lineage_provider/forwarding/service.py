"""Forwarding as a service: a thread for each target, and HTTP pages with their status."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.forwarding.consumer import OutboxStatus, outbox_status
from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy, Round
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from prometheus_client import Metric
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from airflow_lineage_provider.store.store import EventStore

_GRACE = 5.0  # seconds for the events that are under way when the service is stopped


@dataclass(slots=True)
class ForwardService:
    """Forwards one store to several targets until it is stopped.

    `report` is called from the targets' threads with the name of the target and the result of a round.
    """

    store: EventStore
    targets: Mapping[str, Mapping[str, Any]]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    report: Callable[[str, Round], None] = lambda _name, _round: None
    sent: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[tuple[threading.Thread, Forwarder]] = field(default_factory=list)

    def start(self) -> None:
        """Create the store if it is new, open every target, begin. Raises StoreError, TargetConfigError."""
        self.store.append([])
        opened = {name: open_target(config) for name, config in self.targets.items()}
        for name, target in opened.items():
            forwarder = Forwarder(self.store, name, target, self.policy)
            self.sent[name] = 0
            thread = threading.Thread(
                target=self._forward, args=(name, forwarder), name=f"forward-{name}", daemon=True
            )
            thread.start()
            self._threads.append((thread, forwarder))

    def stop(self, grace: float = _GRACE) -> None:
        """Wait for the events that are under way, then interrupt the targets, and return in any case."""
        self._stop.set()
        self._join(grace)
        for thread, forwarder in self._threads:
            if thread.is_alive():
                forwarder.interrupt()
        self._join(grace)

    def alive(self) -> bool:
        """Return whether every target's thread runs."""
        return all(thread.is_alive() for thread, _ in self._threads)

    def _join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread, _ in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))

    def _forward(self, name: str, forwarder: Forwarder) -> None:
        def count(done: Round) -> None:
            self.sent[name] += done.sent
            self.report(name, done)

        try:
            forwarder.run(self._stop, count)
        finally:
            forwarder.close()


@contextmanager
def status_page(service: ForwardService, host: str, port: int) -> Iterator[int]:
    """Serve `/health` (JSON) and `/metrics` (Prometheus) until the end of the block; yields the port.

    `/health` answers 503 when a thread has died or the store cannot be read. A target that is down is in the
    body only, because a restart of the service would not help. Raises InputError for an unusable address.
    """
    import uvicorn

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InputError(f"cannot serve the status at {host}:{port}: {error}") from None
    with listening:
        server = uvicorn.Server(uvicorn.Config(status_app(service), log_level="error", access_log=False))
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="status-page", daemon=True
        )
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(_GRACE)


def status_app(service: ForwardService) -> Starlette:
    """Return the ASGI application of the status page."""
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse, PlainTextResponse
    from starlette.routing import Route

    def failing(error: StoreError) -> Response:
        return JSONResponse({"status": "failing", "error": str(error)}, 503)

    def health(_: Request) -> Response:
        try:
            targets = [asdict(status) for status in outbox_status(service.store)]
        except StoreError as error:
            return failing(error)
        alive = service.alive()
        return JSONResponse(
            {"status": "ok" if alive else "failing", "targets": targets}, 200 if alive else 503
        )

    def prometheus(_: Request) -> Response:
        try:
            text = metrics(outbox_status(service.store), service.sent, datetime.now(UTC))
        except StoreError as error:
            return failing(error)
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    return Starlette(routes=[Route("/health", health), Route("/metrics", prometheus)])


def metrics(statuses: Sequence[OutboxStatus], sent: Mapping[str, int], now: datetime) -> str:
    """Return the status of every target in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(lambda: _families(statuses, sent, now)))
    return generate_latest(registry).decode()


@dataclass(frozen=True, slots=True)
class _Collector:
    """What prometheus_client calls to collect metrics."""

    collect: Callable[[], Iterable[Metric]]


def _families(statuses: Sequence[OutboxStatus], sent: Mapping[str, int], now: datetime) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    gauges: dict[str, tuple[str, Callable[[OutboxStatus], float]]] = {
        "pending": ("Events that the target has not received.", lambda status: status.pending),
        "dead_letters": ("Events that the target rejected.", lambda status: status.dead_letters),
        "failing": ("Whether the target's last response was an error.", lambda status: bool(status.error)),
        "oldest_pending_seconds": (
            "Age of the oldest pending event.",
            lambda status: _age(status.oldest_pending, now),
        ),
    }
    for name, (documentation, value) in gauges.items():
        gauge = GaugeMetricFamily(f"lineage_outbox_{name}", documentation, labels=["target"])
        for status in statuses:
            gauge.add_metric([status.target], value(status))
        yield gauge
    counter = CounterMetricFamily(
        "lineage_outbox_forwarded", "Events sent by this process.", labels=["target"]
    )
    for target, count in sent.items():
        counter.add_metric([target], count)
    yield counter


def _age(since: str, now: datetime) -> float:
    return max((now - datetime.fromisoformat(since)).total_seconds(), 0.0) if since else 0.0
