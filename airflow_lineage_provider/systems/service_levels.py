"""Documented service levels of sources against what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph.findings import Code, Finding
from airflow_lineage_provider.lineage_map.sla import parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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


@dataclass(frozen=True, slots=True)
class TableAge:
    """When the oldest and the newest row of a table were loaded; None of an empty table."""

    table: str
    oldest: datetime | None
    newest: datetime | None


def age_findings(
    lineage_map: LineageMap, layer: str, ages: Iterable[TableAge], now: datetime, grace: timedelta
) -> list[Finding]:
    """Return a finding for each table whose rows are older than the layer's retention, or not fresh.

    Rows may outlive the retention by `grace`, because the job that deletes them runs now and then. A source's
    SLA is about freshness where it says `fresh`: then the newest row may be no older. Raises InputError for a
    layer without a retention, and for a retention or SLA that names no duration.
    """
    documented = lineage_map.content.layers.get(layer)
    if documented is None or not documented.retention:
        raise InputError(f"{lineage_map.file} documents no retention of a layer {layer!r}")
    retention = parse_duration(documented.retention)
    where = (lineage_map.where("layers", layer, "retention"),)
    slas = dict(_freshness(lineage_map))
    findings = []
    for age in ages:
        if age.oldest and now - age.oldest > retention + grace:
            days = (now - age.oldest) / timedelta(days=1)
            rows = f"the oldest row of {age.table} is {days:.1f} days old"
            message = f"{rows}, and {documented.retention!r} is documented"
            findings.append(Finding(Code.RETENTION_EXCEEDED, age.table, message, where))
        if age.newest and age.table in slas:
            sla, place = slas[age.table]
            old = (now - age.newest).total_seconds()
            findings += late(age.table, sla, {"age of the newest row": round(old, 1)}, (place,))
    return findings


def job_findings(
    lineage_map: LineageMap, layer: str, job: str, last: datetime | None, now: datetime, every: timedelta
) -> list[Finding]:
    """Return a finding where the job that deletes old rows has not completed within `every`."""
    if last and now - last <= every:
        return []
    when = f"last completed at {last:%Y-%m-%d %H:%M} UTC" if last else "has never been seen to complete"
    message = f"{job}, which keeps the retention of {layer}, {when}"
    return [
        Finding(Code.RETENTION_EXCEEDED, layer, message, (lineage_map.where("layers", layer, "retention"),))
    ]


def _freshness(lineage_map: LineageMap) -> Iterator[tuple[str, tuple[str, Provenance]]]:
    """Yield the SLA of each table that a source is extracted to, where the SLA is about freshness."""
    for name, source in lineage_map.content.sources.items():
        if "fresh" in source.extraction.sla.lower():
            where = lineage_map.where("sources", name, "extraction", "sla")
            for dataset in source.datasets.values():
                yield from ((table, (source.extraction.sla, where)) for table in dataset.to)
