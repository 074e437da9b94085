"""A Schema Registry for one machine: what producers, consumers and Kafka Connect's AvroConverter ask for.

Schemas are kept in a JSON file, because the records in a broker name them by their ids. Compatibility is not
checked.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

LARGEST = 2**20
NO_SUBJECT, NO_VERSION, NO_SCHEMA, INVALID = 40401, 40402, 40403, 42201


class Registry:
    """Subjects, their versions, and schemas by id."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        known = json.loads(file.read_text()) if file.exists() else {"schemas": [], "subjects": {}}
        self._schemas: list[dict[str, Any]] = known["schemas"]
        self._subjects: dict[str, list[int]] = known["subjects"]

    def register(self, subject: str, schema: dict[str, Any]) -> int:
        """Return the id of a schema, which becomes the newest version of a subject."""
        with self._lock:
            number = self._number(schema)
            if number is None:
                self._schemas.append(schema)
                number = len(self._schemas)
            versions = self._subjects.setdefault(subject, [])
            if number not in versions:
                versions.append(number)
            part = self._file.with_suffix(".part")
            part.write_text(json.dumps({"schemas": self._schemas, "subjects": self._subjects}))
            part.replace(self._file)
            return number

    def answer(self, path: str) -> tuple[int, Any]:
        """Return the status and the body of a GET."""
        if path == "/subjects":
            return 200, sorted(self._subjects)
        if path == "/schemas/types":
            return 200, ["AVRO", "JSON", "PROTOBUF"]
        if path == "/config" or path.startswith("/config/"):
            return 200, {"compatibilityLevel": "BACKWARD"}
        if match := re.fullmatch(r"/schemas/ids/(\d{1,9})", path):
            number = int(match[1])
            there = 0 < number <= len(self._schemas)
            return (200, self._schemas[number - 1]) if there else _error(404, NO_SCHEMA, "Schema not found")
        if match := re.fullmatch(r"/subjects/([^/]+)/versions(?:/(\d{1,9}|latest))?", path):
            return self._versions(unquote(match[1]), match[2])
        return _error(404, 404, "HTTP 404 Not Found")

    def look_up(self, subject: str, schema: dict[str, Any]) -> tuple[int, Any]:
        """Return the version of a subject that a schema is."""
        versions = self._subjects.get(subject)
        if versions is None:
            return _error(404, NO_SUBJECT, f"Subject '{subject}' not found.")
        number = self._number(schema)
        if number not in versions:
            return _error(404, NO_SCHEMA, "Schema not found")
        return 200, self._version(subject, versions.index(number) + 1)

    def _versions(self, subject: str, version: str | None) -> tuple[int, Any]:
        versions = self._subjects.get(subject)
        if versions is None:
            return _error(404, NO_SUBJECT, f"Subject '{subject}' not found.")
        if version is None:
            return 200, list(range(1, len(versions) + 1))
        place = len(versions) if version == "latest" else int(version)
        if not 0 < place <= len(versions):
            return _error(404, NO_VERSION, f"Version {version} not found.")
        return 200, self._version(subject, place)

    def _version(self, subject: str, place: int) -> dict[str, Any]:
        number = self._subjects[subject][place - 1]
        return {"subject": subject, "version": place, "id": number, **self._schemas[number - 1]}

    def _number(self, schema: dict[str, Any]) -> int | None:
        return self._schemas.index(schema) + 1 if schema in self._schemas else None


def _error(status: int, code: int, message: str) -> tuple[int, Any]:
    return status, {"error_code": code, "message": message}


def serve(file: Path, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of the registry in `file`, which serves until its `shutdown`."""
    registry = Registry(file)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            self._send(*registry.answer(urlsplit(self.path).path.rstrip("/")))

        def do_POST(self) -> None:
            match = re.fullmatch(r"/subjects/([^/]+)(/versions)?", urlsplit(self.path).path.rstrip("/"))
            length = int(self.headers.get("Content-Length") or 0)
            try:
                asked = json.loads(self.rfile.read(min(length, LARGEST)))
                text = json.dumps(json.loads(asked["schema"]))
            except (ValueError, KeyError, TypeError):
                return self._send(*_error(422, INVALID, "Invalid schema"))
            if match is None:
                return self._send(*_error(404, 404, "HTTP 404 Not Found"))
            schema = {"schema": text}
            if (asked.get("schemaType") or "AVRO") != "AVRO":
                schema["schemaType"] = asked["schemaType"]
            if asked.get("references"):
                schema["references"] = asked["references"]
            subject = unquote(match[1])
            if match[2]:
                return self._send(200, {"id": registry.register(subject, schema)})
            return self._send(*registry.look_up(subject, schema))

        def _send(self, status: int, body: Any) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve a Schema Registry on 127.0.0.1.")
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8081)
    options = parser.parse_args()
    serve(options.file, options.port)
    threading.Event().wait()


if __name__ == "__main__":
    main()
