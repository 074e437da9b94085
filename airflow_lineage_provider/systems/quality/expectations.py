"""Suites of Great Expectations, what a run of one found, and its OpenLineage observation."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.movement import CheckResult, MovedDataset, Movement
from airflow_lineage_provider.systems.errors import one_line
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_lineage_provider.events.naming import DatasetName

JOB_NAMESPACE = "great_expectations"
LARGEST_FILE = 4 << 20
_TABLE = re.compile(r"[^./\\\x00-\x1f]+\.[^/\\\x00-\x1f]+")
_COUNTS = ("element_count", "unexpected_count", "missing_count")


@dataclass(frozen=True, slots=True)
class Suite:
    """The expectations of one table, as Great Expectations writes a suite to JSON; `table` is its name."""

    table: str
    expectations: tuple[Mapping[str, Any], ...]
    file: str


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What a suite found: the results as Great Expectations gives them in JSON."""

    suite: Suite
    results: tuple[Mapping[str, Any], ...]
    started_at: datetime
    version: str = ""
    page: str = ""
    """Where its page of data docs is: a URL, or the path of a file; empty where none is kept."""


def load_suites(path: str | Path) -> list[Suite]:
    """Return the suites of a folder (`*.json`), or of one file, each named `schema.table`.

    Raises InputError where there is none, and for one that cannot be read.
    """
    place = Path(path)
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    if not files:
        raise InputError(f"{path} has no suites: put a JSON file of Great Expectations there, one a table")
    return [_load(file) for file in files]


def _load(file: Path) -> Suite:
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise InputError(f"the suite {file} has more than {LARGEST_FILE >> 20} MiB")
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the suite {file} cannot be read: {error.strerror}") from None
    except (RecursionError, ValueError) as error:
        raise InputError(f"the suite {file} is not JSON: {error}") from None
    name = document.get("name") if isinstance(document, dict) else None
    found = document.get("expectations") if isinstance(document, dict) else None
    if not isinstance(name, str) or not isinstance(found, list) or not all(map(_is_expectation, found)):
        raise InputError(
            f"the suite {file} needs a `name`, its table as schema.table, and `expectations`, each with a "
            "`type` and `kwargs`"
        )
    if not _TABLE.fullmatch(name):
        raise InputError(f"the suite {file} is named {name!r}: name it by its table, as in silver.orders")
    return Suite(name, tuple(found), str(file))


def _is_expectation(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("type"), str)
        and isinstance(value.get("kwargs", {}), dict)
    )


def suite_observation(run: SuiteRun, dataset: DatasetName) -> Observation:
    """Return the run of a suite as a job that reads its table.

    It failed where an expectation of severity critical did; one of a lower severity warns.
    """
    checks = tuple(map(_check, run.results))
    failed = [check for check in checks if not check.success and check.severity == "error"]
    rows = [check.params["element_count"] for check in checks if "element_count" in check.params]
    movement = Movement(
        job_namespace=JOB_NAMESPACE,
        job_name=run.suite.table,
        started_at=run.started_at,
        integration="GREAT_EXPECTATIONS",
        job_type="TEST",
        inputs=(MovedDataset(dataset, rows=max(rows, default=None), checks=checks),),
        engine="Great Expectations",
        engine_version=run.version,
        problems=tuple(
            f"{_about(check, run.suite.table)} was not evaluated: {error}"
            for check, result in zip(checks, run.results, strict=True)
            if (error := _error(result))
        ),
        documentation=f"[Data docs of {run.suite.table}]({run.page})" if run.page else "",
    )
    error = "; ".join(failure(check, run.suite.table) for check in failed)
    return Observation(movement, RunState.FAIL if failed else RunState.COMPLETE, error)


def failure(check: CheckResult, table: str) -> str:
    """Return a failed check as one line."""
    count = check.params.get("unexpected_count")
    if count is None:
        found = f"found {check.actual}" if check.actual else "was not evaluated"
    else:
        found = f"{count} of {check.params.get('element_count', '?')} rows do not meet it"
    return f"{_about(check, table)}: {found}"


def warnings(observation: Observation) -> list[str]:
    """Return the failed checks of a lower severity than critical, one line each."""
    return [
        failure(check, observation.movement.job_name)
        for dataset in observation.movement.inputs
        for check in dataset.checks
        if not check.success and check.severity == "warn"
    ]


def _about(check: CheckResult, table: str) -> str:
    return f"{check.assertion} of {'.'.join(filter(None, (table, check.column)))}"


def _check(result: Mapping[str, Any]) -> CheckResult:
    """Return a result with its counts, and without any value of a row."""
    config, found = result["expectation_config"], result.get("result") or {}
    kwargs = {name: value for name, value in config.get("kwargs", {}).items() if name != "batch_id"}
    # Some warehouses count in decimals.
    counts = {name: int(found[name]) for name in _COUNTS if isinstance(found.get(name), int | float)}
    observed = found.get("observed_value")
    actual = counts.get("unexpected_count", observed if isinstance(observed, int | float) else "")
    return CheckResult(
        assertion=config["type"],
        success=bool(result.get("success")),
        column=str(kwargs.pop("column", "") or ""),
        severity="error" if config.get("severity", "critical") == "critical" else "warn",
        expected="0" if "unexpected_count" in counts else "",
        actual=str(actual),
        params=kwargs | counts,
    )


def _error(result: Mapping[str, Any]) -> str:
    """Return why an expectation was not evaluated; empty where it was."""
    info = result.get("exception_info") or {}
    parts = [info] if "raised_exception" in info else [one for one in info.values() if isinstance(one, dict)]
    raised = [str(one.get("exception_message") or "") for one in parts if one.get("raised_exception")]
    return one_line(raised[0]) if raised else ""
