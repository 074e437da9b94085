"""Compare evidence with the documented map: the validation of a run, and the check of a dbt project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.answers import incomplete_answers, late_refreshes, unknown_sources
from airflow_lineage_provider.checks.bindings import require_bindings
from airflow_lineage_provider.checks.equality import same_expression, same_type
from airflow_lineage_provider.checks.lint import require_known_names
from airflow_lineage_provider.checks.quality import check_findings
from airflow_lineage_provider.checks.saved_answers import old_answers
from airflow_lineage_provider.checks.scope import in_map_scope, in_scope, reported
from airflow_lineage_provider.graph import CONSUMERS, as_documented, compare
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_lineage_provider.graph import Comparison, Graph
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers import Evidence, JobRun


@dataclass(frozen=True, slots=True)
class Validation:
    """A comparison, and the evidence that was compared."""

    comparison: Comparison
    evidence: Evidence


def validate(
    evidence: Evidence,
    lineage_map: LineageMap,
    *,
    environment: str | None = None,
    scope: Sequence[str] | None = None,
    now: datetime | None = None,
) -> Validation:
    """Compare evidence with what the map documents.

    `scope` names what the evidence must contain: layers, datasets, or globs over datasets; without it, the
    layers that the environment produces, or all. What a run contains beside its scope is reported too, and
    of a dbt project only what is in scope. Nothing outside of the map's own scope is expected or reported.
    Dashboards, feature views and models are expected of evidence that lists such consumers, or that has made
    them. A saved answer is as old as it is at `now`, by default the present time.

    Raises MapError for an environment or a dataset that the map does not have and for bindings that fit
    nothing observed, and InputError for a scope that fits nothing.
    """
    expected = read_map(lineage_map).graph
    evidence = _as_documented(expected, evidence)
    require_known_names(lineage_map, expected)
    require_bindings(lineage_map, expected, evidence.graph, environment)
    chosen = in_scope(lineage_map, expected, scope, environment)
    inside = in_map_scope(lineage_map)
    # What a job did not make, because it failed, is expected like what one made.
    attempted = {*evidence.graph.upstream, *chain.from_iterable(map(_outputs, evidence.jobs))}

    def covered(name: str) -> bool:
        if expected.datasets[name].kind in CONSUMERS:
            listed = (
                evidence.lists_consumers
                or expected.datasets[name].system.casefold() in evidence.lists_all
                or name in attempted
            )
            return (listed and not scope and inside(name)) or chosen(name)
        return chosen(name) and not evidence.only_consumers and name not in evidence.only_read

    comparison = compare(
        expected,
        evidence.graph,
        scope=covered,
        reported=reported(lineage_map, scope if evidence.is_plan else None),
        policy=lineage_map.policy(),
        same_type=same_type(evidence.dialect),
        same_expression=same_expression(evidence.dialect),
        reasons=failure_reasons(evidence.jobs),
        also=(
            *old_answers(evidence.jobs, lineage_map, now or datetime.now(UTC)),
            *incomplete_answers(evidence.jobs),
            *unknown_sources(expected, evidence.graph),
            *late_refreshes(evidence.jobs, lineage_map),
            *check_findings(lineage_map, evidence, covered),
        ),
    )
    return Validation(comparison, evidence)


def _as_documented(expected: Graph, evidence: Evidence) -> Evidence:
    """Return the evidence without what BI tools have between tables and consumers, and without its jobs."""
    graph = as_documented(expected, evidence.graph)
    if graph is evidence.graph:
        return evidence
    gone = evidence.graph.datasets.keys() - graph.datasets.keys()
    jobs = (job for job in evidence.jobs if not job.outputs or not gone.issuperset(_outputs(job)))
    return replace(evidence, graph=graph, jobs=tuple(jobs))


def _outputs(job: JobRun) -> Iterator[str]:
    return (output.logical for output in job.outputs)


def failure_reasons(jobs: Iterable[JobRun]) -> Mapping[str, str]:
    """Return why datasets were not produced: the job that writes each one failed, or has not ended."""
    reasons: dict[str, str] = {}
    for job in jobs:
        if job.status != "COMPLETE":
            outcome = f"{job.label} ended {job.status}" if job.ended else f"{job.label} has not ended"
            error = f" ({first_line(job.error)})" if job.error else ""
            reasons |= dict.fromkeys((output.logical for output in job.outputs), outcome + error)
    return reasons


def first_line(text: str) -> str:
    """Return the first line that is not blank, of at most 200 characters."""
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "")
