"""Render the lineage of a DAG run as a self-contained HTML page."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Template

    from airflow_lineage_provider.readers import BoundDataset, Evidence, JobRun

STATES = {"COMPLETE": "ok", "FAIL": "failed", "ABORT": "skipped"}
OUTCOMES = {"PASS": "ok", "WARN": "warned", "DRIFT": "failed"}
SEVERITIES = {"error": "failed", "warning": "warned"}


@dataclass(frozen=True, slots=True)
class Heading:
    """The DAG run that the page shows."""

    dag_id: str
    run_id: str
    state: str
    root_run_id: str


@dataclass(frozen=True, slots=True)
class Row:
    """A job as a row of a table."""

    name: str
    state: str
    started: str
    seconds: str
    rows: str
    error: str
    inputs: tuple[BoundDataset, ...]
    outputs: tuple[BoundDataset, ...]


class TaskResult(BaseModel):
    """The result of a task that compared the run with the documented map."""

    task_id: str
    outcome: Annotated[str, Field(max_length=20)]
    findings: Annotated[list[tuple[Annotated[str, Field(max_length=20)], str]], Field(max_length=100)]
    """Of each finding its severity and its text."""
    more: int = 0

    @property
    def state(self) -> str:
        """The CSS class of the outcome."""
        return OUTCOMES.get(self.outcome, "skipped")


def report_page(
    heading: Heading,
    evidence: Evidence,
    results: Sequence[TaskResult] = (),
    *,
    read_only_first: int | None = None,
) -> str:
    """Return the page: validation results, jobs that wrote datasets, tests, and the other jobs.

    `read_only_first` is the number of events that were read, if the run has more.
    """
    rows = {id(job): _row(job) for job in evidence.jobs}
    writers = [rows[id(job)] for job in evidence.jobs if job.outputs]
    tests = [job for job in evidence.jobs if _is_test(job)]
    others = [rows[id(job)] for job in evidence.jobs if not job.outputs and not _is_test(job)]
    return _template().render(
        heading=heading,
        results=results,
        read_only_first=read_only_first,
        severities=SEVERITIES,
        writers=writers,
        others=others,
        tests=_test_counts(tests),
        tests_to_see=[rows[id(job)] for job in tests if job.failed_assertions or job.warned_assertions],
        namespaces=sorted({dataset.namespace for row in writers for dataset in row.inputs + row.outputs}),
    )


def _is_test(job: JobRun) -> bool:
    return job.kind == "TEST" or bool(job.assertions)


def _test_counts(tests: list[JobRun]) -> dict[str, int]:
    failed, warned = sum(t.failed_assertions for t in tests), sum(t.warned_assertions for t in tests)
    skipped = sum(not test.assertions for test in tests)
    passed = sum(test.assertions for test in tests) - failed - warned
    counts = {"passed": passed, "warned": warned, "failed": failed, "skipped": skipped}
    return {word: count for word, count in counts.items() if count}


def _row(job: JobRun) -> Row:
    state = STATES.get(job.status, "running")
    if state == "ok" and job.failed_assertions:
        state = "failed"
    elif state == "ok" and job.warned_assertions:
        state = "warned"
    return Row(
        name=job.label,
        state=state,
        started=job.started[:19].replace("T", " "),
        seconds="" if job.seconds is None else f"{job.seconds:.2f}",
        rows="" if job.rows is None else f"{job.rows:,}",
        error=job.error.strip(),
        inputs=job.inputs,
        outputs=job.outputs,
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("airflow_lineage_provider", "plugins")
    return Environment(autoescape=True, loader=loader, undefined=StrictUndefined).get_template("report.html")
