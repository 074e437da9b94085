"""`POST /lineage/api/v1/lineage`: OpenLineage events, for users who may create asset events.

The HTTP transport of Spark, Flink or dbt-ol, with an Airflow token as its API key, writes to the same store
as Airflow itself. The request is parsed, bounded and answered by the receiver; Airflow authorizes it.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.core_api.security import requires_access_asset
from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from starlette.requests import Request

from airflow_lineage_provider.endpoint.openapi import REQUEST_BODY, RESPONSES, SCHEMAS
from airflow_lineage_provider.endpoint.receiver import PATH, create_app
from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.store.errors import StoreError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

# These responses are Airflow's own.
_DENIED = {
    "401": {"description": "Not logged in."},
    "403": {"description": "The user may not create asset events, or the token is not one of Airflow's."},
}

router = APIRouter()


class _Received(Response):
    """Passes the request on to the receiver, which reads and answers it."""

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        try:
            app: ASGIApp = _receiver()
        except StoreError as error:
            app = JSONResponse({"error": str(error)}, 503, {"Retry-After": "5"})
        await app({**scope, "path": PATH, "root_path": ""}, receive, send)


@router.post(
    PATH,
    status_code=201,
    dependencies=[Depends(requires_access_asset("POST"))],
    response_class=_Received,
    openapi_extra={"requestBody": REQUEST_BODY, "responses": RESPONSES | _DENIED},
)
async def receive(request: Request) -> Response:  # noqa: ARG001 - with it, FastAPI leaves the body unread
    """Commit an event or a list of events; 401 without a login, 403 without permission."""
    return _Received()


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document with the schemas that the endpoint's description refers to."""
    components = document.get("components", {})
    schemas = components.get("schemas", {}) | SCHEMAS
    return document | {"components": components | {"schemas": schemas}}


@cache
def _receiver() -> "ASGIApp":
    hook: Any = EventStoreHook()
    return create_app(hook.get_conn(), lambda _: None)
