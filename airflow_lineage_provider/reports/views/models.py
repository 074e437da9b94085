"""The answers of the REST API, version 1.

A dataset's `id` is its logical name in the map, or `namespace/name` where the map does not name it. Times are
ISO 8601 in UTC.
"""

from __future__ import annotations

from typing import Generic, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field

EdgeState: TypeAlias = Literal[
    "verified", "documented", "undeclared", "missing", "through", "unobserved", "saved", "observed"
]
"""What is known of an edge.

`verified`: documented and observed. `documented`: not compared with a run yet. `undeclared`: observed and not
documented. `missing`: documented and not observed. `through`: satisfied through another path. `unobserved`:
documented, and out of the scope of this run. `saved`: verified by a saved answer only. `observed`: observed,
and no map says anything about it.
"""
Known: TypeAlias = Literal["known", "part", "unknown"]
ColumnKnown: TypeAlias = Literal["known", "part", "unknown", "unobserved"]
"""Whether the origin of a column is known. `unobserved`: documented, and the run's table lacks it."""
Gravity: TypeAlias = Literal["error", "warning", "info"]
Kind: TypeAlias = Literal["identity", "transformation", "aggregation", "indirect", "unknown"]
Outcome: TypeAlias = Literal["PASS", "WARN", "DRIFT"]
State: TypeAlias = Literal["ok", "failed", "running", "skipped", "none"]

T = TypeVar("T")


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class PageOf(View, Generic[T]):
    """A page of a list."""

    items: list[T]
    total: int
    """The number of items on all pages."""


class RunSummary(View):
    """A DAG run and the outcome of its validation."""

    run_id: str
    state: str
    """Airflow's state of the DAG run."""
    started: str | None
    ended: str | None
    outcome: Outcome | None
    """None where no task compared the run with a map."""
    errors: int
    warnings: int


class OutboxState(View):
    """The events that wait to be forwarded."""

    waiting: int
    trouble: str | None


class DagSummary(View):
    """A DAG whose runs have lineage."""

    dag_id: str
    map: str | None
    """The title of the documented map; None where no run was compared with one."""
    last_run: RunSummary | None
    drift: int
    """Errors and warnings of the last validation."""
    map_is_stale: bool
    """Whether a run finished after the last one that was compared with the map."""
    outbox: OutboxState


class Summary(View):
    """The DAGs that the user may read."""

    dags: list[DagSummary]


class Lane(View):
    """A column of the graph: a system or a layer."""

    id: str
    label: str
    kind: Literal["system", "layer"]
    order: int


class DatasetView(View):
    """A node of the graph."""

    id: str
    label: str
    lane: str
    system: str
    layer: str | None
    kind: str
    columns: int
    column_lineage: Known
    state: State
    """How the job that writes it ended in this run."""
    findings: int
    gravest: Gravity | None
    """The severity of the gravest finding; None without one."""
    description: str | None
    owners: list[str]
    tags: list[str]


class EdgeView(View):
    """`target` is made from `source`."""

    source: str
    target: str
    state: EdgeState
    claims: list[str]
    """What states the edge: tools that observed it, and `file:line` of the map."""
    columns: int
    """The number of column edges between the two."""


class GraphView(View):
    """The lineage of a run, by table."""

    run: RunSummary
    complete: bool
    """Whether the picture is final: the run has ended, and all of its events were read."""
    notes: list[str]
    lanes: list[Lane]
    datasets: list[DatasetView]
    edges: list[EdgeView]


class ColumnView(View):
    """A column of a dataset."""

    name: str
    type: str | None
    """The observed type."""
    documented_type: str | None
    description: str | None
    lineage: ColumnKnown
    findings: int
    gravest: Gravity | None


class Columns(View):
    """The columns of a dataset."""

    dataset: str
    items: list[ColumnView]


class ColumnName(View):
    """A column; `*` stands for all columns of the dataset."""

    dataset: str
    column: str


class ColumnEdgeView(View):
    """The column `target` is made from the column `source`."""

    source: ColumnName
    target: ColumnName
    kind: Kind
    state: EdgeState
    expression: str | None


class ColumnsAndEdges(View):
    """The columns of a dataset, and the column edges into and out of it."""

    columns: Columns
    edges: list[ColumnEdgeView]


class ColumnPath(View):
    """Everything that a column is made from, and that is made from it."""

    upstream: list[ColumnEdgeView]
    downstream: list[ColumnEdgeView]
    truncated: bool


class MapLine(View):
    """A line of the map."""

    file: str
    line: int


class FindingView(View):
    """A difference between documented and observed lineage."""

    code: str
    severity: Gravity
    subject: str
    message: str
    documented: str | None
    """The documented value or place."""
    observed: str | None
    dataset: str | None
    column: str | None
    source: MapLine | None
    accept: str
    """An entry of the map's `accepted`, as YAML."""


class TypeChange(View):
    """The type of a column from a time on; None where the column was gone."""

    at: str
    type: str | None


class TypeHistory(View):
    """How the type of a column changed over the last runs."""

    column: str
    changes: list[TypeChange]


class Sql(View):
    """The compiled SQL that made a dataset."""

    text: str
    dialect: str


class CheckOutcome(View):
    """A check in one run."""

    at: str
    run_id: str
    passed: bool
    message: str | None


class Check(View):
    """A quality check over the last runs, the newest first."""

    column: str | None
    name: str
    results: list[CheckOutcome]


class DatasetRun(View):
    """A DAG run that wrote the dataset."""

    run_id: str
    at: str
    rows: int | None
    seconds: float | None
    state: str


class Freshness(View):
    """When the dataset was written last, against its documented service level."""

    sla: str | None
    last: str | None
    late: bool | None


class PageLink(View):
    """A page about the dataset elsewhere."""

    label: str
    url: str


class DatasetDetail(View):
    """Everything about a dataset."""

    dataset: DatasetView
    namespace: str
    name: str
    columns: list[ColumnView]
    type_history: list[TypeHistory]
    sql: Sql | None
    checks: list[Check]
    runs: list[DatasetRun]
    freshness: Freshness
    documentation: str | None
    owners: list[str]
    findings: list[FindingView]
    edges: list[EdgeView]
    links: list[PageLink]


class TestCounts(View):
    """Results of data tests."""

    passed: int
    failed: int
    warned: int


class Job(View):
    """A job of the run: a dbt node, a task, a transfer."""

    name: str
    node_id: str | None
    task_id: str | None
    kind: str
    state: State
    started: str | None
    seconds: float | None
    rows: int | None
    error: str | None
    attempt: int
    tests: TestCounts
    outputs: list[str]


class ImpactItem(View):
    """A dataset or column that a change reaches."""

    dataset: str
    column: str | None
    depth: int
    kind: str
    """The kind of the dataset."""
    via: str
    """The dataset or column before it on a shortest path."""
    owners: list[str]
    consumer: bool


class ImpactAnswer(View):
    """What a change reaches, nearest first."""

    change: str
    items: list[ImpactItem]
    counts: dict[str, int]
    """The number of datasets reached, by kind."""
    markdown: str


class Migration(View):
    """A change as SQL statements."""

    migration: str = Field(max_length=200_000)
    """Statements such as ALTER TABLE."""


class SearchResult(View):
    """A dataset or column whose name has the text."""

    dataset: str
    column: str | None
    label: str


class SearchResults(View):
    """What a search found, the best first."""

    items: list[SearchResult]


class ErrorView(View):
    """Why there is no answer."""

    error: str
    """What happened, and what to do."""
