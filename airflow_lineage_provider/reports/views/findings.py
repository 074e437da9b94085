"""The findings of a run, each with both sides and the entry of the map that would accept it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import yaml

from airflow_lineage_provider.reports.views.lineage import gravity
from airflow_lineage_provider.reports.views.models import FindingView, MapLine

if TYPE_CHECKING:
    from airflow_lineage_provider.graph import Finding, Provenance
    from airflow_lineage_provider.reports.views.lineage import RunLineage

DAYS_ACCEPTED = 30


def finding_views(lineage: RunLineage, today: dt.date, dataset: str | None = None) -> list[FindingView]:
    """Return the findings, of a dataset or all, the gravest first.

    Their acceptance would end 30 days after `today`.
    """
    return [
        _view(lineage, finding, today)
        for finding in lineage.findings
        if dataset is None or lineage.subjects[finding.subject][0] == dataset
    ]


def _view(lineage: RunLineage, finding: Finding, today: dt.date) -> FindingView:
    dataset, column = lineage.subjects[finding.subject]
    place = next((one for one in finding.documented if one.line), None)
    return FindingView(
        code=str(finding.code),
        severity=gravity(finding),
        subject=finding.subject,
        message=finding.message,
        documented=finding.was or _where(lineage, finding.documented),
        observed=finding.now or _where(lineage, finding.observed),
        dataset=dataset or None,
        column=column or None,
        source=MapLine(file=lineage.file(place), line=place.line) if place else None,
        accept=acceptance(str(finding.code), finding.subject, today),
    )


def _where(lineage: RunLineage, places: tuple[Provenance, ...]) -> str | None:
    if not places:
        return None
    first = places[0]
    return f"{lineage.file(first)}:{first.line}" if first.line else str(first)


def acceptance(code: str, subject: str, today: dt.date) -> str:
    """Return an entry for the map's `accepted` as YAML."""
    until = today + dt.timedelta(days=DAYS_ACCEPTED)
    entry = {"finding": code, "subject": subject, "reason": "say why", "until": until}
    return yaml.safe_dump({"accepted": [entry]}, sort_keys=False, allow_unicode=True, width=1_000)
