"""Documented service levels of sources against what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph.findings import Code, Finding
from airflow_lineage_provider.lineage_map.sla import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.graph.model import Provenance
    from airflow_lineage_provider.lineage_map import LineageMap


def source_sla(lineage_map: LineageMap, source: str) -> tuple[str, tuple[Provenance, ...]]:
    """Return the SLA that a map documents of a source, and where.

    Raises InputError for a source that the map does not have.
    """
    documented = lineage_map.content.sources.get(source)
    if documented is None:
        known = ", ".join(lineage_map.content.sources) or "none"
        raise InputError(f"{lineage_map.file} has no source {source!r}; it has {known}")
    where = lineage_map.where("sources", source, "extraction", "sla")
    return documented.extraction.sla, (where,)


def late(
    subject: str, sla: str, seconds: Mapping[str, float], documented: tuple[Provenance, ...] = ()
) -> list[Finding]:
    """Return a finding for each measure, in seconds by its name, that exceeds the SLA.

    Raises InputError where the SLA names no duration.
    """
    limit = parse_duration(sla).total_seconds()
    return [
        Finding(
            Code.SLA_MISSED,
            subject,
            f"{measure} of {subject} is {value:g} s, and {sla!r} is documented",
            documented=documented,
            was=f"{limit:g} s",
            now=f"{value:g} s",
        )
        for measure, value in seconds.items()
        if value >= limit
    ]


_FORMATS = ("AVRO", "PROTOBUF", "JSON")


def format_findings(lineage_map: LineageMap, topic: str, kinds: Iterable[str]) -> list[Finding]:
    """Return a finding where a topic's schemas are of another format than the map documents.

    `topic` is its logical name. A documented format that names none of Avro, Protobuf and JSON says nothing.
    """
    source, _, name = topic.partition(".")
    documented = lineage_map.content.sources.get(source)
    dataset = documented.datasets.get(name) if documented else None
    named = {kind for kind in _FORMATS if dataset and kind in dataset.format.upper()}
    return [
        Finding(
            Code.FORMAT_DIFFERS,
            topic,
            f"{topic} is {kind}, and {dataset.format!r} is documented",
            (lineage_map.where("sources", source, "datasets", name, "format"),),
            was=dataset.format,
            now=kind,
        )
        for kind in sorted(set(kinds))
        if dataset and named and kind not in named
    ]
