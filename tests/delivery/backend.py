"""A lineage backend that a test can break: refuse, hang, answer garbage, or half of an answer."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(ThreadingHTTPServer):
    """Keeps what it was sent; `answer` says how it behaves: a status, or "hang", "garbage", "half", "cut"."""

    daemon_threads = True

    def __init__(self, port=0):
        super().__init__(("127.0.0.1", port), _Handler)
        self.received = []
        self.requests = 0
        self.headers = {}
        self.stopped = threading.Event()
        self.answer = lambda event: 201

    @property
    def target(self):
        return {"type": "http", "url": f"http://127.0.0.1:{self.server_port}", "timeout": 0.5}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests += 1
        answer = self.server.answer(event)
        if answer == "hang":
            self.server.stopped.wait(10)
        elif answer == "garbage":
            self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
        elif answer == "half":
            self.wfile.write(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nhalf of")
        elif answer != "cut":
            if answer < 300:
                self.server.received.append(event)
            self.send_response(answer)
            for name, value in self.server.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.close_connection = True

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
