"""The validation of a run: the documented map against the events, as sensor and command line do it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.equality import same_expression, same_type
from airflow_lineage_provider.checks.lint import require_known_names
from airflow_lineage_provider.graph import CONSUMERS, compare
from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.readers.events import read_events
from airflow_lineage_provider.readers.manifest import read_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from airflow_lineage_provider.graph import Comparison, Graph
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers.events import JobRun
    from airflow_lineage_provider.readers.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Validation:
    """A comparison with what it was made from."""

    comparison: Comparison
    expected: Graph
    observed: Graph
    jobs: tuple[JobRun, ...] = ()
    problems: tuple[str, ...] = ()
    """What the provenance does not tell, and why."""


def validate(
    events: Iterable[Mapping[str, Any]],
    lineage_map: LineageMap,
    *,
    environment: str | None = None,
    scope: Sequence[str] | None = None,
) -> Validation:
    """Compare what the events say with what the map documents.

    `scope` names what this run was to produce: layers, datasets, or globs over datasets; without it,
    the layers that the environment produces, or all. Raises MapError for an environment or a dataset
    that the map does not have and ValueError for a scope that fits nothing.
    """
    expected = read_map(lineage_map)
    require_known_names(lineage_map, expected)
    observed = read_events(events, bindings_of(lineage_map, environment))
    comparison = compare(
        expected,
        observed.graph,
        scope=in_scope(lineage_map, expected, scope, environment),
        policy=lineage_map.policy(),
        same_type=same_type(observed.dialect),
        same_expression=same_expression(observed.dialect),
        reasons=_reasons(observed.jobs),
    )
    return Validation(comparison, expected, observed.graph, observed.jobs)


def check(
    manifest: Manifest,
    lineage_map: LineageMap,
    *,
    environment: str | None = None,
    cache: Path | None = None,
) -> Validation:
    """Compare what a dbt project would do with what the map documents, before anything runs.

    Held against the project are the tables of the map's layers that dbt makes, and the consumers if
    the project has exposures at all. `cache` is a file in which column lineage is kept from run to run.
    Raises MapError and ManifestError.
    """
    expected = read_map(lineage_map)
    require_known_names(lineage_map, expected)
    planned = read_manifest(manifest, bindings_of(lineage_map, environment), cache)
    exposed = bool(manifest.exposures)
    made_here = in_scope(lineage_map, expected, None, environment)

    def covered(name: str) -> bool:
        dataset = expected.datasets[name]
        return (made_here(name) and name not in planned.sources) or (exposed and dataset.kind in CONSUMERS)

    comparison = compare(
        expected,
        planned.graph,
        scope=covered,
        policy=lineage_map.policy(),
        same_type=same_type(planned.dialect),
        same_expression=same_expression(planned.dialect),
    )
    return Validation(comparison, expected, planned.graph, (), planned.problems)


def in_scope(
    lineage_map: LineageMap, expected: Graph, scope: Sequence[str] | None, environment: str | None
) -> Callable[[str], bool]:
    """Return whether a dataset is within layers, names and globs, else what the environment produces."""
    layers = {name: dataset.layer for name, dataset in expected.datasets.items()}
    place = lineage_map.content.environments.get(environment or "")
    wanted = scope or (place.produces if place else ()) or tuple(lineage_map.content.layers)
    chosen: set[str] = set()
    for part in wanted:
        found = {name for name, layer in layers.items() if layer == part or fnmatchcase(name, part)}
        if not found and (scope or part not in lineage_map.content.layers):
            known = ", ".join(sorted(lineage_map.content.layers))
            raise ValueError(f"the scope {part!r} fits nothing in the map; its layers are {known}")
        chosen |= found
    return chosen.__contains__


def expected_datasets(
    lineage_map: LineageMap, scope: Sequence[str] | None = None, environment: str | None = None
) -> frozenset[str]:
    """Return the datasets that a run of this scope is to produce: who waits for events, waits for these."""
    expected = read_map(lineage_map)
    return frozenset(filter(in_scope(lineage_map, expected, scope, environment), expected.datasets))


def _reasons(jobs: Iterable[JobRun]) -> Mapping[str, str]:
    """Return why datasets were not made: the job that would have made each failed, or has not ended."""
    reasons: dict[str, str] = {}
    for job in jobs:
        told = f"{job.name} ended {job.status}" if job.ended else f"{job.name} has not ended"
        if job.status != "COMPLETE":
            error = f" ({first_line(job.error)})" if job.error else ""
            reasons |= dict.fromkeys(job.outputs, told + error)
    return reasons


def first_line(text: str) -> str:
    """Return the first line that says something, in bounds."""
    return next((line.strip()[:200] for line in text.splitlines() if line.strip()), "")
