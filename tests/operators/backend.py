"""An HTTP lineage backend that records accepted events and rejects those of given runs."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Backend(NamedTuple):
    port: int
    taken: list[dict[str, Any]]


@contextmanager
def backend(*refused: str) -> Iterator[Backend]:
    """Start a backend that answers 422 to every event of the rejected runs."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            welcome = event["run"]["runId"] not in refused
            if welcome:
                taken.append(event)
            self.send_response(201 if welcome else 422)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Backend(server.server_port, taken)
        server.shutdown()
