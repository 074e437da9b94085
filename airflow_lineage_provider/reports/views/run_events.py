"""What the events of one DAG run say beside lineage: jobs, SQL, rows, times, and results of checks."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import text_at
from airflow_lineage_provider.plain_json import mapping, mappings
from airflow_lineage_provider.readers.event_runs import job_labels, last_runs, merge_runs
from airflow_lineage_provider.reports.views.models import Job, State, TestCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_lineage_provider.readers.event_runs import EventRun, Pair

    Event = Mapping[str, Any]

STATES: Mapping[str, State] = {"COMPLETE": "ok", "FAIL": "failed", "ABORT": "skipped"}
MAX_SQL = 200_000
"""How many characters of a statement are shown."""
MAX_ERROR = 4_000


@dataclass(frozen=True, slots=True)
class Written:
    """How a job of the run wrote a dataset; `types` are its columns and their types."""

    at: str
    state: State
    rows: int | None = None
    seconds: float | None = None
    sql: str = ""
    dialect: str = ""
    types: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CheckOnce:
    """A quality check in this run; `column` is empty for one of the whole dataset."""

    column: str
    name: str
    at: str
    passed: bool
    warned: bool
    message: str


@dataclass(frozen=True, slots=True)
class RunEvents:
    """The jobs of a run, and by OpenLineage name of a dataset how it was written and checked."""

    jobs: tuple[Job, ...] = ()
    written: Mapping[Pair, Written] = field(default_factory=dict)
    checks: Mapping[Pair, tuple[CheckOnce, ...]] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    """Of each run the tool that emitted it, such as `dbt`."""


@dataclass(slots=True)
class _Extra:
    """What a comparison does not need of a run."""

    parent_job: str = ""
    parent_run: str = ""
    tool: str = ""
    sql: str = ""
    airflow_task: bool = False
    checks: dict[tuple[Pair, str, str], CheckOnce] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        parent = ("run", "facets", "parent")
        self.parent_job = text_at(event, *parent, "job", "name") or self.parent_job
        self.parent_run = text_at(event, *parent, "run", "runId") or self.parent_run
        self.tool = text_at(event, "job", "facets", "jobType", "integration").lower() or self.tool
        self.sql = text_at(event, "job", "facets", "sql", "query")[:MAX_SQL] or self.sql
        self.airflow_task = self.airflow_task or bool(
            mapping(mapping(mapping(event.get("run")).get("facets")).get("airflow"))
        )
        for dataset in mappings(event.get("inputs")):
            pair = (text_at(dataset, "namespace"), text_at(dataset, "name"))
            facet = mapping(mapping(dataset.get("inputFacets")).get("dataQualityAssertions"))
            for one in mappings(facet.get("assertions")):
                check = _check(one, text_at(event, "eventTime"))
                self.checks[pair, check.column, check.name] = check


def _check(facet: Mapping[str, Any], at: str) -> CheckOnce:
    passed = bool(facet.get("success"))
    expected, actual = text_at(facet, "expected"), text_at(facet, "actual")
    message = f"expected {expected}, found {actual}" if actual and not passed else ""
    kind = text_at(facet, "assertion")
    return CheckOnce(
        column=text_at(facet, "column"),
        name=text_at(facet, "name") or kind,
        at=at,
        passed=passed,
        warned=not passed and facet.get("severity") == "warn",
        message=message,
    )


def read_run_events(events: Sequence[Event], dag_id: str) -> RunEvents:
    """Return what the events of one run of a DAG say."""
    extras: defaultdict[str, _Extra] = defaultdict(_Extra)
    for event in events:
        extras[text_at(event, "run", "runId")].add(event)
    merged = merge_runs(events, with_lineage=False)
    attempts = Counter(run.identity for run in merged)
    runs = [run for run in last_runs(merged) if run.kind != "DAG"]
    labels = job_labels(run.identity for run in runs)
    checks = _checks(extras[run.run_id] for run in runs)
    written: dict[Pair, Written] = {}
    for run in runs:
        for pair, facets in run.outputs.items():
            written[pair] = Written(
                at=run.at_text,
                state=state_of(run),
                rows=facets.rows,
                seconds=seconds_of(run),
                sql=extras[run.run_id].sql,
                dialect=run.dialect,
                types=tuple((one.name, one.type) for one in facets.fields or ()),
            )
    jobs = tuple(
        _job(run, labels[run.identity], extras, checks, attempts[run.identity], dag_id) for run in runs
    )
    return RunEvents(jobs, written, checks, {run_id: extra.tool for run_id, extra in extras.items()})


def _checks(extras: Iterable[_Extra]) -> dict[Pair, tuple[CheckOnce, ...]]:
    found: defaultdict[Pair, list[CheckOnce]] = defaultdict(list)
    for extra in extras:
        for (pair, _, _), check in extra.checks.items():
            found[pair].append(check)
    return {pair: tuple(checks) for pair, checks in found.items()}


def _job(
    run: EventRun,
    label: str,
    extras: Mapping[str, _Extra],
    checks: Mapping[Pair, Sequence[CheckOnce]],
    attempt: int,
    dag_id: str,
) -> Job:
    extra = extras[run.run_id]
    own = extra.checks.values() if run.kind == "TEST" else [c for p in run.outputs for c in checks.get(p, ())]
    counts = count_tests(own)
    state = state_of(run)
    rows = [facets.rows for facets in run.outputs.values() if facets.rows is not None]
    return Job(
        name=label,
        node_id=run.identity.unique_id or None,
        task_id=_task_id(run, extra, dag_id),
        kind=(run.kind or "job").lower().replace("_", " "),
        state="failed" if state == "ok" and run.kind == "TEST" and counts.failed else state,
        started=run.started_text or None,
        seconds=seconds_of(run),
        rows=sum(rows) if rows else None,
        error=run.error.strip()[:MAX_ERROR] or None,
        attempt=attempt,
        tests=counts,
        outputs=[f"{namespace.rstrip('/')}/{name.lstrip('/')}" for namespace, name in run.outputs],
    )


def count_tests(checks: Iterable[CheckOnce]) -> TestCounts:
    """Return how many checks passed, failed and warned."""
    found = Counter("passed" if one.passed else "warned" if one.warned else "failed" for one in checks)
    return TestCounts(passed=found["passed"], failed=found["failed"], warned=found["warned"])


def _task_id(run: EventRun, extra: _Extra, dag_id: str) -> str | None:
    name = run.identity.name if extra.airflow_task else extra.parent_job
    return name.removeprefix(f"{dag_id}.") if name.startswith(f"{dag_id}.") else None


def state_of(run: EventRun) -> State:
    """Return how a run ended; `running` until then."""
    return STATES.get(run.status, "running")


def seconds_of(run: EventRun) -> float | None:
    """Return how long a run took; None while it runs."""
    return round((run.at - run.started).total_seconds(), 3) if run.started and run.ended else None
