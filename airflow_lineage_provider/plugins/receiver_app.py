"""`POST /lineage/api/v1/lineage`: OpenLineage events from elsewhere, for those who may create asset events.

An HTTP transport of Spark, Flink or dbt-ol, with an Airflow token as its API key, reports to the same store
as Airflow itself. Reading, bounds and answers are the receiver's; Airflow's part is who may.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

from airflow.api_fastapi.core_api.security import requires_access_asset
from fastapi import APIRouter, Depends
from fastapi.responses import Response
from starlette.requests import Request

from airflow_lineage_provider.delivery.receiver import create_app
from airflow_lineage_provider.hooks.event_store import EventStoreHook

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import Receive, Scope, Send

PATH = "/api/v1/lineage"

router = APIRouter()


class _Received(Response):
    """Lets the receiver read the request and answer it."""

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        await _receiver()({**scope, "path": PATH, "root_path": ""}, receive, send)


@router.post(PATH, dependencies=[Depends(requires_access_asset("POST"))])
async def receive(request: Request) -> Response:  # noqa: ARG001 - FastAPI reads the body of what it is not given
    """Commit an event or a list of them; 401 without a login, 403 without the right."""
    return _Received()


@cache
def _receiver() -> "Starlette":
    hook: Any = EventStoreHook()
    return create_app(hook.get_conn(), lambda _: None)
