"""Forwarding as a service: a thread for each target, and a page that says how they are."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.forwarding.consumer import OutboxStatus, outbox_status
from airflow_lineage_provider.forwarding.forwarder import Forwarder, RetryPolicy, Round
from airflow_lineage_provider.forwarding.targets import open_target
from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from airflow_lineage_provider.store.store import EventStore


@dataclass(slots=True)
class ForwardService:
    """Forwards one store to several targets until it is stopped.

    `report` is called from the targets' threads with the name of the target and what a round did.
    """

    store: EventStore
    targets: Mapping[str, Mapping[str, Any]]
    policy: RetryPolicy = field(default_factory=RetryPolicy)
    report: Callable[[str, Round], None] = lambda _name, _round: None
    sent: dict[str, int] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Make the store if it is new, open every target, begin. Raises StoreError where that cannot be."""
        self.store.append([])
        opened = {name: open_target(config) for name, config in self.targets.items()}
        for name, target in opened.items():
            forwarder = Forwarder(self.store, name, target, self.policy)
            self.sent[name] = 0
            thread = threading.Thread(
                target=self._forward, args=(name, forwarder), name=f"forward-{name}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """End after the events that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def alive(self) -> bool:
        """Tell whether every target's thread is at work."""
        return all(thread.is_alive() for thread in self._threads)

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

    `/health` answers 503 when a thread has died or the store cannot be read; a target that is down
    is no reason to restart the service, and is in the body.
    """

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, kind, text = _page(service, self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...  # noqa: A002

    with ThreadingHTTPServer((host, port), Page) as server:
        thread = threading.Thread(target=server.serve_forever, name="status-page", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def metrics(statuses: Sequence[OutboxStatus], sent: Mapping[str, int], now: datetime) -> str:
    """Return the state of every target in Prometheus' text format."""
    rows: dict[str, Mapping[str, float]] = {
        "lineage_outbox_pending": {status.target: status.pending for status in statuses},
        "lineage_outbox_dead_letters": {status.target: status.dead_letters for status in statuses},
        "lineage_outbox_failing": {status.target: int(bool(status.error)) for status in statuses},
        "lineage_outbox_oldest_pending_seconds": {
            status.target: _age(status.oldest_pending, now) for status in statuses
        },
        "lineage_outbox_forwarded_total": sent,
    }
    lines = []
    for name, values in rows.items():
        lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
        lines += [f'{name}{{target="{_label(target)}"}} {value}' for target, value in values.items()]
    return "\n".join(lines) + "\n"


def _page(service: ForwardService, path: str) -> tuple[int, str, str]:
    if path not in {"/health", "/metrics"}:
        return 404, "application/json", '{"error": "there are /health and /metrics"}'
    try:
        statuses = outbox_status(service.store)
    except StoreError as error:
        return 503, "application/json", json.dumps({"status": "failing", "error": str(error)})
    if path == "/metrics":
        return 200, "text/plain; version=0.0.4", metrics(statuses, service.sent, datetime.now(UTC))
    alive = service.alive()
    body = {"status": "ok" if alive else "failing", "targets": [asdict(status) for status in statuses]}
    return 200 if alive else 503, "application/json", json.dumps(body)


def _age(time: str, now: datetime) -> float:
    return max((now - datetime.fromisoformat(time)).total_seconds(), 0.0) if time else 0.0


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
