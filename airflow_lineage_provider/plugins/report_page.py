"""A DAG run's lineage as an HTML page that stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from airflow_lineage_provider.readers.events import JobRun, Observed

STATES = {"COMPLETE": "ok", "FAIL": "failed", "ABORT": "skipped"}
OUTCOMES = {"PASS": "ok", "WARN": "warned", "DRIFT": "failed"}
SEVERITIES = {"error": "failed", "warning": "warned"}
MOST_DRAWN = 60  # datasets


@dataclass(frozen=True, slots=True)
class Heading:
    """What the page is about."""

    dag_id: str
    run_id: str
    state: str
    root_run_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """A job as the page shows it."""

    name: str
    state: str
    started: str
    seconds: str
    rows: str
    error: str
    inputs: tuple[tuple[str, str], ...]
    """Of each dataset its namespace and its name."""
    outputs: tuple[tuple[str, str], ...]


class TaskVerdict(BaseModel):
    """What a task that compared the run with the documented map found."""

    task_id: str
    outcome: Annotated[str, Field(max_length=20)]
    findings: Annotated[list[tuple[Annotated[str, Field(max_length=20)], str]], Field(max_length=100)]
    """Of each finding its severity and its text."""
    more: int = 0

    @property
    def state(self) -> str:
        """The colour to show it in."""
        return OUTCOMES.get(self.outcome, "skipped")


def report_page(heading: Heading, observed: Observed, verdicts: Sequence[TaskVerdict] = ()) -> str:
    """Return the page: the verdicts, what wrote datasets and from which, the tests, and Airflow's tasks."""
    namespaces = sorted({dataset.system for dataset in observed.graph.datasets.values()}, key=len)
    rows = {id(job): _row(job, namespaces) for job in observed.jobs}
    writers = [rows[id(job)] for job in observed.jobs if job.outputs]
    tests = [job for job in observed.jobs if _is_test(job)]
    others = [rows[id(job)] for job in observed.jobs if not job.outputs and not _is_test(job)]
    return _template().render(
        heading=heading,
        verdicts=verdicts,
        severities=SEVERITIES,
        drawing=_drawing(observed, namespaces),
        writers=writers,
        others=others,
        tests=_test_counts(tests),
        tests_to_see=[rows[id(job)] for job in tests if job.failed_assertions or job.warned_assertions],
        namespaces=sorted({namespace for row in writers for namespace, _ in row.inputs + row.outputs}),
    )


def _drawing(observed: Observed, namespaces: list[str]) -> str:
    """Return what flowed as SVG; nothing where that is nothing, or too large to look at."""
    from airflow_lineage_provider.reports.drawing import draw

    edges = observed.graph.edges
    names = {name: _parts(name, namespaces)[1] for edge in edges for name in edge}
    if not 0 < len(names) <= MOST_DRAWN:
        return ""
    labels = {name: "/".join(short.split("/")[-2:]) for name, short in names.items()}  # of a path its end
    return draw(edges, labels)


def _is_test(job: JobRun) -> bool:
    return job.kind == "TEST" or bool(job.assertions)


def _test_counts(tests: list[JobRun]) -> dict[str, int]:
    failed, warned = sum(t.failed_assertions for t in tests), sum(t.warned_assertions for t in tests)
    skipped = sum(not test.assertions for test in tests)
    passed = sum(test.assertions for test in tests) - failed - warned
    counts = {"passed": passed, "warned": warned, "failed": failed, "skipped": skipped}
    return {word: count for word, count in counts.items() if count}


def _row(job: JobRun, namespaces: list[str]) -> Row:
    state = STATES.get(job.status, "running")
    if state == "ok" and job.failed_assertions:
        state = "failed"
    elif state == "ok" and job.warned_assertions:
        state = "warned"
    return Row(
        name=job.name,
        state=state,
        started=job.started[:19].replace("T", " "),
        seconds="" if job.seconds is None else f"{job.seconds:.2f}",
        rows="" if job.rows is None else f"{job.rows:,}",
        error=job.error.strip(),
        inputs=tuple(_parts(name, namespaces) for name in job.inputs),
        outputs=tuple(_parts(name, namespaces) for name in job.outputs),
    )


def _parts(dataset: str, namespaces: list[str]) -> tuple[str, str]:
    """Return the namespace and the name that `read_events` joined, by the longest namespace that fits."""
    for namespace in reversed(namespaces):
        start = f"{namespace.rstrip('/')}/"
        if dataset.startswith(start):
            return namespace, dataset.removeprefix(start)
    return "", dataset


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("airflow_lineage_provider", "plugins")
    return Environment(autoescape=True, loader=loader, undefined=StrictUndefined).get_template("report.html")
