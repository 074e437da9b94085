"""Exchanges with a stand-in of Schema Registry, held to the OpenAPI document of the real one."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

OPENAPI = Path(__file__).parents[3] / "shared" / "recipes" / "schema_registry" / "openapi.yaml"
NEEDED = "needs ../shared/recipes/schema_registry/openapi.yaml"
Exchange = tuple[str, str, str, Any, int, Any]
"""Method, path, query, body sent, status, body answered."""


def recorded(server: Any) -> list[Exchange]:
    """Return a list that each exchange of a server of `dbt_project/schema_registry.py` is added to."""
    import json

    exchanges: list[Exchange] = []

    class Recording(server.RequestHandlerClass):  # type: ignore[misc, name-defined]
        sent = None

        def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.sent = json.loads(content)
            connection, self.rfile = self.rfile, BytesIO(content)
            try:
                super().do_POST()
            finally:
                self.rfile, self.sent = connection, None

        def _send(self, status: int, body: Any) -> None:
            url = urlsplit(self.path)
            exchanges.append((self.command, url.path, url.query, self.sent, status, body))
            super()._send(status, body)

    server.RequestHandlerClass = Recording
    return exchanges


def violations(exchange: Exchange) -> list[str]:
    """Return what the document does not allow of an exchange."""
    method, path, query, sent, status, body = exchange
    operation = _operation(method, path)
    if operation is None:
        return [f"{method} {path} is not in the document"]
    known = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    found = [
        f"the parameter {name} is not in the document" for name, _ in parse_qsl(query) if name not in known
    ]
    if sent is not None:
        found += _errors(operation["requestBody"]["content"], sent)
    answer = operation["responses"].get(str(status))
    if answer is None:
        return [*found, f"the status {status} is not in the document"]
    if status == 200:
        return found + _errors(answer["content"], body)
    return found if set(body) == {"error_code", "message"} else [*found, f"{body} is no error"]


@cache
def _document() -> Any:
    import yaml

    return yaml.safe_load(OPENAPI.read_text())


def _operation(method: str, path: str) -> Any:
    parts = path.strip("/").split("/")
    fitting = [
        template
        for template in _document()["paths"]
        if len(template.strip("/").split("/")) == len(parts)
        and all(
            own.startswith("{") or own == part
            for own, part in zip(template.strip("/").split("/"), parts, strict=True)
        )
    ]
    template = min(fitting, key=lambda one: one.count("{"), default=None)
    return _document()["paths"][template].get(method.lower()) if template else None


def _errors(content: Any, value: Any) -> list[str]:
    from jsonschema import Draft4Validator

    schema = next(media["schema"] for kind, media in content.items() if kind.startswith("application/vnd."))
    resolved = {**schema, "components": _document()["components"]}
    return [error.message for error in Draft4Validator(resolved).iter_errors(value)]
