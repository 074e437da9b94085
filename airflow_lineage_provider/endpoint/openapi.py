"""The endpoint's description of itself, in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1.html)."""

from __future__ import annotations

from typing import Any

import msgspec

from airflow_lineage_provider.events.event_schema import KINDS

_kinds, SCHEMAS = msgspec.json.schema_components(KINDS, ref_template="#/components/schemas/{name}")
SCHEMAS |= {
    "Event": {"oneOf": list(_kinds)},
    "Error": {
        "type": "object",
        "properties": {"error": {"type": "string", "description": "What is wrong, and where."}},
        "required": ["error"],
    },
}
_EVENT = {"$ref": "#/components/schemas/Event"}
_JSON = "application/json"

REQUEST_BODY: dict[str, Any] = {
    "description": "An OpenLineage event, or a list of them; `Content-Encoding: gzip` is understood. "
    "Nested at most 64 deep, with numbers that fit a double, and no half of a surrogate pair.",
    "required": True,
    "content": {_JSON: {"schema": {"oneOf": [_EVENT, {"type": "array", "items": _EVENT}]}}},
}


def _refusal(description: str, *headers: str) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {name: {"required": True, "schema": {"type": "string"}} for name in headers},
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


UNAUTHORIZED = {
    "401": _refusal("There is no valid token.", "WWW-Authenticate"),
    "403": _refusal("Who carries the token may not do this."),
}
RESPONSES: dict[str, dict[str, Any]] = {
    "201": {"description": "All events are committed."},
    "400": _refusal("The body is not JSON, or not gzip, or ends too early."),
    "408": _refusal("The body did not arrive in time."),
    "413": _refusal("The body is too large, as it is or unpacked."),
    "415": _refusal("The body is neither JSON nor gzipped JSON."),
    "422": _refusal("An event is against the OpenLineage schema. None of the request is kept."),
    "503": _refusal("The store takes nothing now, or too much comes at once.", "Retry-After"),
}


def document(path: str) -> dict[str, Any]:
    """Return the description of the endpoint that takes events at this path from callers with a token."""
    statuses = sorted((RESPONSES | UNAUTHORIZED).items())
    refusals = {status: said for status, said in statuses if status != "201"}
    health = {"description": "It runs.", "content": {_JSON: {"schema": {"type": "object"}}}}
    post = {
        "summary": "Commit OpenLineage events",
        "operationId": "receive",
        "security": [{"token": []}],
        "requestBody": REQUEST_BODY,
        "responses": {"201": RESPONSES["201"]} | refusals,
    }
    # As https://openlineage.io/apidocs/openapi has it, where an answer of 200 would speak of each event.
    batch = post | {"operationId": "receiveBatch", "responses": {"204": RESPONSES["201"]} | refusals}
    return {
        "openapi": "3.1.0",
        "info": {"title": "OpenLineage endpoint of an Airflow lineage store", "version": "1"},
        "paths": {
            path: {"post": post},
            f"{path}/batch": {"post": batch},
            "/health": {"get": {"operationId": "health", "responses": {"200": health}}},
        },
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
