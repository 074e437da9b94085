"""`GET /lineage/report`: the lineage of one DAG run, for users who may read the DAG's task instances."""

from contextlib import suppress
from typing import Annotated, Any

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.models.dagrun import DagRun
from airflow.models.xcom import XComModel
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from airflow_lineage_provider.hooks.event_store import EventStoreHook
from airflow_lineage_provider.plugins.api.errors import answer_errors
from airflow_lineage_provider.plugins.api.routes import router as api
from airflow_lineage_provider.plugins.dag_run import MAX_EVENTS, lineage_of
from airflow_lineage_provider.plugins.receiver_app import described
from airflow_lineage_provider.plugins.receiver_app import router as receiver
from airflow_lineage_provider.plugins.report_page import Heading, TaskResult, report_page
from airflow_lineage_provider.plugins.static_files import router as static
from airflow_lineage_provider.readers import Evidence
from airflow_lineage_provider.store import StoreError
from airflow_lineage_provider.utils.dag_run import DagRunIds, dag_run_ids
from airflow_lineage_provider.utils.validation_result import RESULT_KEY

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"description": "Not logged in."},
    403: {"description": "The user may not read the DAG's task instances."},
    404: {"description": "The DAG run does not exist."},
    503: {"description": "The event store cannot be read."},
}
MAX_RESULTS = 20
Name = Annotated[str, Query(max_length=250, pattern=r"^[^\x00]*$")]  # databases reject NUL


def _may_read_xcoms(request: Request, user: GetUserDep) -> bool:
    try:
        requires_access_dag("GET", DagAccessEntity.XCOM)(request, user)
    except HTTPException:
        return False
    return True


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        return described(super().openapi())


app = _App(title="Lineage", version="1", docs_url=None, redoc_url=None)
app.include_router(receiver)
app.include_router(api)
app.include_router(static)
answer_errors(app)


@app.get(
    "/report",
    dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.TASK_INSTANCE))],
    response_class=HTMLResponse,
    responses=REFUSALS,
)
def report(
    dag_id: Name,
    run_id: Name,
    session: SessionDep,
    may_read_xcoms: Annotated[bool, Depends(_may_read_xcoms)],
) -> HTMLResponse:
    """Return the page; 401 without a login, 403 without permission, 404 for an unknown run."""
    found = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
    if found is None:
        raise HTTPException(404, f"DAG {dag_id} has no run {run_id}")
    ids = dag_run_ids(found)
    heading = Heading(dag_id, run_id, str(found.state), ids.roots[-1])
    results = _results(dag_id, run_id, session) if may_read_xcoms else []
    evidence, is_truncated = _read(ids)
    page = report_page(heading, evidence, results, read_only_first=MAX_EVENTS if is_truncated else None)
    return HTMLResponse(page, headers=HEADERS)


def _results(dag_id: str, run_id: str, session: Session) -> list[TaskResult]:
    """Return the results of the run's validations; XComs of another form under that key are ignored."""
    query = XComModel.get_many(run_id=run_id, dag_ids=dag_id, key=RESULT_KEY, limit=MAX_RESULTS)
    rows: Any = session.scalars(query)
    found = []
    for row in rows:
        with suppress(TypeError, ValueError):
            found.append(TaskResult(task_id=row.task_id, **XComModel.deserialize_value(row)))
    return sorted(found, key=lambda one: one.task_id)


def _read(ids: DagRunIds) -> tuple[Evidence, bool]:
    hook: Any = EventStoreHook()
    store = hook.get_conn()
    try:
        return lineage_of(ids, store)
    except StoreError as error:
        raise HTTPException(503, str(error)) from None
    finally:
        store.close()
