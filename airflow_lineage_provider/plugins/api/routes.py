"""The routes of `/lineage/api/v1`: read-only, JSON, for users who may read the DAG's task instances."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel

from airflow_lineage_provider.plugins.api.cache import AnswerCache, answer_of, respond
from airflow_lineage_provider.plugins.api.dags import dag_summaries, dags_with_lineage
from airflow_lineage_provider.plugins.api.links import dataset_links
from airflow_lineage_provider.plugins.api.permissions import may_read_dag
from airflow_lineage_provider.plugins.api.runs import (
    FINISHED,
    RunSnapshot,
    dag_runs_of,
    find_run,
    history_of,
    lineage_of,
    run_summaries,
    snapshot_of,
)
from airflow_lineage_provider.reports.views.columns import column_path, columns_view, search
from airflow_lineage_provider.reports.views.detail import dataset_detail
from airflow_lineage_provider.reports.views.findings import finding_views
from airflow_lineage_provider.reports.views.graph import graph_view
from airflow_lineage_provider.reports.views.impact import impact_view, migration_view
from airflow_lineage_provider.reports.views.jobs import jobs_view
from airflow_lineage_provider.reports.views.models import (
    ColumnPath,
    ColumnsAndEdges,
    DagSummary,
    DatasetDetail,
    ErrorView,
    FindingView,
    GraphView,
    ImpactAnswer,
    Job,
    Migration,
    PageOf,
    RunSummary,
    SearchResults,
    Summary,
)

PREFIX = "/api/v1"


def _refused(description: str) -> dict[str, Any]:
    return {"description": description, "model": ErrorView}


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: _refused("Not logged in, or the token has ended."),
    403: _refused("The user may not read the task instances of the DAG."),
    409: _refused("The event store was made by a newer version of this package."),
    422: _refused("A parameter is wrong."),
    503: _refused("There is no event store, or it cannot be read."),
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has this answer: its ETag is in If-None-Match."},
    404: _refused("There is no such run, dataset or column."),
}
_RUN = "/dags/{dag_id}/runs/{run_id}"
_of_dag = [Depends(may_read_dag)]
router = APIRouter(prefix=PREFIX, tags=["lineage"], responses=REFUSALS)

# Databases refuse NUL; names from events may be long.
_text = r"^[^\x00]*$"
DagId = Annotated[str, Path(max_length=250, pattern=_text)]
RunId = Annotated[str, Path(max_length=250, pattern=_text, description="A run's id, or `~latest`.")]
Dataset = Annotated[str, Query(max_length=4_096, pattern=_text, description="The id of a dataset.")]
Column = Annotated[str, Query(max_length=4_096, pattern=_text)]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Offset = Annotated[int, Query(ge=0, le=2**31)]

_answers = AnswerCache()


def _run(dag_id: DagId, run_id: RunId, user: GetUserDep) -> RunSnapshot:
    return snapshot_of(find_run(dag_id, run_id), user)


Run = Annotated[RunSnapshot, Depends(_run)]


def _answer(request: Request, run: RunSnapshot, make: Any, *more: Any) -> Response:
    """Return the answer for this state of the run, by the route's last part, the query and `more`."""
    name = request.url.path.rsplit("/", 1)[-1]
    return respond(request, _answers.get((run.key, name, request.url.query, *more), make))


@router.get("/summary", response_model=Summary, responses={304: NOT_FOUND[304]})
def summary(request: Request, user: GetUserDep) -> Response:
    """Return the DAGs that have lineage and that the user may read, at most 1,000."""
    dags = dag_summaries(dags_with_lineage(user)[:1_000], user)
    return respond(request, answer_of(Summary(dags=dags)))


@router.get("/dags", response_model=PageOf[DagSummary], responses={304: NOT_FOUND[304]})
def dags(request: Request, user: GetUserDep, limit: Limit = 50, offset: Offset = 0) -> Response:
    """Return a page of the DAGs that have lineage."""
    found = dags_with_lineage(user)
    items = dag_summaries(found[offset : offset + limit], user)
    return respond(request, answer_of(PageOf[DagSummary](items=items, total=len(found))))


@router.get(
    "/dags/{dag_id}/runs", response_model=PageOf[RunSummary], responses=NOT_FOUND, dependencies=_of_dag
)
def runs(
    request: Request,
    dag_id: DagId,
    user: GetUserDep,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Response:
    """Return the runs of a DAG, the newest first."""
    found, total = dag_runs_of(dag_id, limit, offset)
    return respond(request, answer_of(PageOf[RunSummary](items=run_summaries(found, user), total=total)))


@router.get(f"{_RUN}/graph", response_model=GraphView, responses=NOT_FOUND, dependencies=_of_dag)
def graph(request: Request, run: Run, user: GetUserDep) -> Response:
    """Return the lineage of a run by table."""

    def make() -> BaseModel:
        lineage = lineage_of(run)
        finished = str(getattr(run.dag_run.state, "value", run.dag_run.state)) in FINISHED
        return graph_view(lineage, run_summaries([run.dag_run], user)[0], complete=finished)

    return _answer(request, run, make)


@router.get(f"{_RUN}/columns", response_model=ColumnsAndEdges, responses=NOT_FOUND, dependencies=_of_dag)
def columns(request: Request, run: Run, dataset: Dataset) -> Response:
    """Return the columns of a dataset, and the column edges into and out of it."""
    return _answer(request, run, lambda: columns_view(lineage_of(run), dataset))


@router.get(f"{_RUN}/path", response_model=ColumnPath, responses=NOT_FOUND, dependencies=_of_dag)
def path(request: Request, run: Run, dataset: Dataset, column: Column) -> Response:
    """Return everything that a column is made from, and that is made from it."""
    return _answer(request, run, lambda: column_path(lineage_of(run), dataset, column))


@router.get(f"{_RUN}/dataset", response_model=DatasetDetail, responses=NOT_FOUND, dependencies=_of_dag)
def dataset(request: Request, run: Run, dataset: Dataset) -> Response:
    """Return everything about a dataset, over the last 20 runs."""
    history = history_of(run.dag_run)
    now = datetime.now(UTC).replace(second=0, microsecond=0)  # a dataset becomes late without an event

    def make() -> BaseModel:
        lineage = lineage_of(run)
        links = dataset_links(*lineage.names.get(dataset, ("", "")))
        return dataset_detail(lineage, dataset, history.read(), now, links)

    return _answer(request, run, make, history.key, now)


@router.get(f"{_RUN}/jobs", response_model=PageOf[Job], responses=NOT_FOUND, dependencies=_of_dag)
def jobs(request: Request, run: Run, limit: Limit = 1_000, offset: Offset = 0) -> Response:
    """Return the jobs of a run by the time they started: dbt nodes, transfers, tasks."""

    def make() -> BaseModel:
        found = jobs_view(lineage_of(run))
        return PageOf[Job](items=found[offset : offset + limit], total=len(found))

    return _answer(request, run, make)


@router.get(f"{_RUN}/findings", response_model=PageOf[FindingView], responses=NOT_FOUND, dependencies=_of_dag)
def findings(request: Request, run: Run, limit: Limit = 100, offset: Offset = 0) -> Response:
    """Return the findings of a run, the gravest first."""
    today = datetime.now(UTC).date()

    def make() -> BaseModel:
        found = finding_views(lineage_of(run), today)
        return PageOf[FindingView](items=found[offset : offset + limit], total=len(found))

    return _answer(request, run, make, today)


@router.get(f"{_RUN}/impact", response_model=ImpactAnswer, responses=NOT_FOUND, dependencies=_of_dag)
def impact(
    request: Request,
    run: Run,
    dataset: Dataset,
    column: Column = "",
    change: Literal["removed", "renamed", "retyped"] = "removed",
) -> Response:
    """Return what a change of a column reaches; without a column, of the whole dataset."""
    return _answer(request, run, lambda: impact_view(lineage_of(run), dataset, column, change))


@router.post(f"{_RUN}/impact", response_model=ImpactAnswer, responses=NOT_FOUND, dependencies=_of_dag)
def migration(request: Request, run: Run, body: Migration) -> Response:
    """Return what the statements of a migration reach. Nothing is stored."""
    return respond(request, answer_of(migration_view(lineage_of(run), body.migration)))


@router.get(f"{_RUN}/search", response_model=SearchResults, responses=NOT_FOUND, dependencies=_of_dag)
def search_names(
    request: Request,
    run: Run,
    q: Annotated[str, Query(max_length=500, pattern=_text)],
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Response:
    """Return datasets and columns whose name has a text."""
    return _answer(request, run, lambda: search(lineage_of(run), q, limit))
