"""A validation in the form that is kept in the event store."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map import Included, bindings_of
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.reports.views.saved import MapFacts, SavedValidation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.checks import Validation
    from airflow_lineage_provider.lineage_map import LineageMap, MapSource


def saved_validation(
    validation: Validation, lineage_map: LineageMap, text: str, environment: str | None
) -> SavedValidation:
    """Return a validation with the facts of its map; `text` is the map's YAML.

    Of the map's path only the file's name is kept: the folders are of the machine that ran the task.
    """
    evidence, comparison = validation.evidence, validation.comparison
    bindings = bindings_of(lineage_map, environment)
    facts = replace(
        map_facts(lineage_map, text),
        environment=environment,
        bindings=bindings.templates(),
        dialect=evidence.dialect,
        included=tuple(_beside(lineage_map.source)),
    )
    names = {
        (one.logical, one.namespace, one.name) for job in evidence.jobs for one in (*job.inputs, *job.outputs)
    }
    return SavedValidation(
        facts=facts,
        documented=read_map(lineage_map).graph,
        observed=evidence.graph,
        edges=comparison.edges,
        findings=comparison.findings,
        accepted=comparison.accepted,
        names=tuple(sorted(names)),
        notes=(*evidence.problems, *evidence.incomplete),
    )


def _beside(source: MapSource) -> Iterator[Included]:
    """Yield the included files with paths from the map's folder, as the map's own file has only its name."""
    folder = os.path.dirname(source.file)  # noqa: PTH120 - a relative path follows
    for one in source.included:
        yield Included(
            os.path.relpath(one.file, folder or "."),
            one.text,
            one.dbt and os.path.relpath(one.dbt, folder or "."),
        )


def map_facts(lineage_map: LineageMap, text: str) -> MapFacts:
    """Return what the views show of a map beside its graph; `text` is its YAML."""
    content = lineage_map.content
    return MapFacts(
        title=content.document.title,
        file=Path(lineage_map.file).name,
        text=text,
        environment=None,
        sources=tuple((name, source.title or name) for name, source in content.sources.items()),
        layers=tuple((name, layer.title or name) for name, layer in content.layers.items()),
        service_levels=tuple(_service_levels(lineage_map)),
    )


def _service_levels(lineage_map: LineageMap) -> Iterator[tuple[str, str]]:
    for key, source in lineage_map.content.sources.items():
        if source.extraction.sla:
            for name in source.datasets:
                yield f"{key}.{name}", source.extraction.sla
