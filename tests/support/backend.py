"""A lineage backend that a test can break: refuse, hang, answer garbage, or half of an answer."""

import gzip
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(ThreadingHTTPServer):
    """Keeps what it was sent; `answer` says how it behaves: a status, or "hang", "garbage", "half", "cut",
    "close" (the connection, after it has taken the event).

    `batches` is how it takes a list at `/batch`: not at all (404), "each" event by itself with a report
    of those that it refused, or as a "whole" that is refused for one event; bytes are what it reports.
    """

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.received = []
        self.requests = 0
        self.batches = None
        self.paths = []
        self.sent_headers = []
        self.connections = self.closed = 0
        self.body = b""
        self.headers = {}
        self.stopped = threading.Event()
        self.answer = lambda event: 201

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.closed += 1

    def handle_error(self, *args): ...

    @property
    def target(self):
        return {"type": "http", "url": f"http://127.0.0.1:{self.server_port}", "timeout": 0.5}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        self.server.requests += 1
        self.server.sent_headers.append(self.headers)
        self.server.paths.append(self.path)
        if self.path.endswith("/batch"):
            self._take_batch(body)
        else:
            self._take(body)

    def _take(self, event):
        answer = self.server.answer(event)
        if answer == "hang":
            self.server.stopped.wait(10)
        elif answer == "garbage":
            self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
        elif answer == "half":
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf of")
        elif answer != "cut":
            taken = answer == "close" or answer < 300
            if taken:
                self.server.received.append(event)
            self._answer(201 if answer == "close" else answer, self.server.body)
            if answer != "close":
                return
        self.close_connection = True

    def _take_batch(self, events):
        """Answer as https://openlineage.io/apidocs/openapi has it for `/lineage/batch`."""
        answers = [self.server.answer(event) for event in events]
        refused = [n for n, answer in enumerate(answers) if answer >= 300]
        down = next((answer for answer in answers if answer in {429, 503}), None)
        if self.server.batches is None:
            self._answer(404)
        elif isinstance(self.server.batches, bytes):
            self._answer(200, self.server.batches)
        elif down or (refused and self.server.batches == "whole"):
            self._answer(down or answers[refused[0]])
        else:
            self.server.received += [event for n, event in enumerate(events) if n not in refused]
            summary = {
                "received": len(events),
                "successful": len(events) - len(refused),
                "failed": len(refused),
            }
            told = [{"index": n, "reason": f"says {answers[n]}", "retriable": False} for n in refused]
            report = {"status": "partial_success", "summary": summary, "failed_events": told}
            self._answer(200, json.dumps(report).encode()) if refused else self._answer(204)

    def _answer(self, status, body=b""):
        self.send_response(status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args): ...


@contextmanager
def running_backend(port=0):
    """Run a backend until the end of the block."""
    with Backend(port) as backend:
        thread = threading.Thread(target=backend.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield backend
        finally:
            backend.stopped.set()
            backend.shutdown()
            thread.join()
