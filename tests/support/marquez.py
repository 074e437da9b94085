"""Marquez as its contract has it, and no friendlier: what reads from this server reads from Marquez.

Written from Marquez 0.51.1 (commit 27a4a13): spec/openapi.yml, `OpenLineageResource` and `OpenLineageDao`.
- `after` is included, `before` is not; without them 1970 and 2030.
- Only run events are given, and `totalCount` counts the others too.
- The order is by event time to the microsecond; events of the same time come in any order.
- A time without a zone, or another direction than asc and desc, is a 400; a number that is none, a 404.
- No query takes a run. A run has the time of the first event that told of it, be it as its child.
- There are no keys; a proxy that asks for one stands before it.
"""

from __future__ import annotations

import json
import random
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Marquez:
    """A running server: what it keeps, and what it was asked."""

    url: str
    events: list[dict[str, Any]]
    queries: list[dict[str, str]] = field(default_factory=list)
    key: str = ""
    before_answer: Callable[[Marquez], None] = lambda _: None
    """Called with each query, before it is answered: events may arrive while someone reads."""

    def get(self, url: SplitResult) -> tuple[int, dict[str, Any]]:
        """Return the status and the body of an answer."""
        if url.path == "/api/v1/events/lineage":
            try:
                return 200, self._events({name: values[-1] for name, values in parse_qs(url.query).items()})
            except ValueError as error:
                return 400, {"code": 400, "message": str(error)}
            except LookupError:
                return 404, {}
        if url.path.startswith("/api/v1/jobs/runs/"):
            return self._run(url.path.rpartition("/")[2])
        if url.path == "/api/v1/lineage":
            return 400, {"errors": ["query param nodeId must not be null"]}
        return 404, {}

    def _run(self, run_id: str) -> tuple[int, dict[str, Any]]:
        for event in self.events:
            run = event.get("run", {})
            parent = run.get("facets", {}).get("parent", {}).get("run", {})
            if run_id in {run.get("runId"), parent.get("runId")}:
                return 200, {"id": run_id, "createdAt": event["eventTime"], "state": "RUNNING", "facets": {}}
        return 404, {}

    def _events(self, query: dict[str, str]) -> dict[str, Any]:
        self.queries.append(query)
        self.before_answer(self)
        after, before = (
            instant(query.get(name, default))
            for name, default in (("after", "1970-01-01T00:00:00Z"), ("before", "2030-01-01T00:00:00Z"))
        )
        direction = query.get("sortDirection", "desc").lower()
        if direction not in {"asc", "desc"}:
            raise ValueError(direction)
        found = [event for event in self.events if after <= instant(event["eventTime"]) < before]
        runs = [event for event in found if "run" in event]
        random.shuffle(runs)
        runs.sort(key=lambda event: instant(event["eventTime"]), reverse=direction == "desc")
        limit, offset = (query.get(name, default) for name, default in (("limit", "100"), ("offset", "0")))
        if not (limit.isdecimal() and offset.isdecimal()):
            raise LookupError(query)
        return {"events": runs[int(offset) :][: int(limit)], "totalCount": len(found)}


def instant(text: str) -> datetime:
    """Return a time as Postgres keeps it. Raises ValueError for one without a zone."""
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(text)
    return time.astimezone(UTC)


@contextmanager
def marquez(*events: dict[str, Any], key: str = "") -> Iterator[Marquez]:
    """Start a Marquez that keeps these events."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(*server.get(urlsplit(self.path)))

        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.events.append(event)
            self._send(201, {})

        def _send(self, status: int, body: dict[str, Any]) -> None:
            if key and self.headers.get("Authorization") != f"Bearer {key}":
                status, body = 401, {}
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        server = Marquez(f"http://127.0.0.1:{listener.server_port}", list(events), key=key)
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        listener.shutdown()
