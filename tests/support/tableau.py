"""A stand-in for Tableau: sign-in, users and tasks in XML, and the Metadata API executed by graphql-core.

A query that the schema (`tableau.graphql`) does not allow is answered as Tableau does, and remembered.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from graphql import build_schema, default_field_resolver, execute, parse, validate

SCHEMA = Path(__file__).with_name("tableau.graphql").read_text()
NAMESPACE = 'xmlns="http://tableau.com/api"'
CONNECTIONS = (
    *("workbooks", "dashboards", "sheets", "embeddedDatasources", "publishedDatasources"),
    *("customSQLTables", "databaseTables"),
)


@dataclass
class Tableau:
    """What the stand-in serves, and how it misbehaves."""

    nodes: dict
    role: str = "SiteAdministratorCreator"
    tasks: str = ""
    """The XML of extract refresh tasks; None: the user may not see them."""
    site: str = "sales"
    version: str = "3.24"
    schema: str = SCHEMA
    busy: list[int] = field(default_factory=list)
    """Statuses of the next requests, such as 429."""
    expire_after: int | None = None
    """The number of requests for metadata that a session lives."""
    largest_page: int | None = None
    warnings: list = field(default_factory=list)
    password: str = "s3cret-password"
    hidden: set = field(default_factory=set)
    """Ids of nodes that the user may not see."""
    queries: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    sessions: int = 0
    _used: int = 0
    url: str = ""

    def __enter__(self):
        self.built = build_schema(self.schema)
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer(*stand_in.get(urlsplit(self.path).path))

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = self.headers.get("X-Tableau-Auth", "")
                self._answer(*stand_in.post(urlsplit(self.path).path, body.decode(), token))

            def _answer(self, status, text, kind="application/xml"):
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                if status == 429:
                    self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def get(self, path):
        if path.casefold().endswith("/serverinfo"):
            return 200, (
                f"<tsResponse {NAMESPACE}><serverInfo><productVersion build='1'>2025.1</productVersion>"
                f"<restApiVersion>{self.version}</restApiVersion></serverInfo></tsResponse>"
            )
        if "/tasks/" in path:
            if self.tasks is None:
                return error(403, "403004", "Forbidden")
            return 200, f"<tsResponse {NAMESPACE}><tasks>{self.tasks}</tasks></tsResponse>"
        if "/users/" in path:
            return 200, (
                f"<tsResponse {NAMESPACE}><user id='user-1' name='ann' siteRole='{self.role}' "
                "externalAuthUserId=''/></tsResponse>"
            )
        return error(404, "404000", path)

    def post(self, path, body, token):
        if path.endswith("/auth/signin"):
            return self.sign_in(body)
        if path.endswith("/auth/signout"):
            return 204, ""
        if self.busy:
            return self.busy.pop(0), "busy", "text/plain"
        self._used += 1
        expired = self.expire_after is not None and self._used > self.expire_after
        if token != f"token-{self.sessions}" or expired:
            return error(401, "401002", "Invalid authentication credentials were provided")
        return 200, json.dumps(self.metadata(json.loads(body))), "application/json"

    def sign_in(self, body):
        if self.password not in body:
            return error(401, "401001", "Signin Error")
        self.sessions += 1
        self._used = 0
        return 200, (
            f"<tsResponse {NAMESPACE}><credentials token='token-{self.sessions}'>"
            f"<site id='site-1' contentUrl='{self.site}'/><user id='user-1'/></credentials></tsResponse>"
        )

    def metadata(self, request):
        query, variables = request["query"], request.get("variables") or {}
        self.queries.append(query)
        document = parse(query)
        if errors := validate(self.built, document):
            self.invalid.append(query)
            return {"errors": [{"message": one.message, "extensions": {}} for one in errors]}
        if self.largest_page and variables.get("first", 0) > self.largest_page:
            limit = {"severity": "ERROR", "code": "NODE_LIMIT_EXCEEDED"}
            return {"data": None, "errors": [{"message": "Showing partial results", "extensions": limit}]}
        result = execute(
            self.built,
            document,
            root_value=Root(self.nodes, self.hidden),
            variable_values=variables,
            field_resolver=resolve,
            type_resolver=lambda node, *_: node["__typename"],
        )
        found = {"data": result.data}
        errors = [{"message": one.message} for one in result.errors or ()] + self.warnings
        return found | ({"errors": errors} if errors else {})


class Root:
    """The root of the query: a connection of each kind of node."""

    def __init__(self, nodes, hidden):
        self.nodes, self.hidden = nodes, hidden
        self.known = {one["id"]: one for found in nodes.values() for one in walk(found)}

    def page(self, kind, first, after):
        start = int(after or 0)
        found = self.nodes.get(kind, [])
        end = start + (first or len(found))
        nodes = [None if one["id"] in self.hidden else one for one in found[start:end]]
        more = end < len(found)
        info = {"hasNextPage": more, "endCursor": str(end) if more else None}
        return {"nodes": nodes, "pageInfo": info, "totalCount": len(found)}


def walk(found):
    """Yield all nodes with a `__typename`."""
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            if "__typename" in one and "id" in one:
                yield one
            for inner in one.values():
                if isinstance(inner, list | dict):
                    yield from walk(inner)


def resolve(source, info, **arguments):
    """Return a field of a node; a reference (`{"ref": id}`) is followed, a hidden node is null."""
    root = info.root_value
    if isinstance(source, Root):
        return root.page(
            info.field_name.removesuffix("Connection"), arguments.get("first"), arguments.get("after")
        )
    value = default_field_resolver(source, info, **arguments)
    if isinstance(value, list):
        return [followed(one, root) for one in value]
    return [] if value is None and str(info.return_type).startswith("[") else followed(value, root)


def followed(value, root):
    if isinstance(value, dict) and "ref" in value:
        return None if value["ref"] in root.hidden else root.known.get(value["ref"])
    return value


def error(status, code, summary):
    """Return Tableau's error as XML."""
    return status, (
        f"<tsResponse {NAMESPACE}><error code='{code}'><summary>{summary}</summary>"
        f"<detail>{summary}</detail></error></tsResponse>"
    )


def daily(target, kind="datasource", start="06:00:00", frequency="Daily", hours=24):
    """Return the XML of an extract refresh task."""
    interval = f"hours='{hours}'" if frequency == "Daily" else "weekDay='Monday'"
    return (
        f"<task><extractRefresh id='{target}-task' priority='50' consecutiveFailedCount='0' "
        f"type='RefreshExtractTask'><schedule frequency='{frequency}' nextRunAt='2026-02-01T{start}Z'>"
        f"<frequencyDetails start='{start}'><intervals><interval {interval}/></intervals></frequencyDetails>"
        f"</schedule><{kind} id='{target}'/></extractRefresh></task>"
    )
