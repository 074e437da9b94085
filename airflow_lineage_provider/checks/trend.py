"""The trend of a reconciliation: what is new, what is gone, and since when the rest is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.review_package import report_subject
from airflow_lineage_provider.store.reports import add_report, reports

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from airflow_lineage_provider.checks.reconcile import Reconciliation
    from airflow_lineage_provider.graph import Finding
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.store.store import EventStore

KIND = "reconciliation"
"""The kind of these reports in the event store."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The difference to the last report; `previous` is its time, empty where there is none.

    `new` and `gone` are findings as `code subject`; `since` is the day on which each was found first.
    """

    previous: str = ""
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    since: Mapping[str, str] = field(default_factory=dict)


def key_of(finding: Finding) -> str:
    """Return what identifies a finding from week to week: its code and its subject."""
    return f"{finding.code} {finding.subject}"


def trend_of(found: Reconciliation, previous: Mapping[str, Any] | None, now: str) -> Trend:
    """Return the trend since a previous report, as `report_content` made it; `now` is an ISO 8601 time.

    Of an incomplete reconciliation nothing is gone: what it does not find may still be there.
    """
    keys = [key_of(finding) for finding in found.comparison.findings]
    known = {str(one.get("key")): str(one.get("since")) for one in (previous or {}).get("findings", ())}
    kept = dict.fromkeys(keys) | (dict.fromkeys(known) if found.incomplete else {})
    return Trend(
        previous=str((previous or {}).get("made_at", "")),
        new=tuple(key for key in keys if key not in known),
        gone=() if found.incomplete else tuple(key for key in known if key not in keys),
        since={key: known.get(key, now[:10]) for key in kept},
    )


def report_content(found: Reconciliation, trend: Trend) -> dict[str, Any]:
    """Return what the event store keeps of a reconciliation."""
    counts: dict[str, int] = {}
    for finding in found.comparison.findings:
        counts[str(finding.severity)] = counts.get(str(finding.severity), 0) + 1
    return {
        "kinds": list(found.kinds),
        "edges": len(found.edges),
        "agreed": sum("-" not in row.has.values() for row in found.edges),
        "counts": [{"severity": severity, "findings": number} for severity, number in counts.items()],
        "incomplete": list(found.incomplete),
        "findings": [{"key": key, "since": since} for key, since in trend.since.items()],
    }


def last_trend(
    store: EventStore | None, lineage_map: LineageMap, found: Reconciliation, now: datetime
) -> Trend:
    """Return the trend since the last reconciliation of a map that a store keeps. Raises StoreError."""
    last = reports(store, KIND, report_subject(lineage_map), last=1) if store is not None else []
    return trend_of(found, last[0] if last else None, now.isoformat())


def keep_report(
    store: EventStore, lineage_map: LineageMap, found: Reconciliation, trend: Trend, now: datetime
) -> None:
    """Keep a reconciliation in the event store. Raises StoreError."""
    add_report(store, KIND, report_subject(lineage_map), now, report_content(found, trend))
