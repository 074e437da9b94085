"""A schema registry with the part of Confluent's API that clients read and register by.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"


class Registry:
    """The schemas, by id, and the ids of each subject's versions."""

    def __init__(self):
        self.schemas = {}
        self.subjects = {}
        self.exchanges = []
        self._lock = threading.Lock()

    def register(self, subject, schema, kind="AVRO", references=()):
        """Add a version; the same schema again is the same version. Returns the schema's id."""
        text = schema if isinstance(schema, str) else json.dumps(schema)
        entry = (kind, text, json.dumps(list(references)))
        with self._lock:
            known = {held: number for number, held in self.schemas.items()}
            number = known.get(entry, len(self.schemas) + 1)
            self.schemas[number] = entry
            versions = self.subjects.setdefault(subject, {})
            if number not in versions.values():
                versions[max(versions, default=0) + 1] = number
        return number

    def answer(self, method, path, query, body):
        """Return status and body."""
        for pattern, known_method, handle in ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == known_method:
                return handle(self, *map(unquote, found.groups()), query, body)
        return 404, _error(404, "HTTP 404 Not Found")

    def _root(self, query, body):
        return 200, {}

    def _subjects(self, query, body):
        prefix = query.get("subjectPrefix", [""])[0]
        names = sorted(name for name in self.subjects if name.startswith(prefix))
        offset, limit = int(query.get("offset", ["0"])[0]), int(query.get("limit", ["-1"])[0])
        return 200, names[offset:] if limit < 0 else names[offset : offset + limit]

    def _versions(self, subject, query, body):
        if subject not in self.subjects:
            return 404, _error(40401, f"Subject '{subject}' not found.")
        return 200, sorted(self.subjects[subject])

    def _version(self, subject, version, query, body):
        versions = self.subjects.get(subject)
        if versions is None:
            return 404, _error(40401, f"Subject '{subject}' not found.")
        number = max(versions) if version == "latest" else int(version)
        if number not in versions:
            return 404, _error(40402, f"Version {version} not found.")
        return 200, self._entry(subject, number)

    def _entry(self, subject, number):
        schema_id = self.subjects[subject][number]
        entry = {"subject": subject, "version": number, "id": schema_id}
        return entry | self._content(schema_id)

    def _content(self, schema_id):
        kind, text, references = self.schemas[schema_id]
        content = {"schema": text}
        if kind != "AVRO":
            content["schemaType"] = kind
        if json.loads(references):
            content["references"] = json.loads(references)
        return content

    def _by_id(self, schema_id, query, body):
        if int(schema_id) not in self.schemas:
            return 404, _error(40403, "Schema not found")
        return 200, self._content(int(schema_id))

    def _register(self, subject, query, body):
        number = self.register(
            subject, body["schema"], body.get("schemaType") or "AVRO", body.get("references") or ()
        )
        return 200, {"id": number}

    def _look_up(self, subject, query, body):
        wanted = (body.get("schemaType") or "AVRO", body["schema"], json.dumps(body.get("references") or []))
        for version, number in self.subjects.get(subject, {}).items():
            if self.schemas[number] == wanted:
                return 200, self._entry(subject, version)
        return 404, _error(40403, "Schema not found")

    def _config(self, query, body):
        return 200, {"compatibilityLevel": "BACKWARD"}


ROUTES = [
    (r"/", "GET", Registry._root),
    (r"/subjects", "GET", Registry._subjects),
    (r"/subjects/([^/]+)/versions", "GET", Registry._versions),
    (r"/subjects/([^/]+)/versions/(\d+|latest)", "GET", Registry._version),
    (r"/schemas/ids/(\d+)", "GET", Registry._by_id),
    (r"/config", "GET", Registry._config),
    (r"/subjects/([^/]+)/versions", "POST", Registry._register),
    (r"/subjects/([^/]+)", "POST", Registry._look_up),
]


def _error(code, message):
    return {"error_code": code, "message": message}


@contextmanager
def registry_server(registry, port=0):
    """Serve a registry; gives its URL. Each exchange is noted in `registry.exchanges`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self._do("GET")

        def do_POST(self):
            self._do("POST")

        def _do(self, method):
            path, _, query = self.path.partition("?")
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            sent = json.loads(content) if content else None
            status, body = registry.answer(method, path, parse_qs(query), sent)
            registry.exchanges.append((method, path, query, sent, status, body))
            answer = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
