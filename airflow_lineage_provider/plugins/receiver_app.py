"""`POST /lineage/api/v1/lineage`: OpenLineage events from elsewhere, for those who may create asset events.

An HTTP transport of Spark, Flink or dbt-ol, with an Airflow token as its API key, reports to the same store
as Airflow itself. Reading, bounds and answers are the receiver's; Airflow's part is who may.
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

# Airflow refuses those who may not in its own words.
_DENIED = {
    "401": {"description": "There is no valid login."},
    "403": {
        "description": "Who is logged in may not create asset events, or the token is none of Airflow's."
    },
}

router = APIRouter()


class _Received(Response):
    """Lets the receiver read the request and answer it."""

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
async def receive(request: Request) -> Response:  # noqa: ARG001 - FastAPI reads the body of what it is not given
    """Commit an event or a list of them; 401 without a login, 403 without the right."""
    return _Received()


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document together with the schemas that the description of the endpoint refers to."""
    components = document.get("components", {})
    schemas = components.get("schemas", {}) | SCHEMAS
    return document | {"components": components | {"schemas": schemas}}


@cache
def _receiver() -> "ASGIApp":
    hook: Any = EventStoreHook()
    return create_app(hook.get_conn(), lambda _: None)
