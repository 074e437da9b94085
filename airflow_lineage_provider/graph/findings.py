"""Verdicts, findings, and the policy that gives each finding its severity."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from airflow_lineage_provider.graph.model import Edge, Provenance


class Verdict(StrEnum):
    """The verdict on an edge, in the terms of DataHub's RFC 19079."""

    VERIFIED = "VERIFIED"  # documented and observed
    PHANTOM = "PHANTOM"  # documented and not observed
    UNDECLARED = "UNDECLARED"  # observed and not documented
    UNOBSERVED = "UNOBSERVED"  # documented, and out of scope


class Severity(StrEnum):
    """An error fails a run; a warning and a note are reported; an ignored finding is dropped."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    IGNORE = "ignore"


class Code(StrEnum):
    """The stable codes of findings, which a map's `policy` and `accepted` name."""

    DATASET_MISSING = "dataset-missing"
    DATASET_UNEXPECTED = "dataset-unexpected"
    EDGE_MISSING = "edge-missing"
    EDGE_UNEXPECTED = "edge-unexpected"
    SATISFIED_THROUGH = "satisfied-through"
    NOT_SELECTED = "not-selected"
    COLUMN_MISSING = "column-missing"
    COLUMN_UNEXPECTED = "column-unexpected"
    TYPE_CHANGED = "type-changed"
    COLUMN_EDGE_MISSING = "column-edge-missing"
    COLUMN_EDGE_UNEXPECTED = "column-edge-unexpected"
    TRANSFORMATION_CHANGED = "transformation-changed"
    EXPRESSION_CHANGED = "expression-changed"
    PROPERTY_CHANGED = "property-changed"
    # Found by reconciling several kinds of evidence.
    SEVERAL_NAMES = "several-names"
    STALE = "stale"
    NO_COLUMN_LINEAGE = "no-column-lineage"
    # Of a source system, against its documented service level.
    SLA_MISSED = "sla-missed"
    RETENTION_EXCEEDED = "retention-exceeded"
    FORMAT_DIFFERS = "format-differs"
    PRODUCER_DIFFERS = "producer-differs"
    CONSUMER_DIFFERS = "consumer-differs"
    FIELD_ADDED = "field-added"
    FIELD_REMOVED = "field-removed"
    FIELD_RETYPED = "field-retyped"
    # Of the quality checks that a map documents.
    CHECK_MISSING = "check-missing"
    CHECK_NOT_RUN = "check-not-run"
    # Of evidence that is not live.
    SAVED_ANSWER_OLD = "saved-answer-old"
    ANSWER_INCOMPLETE = "answer-incomplete"
    # Of a dashboard, against its documented refresh.
    REFRESH_LATE = "refresh-late"
    # Of a migration.
    CONSUMER_AFFECTED = "consumer-affected"
    MIGRATION_UNREAD = "migration-unread"
    # Of the query log of a warehouse.
    ADHOC_WRITE = "adhoc-write"
    UNDOCUMENTED_COPY = "undocumented-copy"
    NOT_QUERIED = "not-queried"
    # Of evidence that could not be read as a whole.
    INCOMPLETE = "incomplete"
    # Found by linting a map.
    NO_ENVIRONMENTS = "no-environments"
    NO_BINDINGS = "no-bindings"
    AMBIGUOUS_BINDING = "ambiguous-binding"
    UNKNOWN_DATASET = "unknown-dataset"
    UNKNOWN_COLUMN = "unknown-column"
    AMBIGUOUS_COLUMN = "ambiguous-column"
    CYCLE = "cycle"
    READS_UPWARD = "reads-upward"
    NOT_LISTED = "not-listed"
    NOT_FED = "not-fed"
    NOT_READ = "not-read"
    SKIPS_TABLE = "skips-table"
    SCENARIO_DIFFERS = "scenario-differs"
    CHANGED_SINCE_APPROVAL = "changed-since-approval"


DEFAULT_SEVERITIES: Mapping[Code, Severity] = {
    Code.SATISFIED_THROUGH: Severity.NOTE,
    Code.NOT_SELECTED: Severity.IGNORE,
    Code.CHECK_NOT_RUN: Severity.NOTE,
    Code.FIELD_ADDED: Severity.NOTE,
    Code.PRODUCER_DIFFERS: Severity.WARNING,
    Code.CONSUMER_DIFFERS: Severity.WARNING,
    Code.CHANGED_SINCE_APPROVAL: Severity.WARNING,
    Code.UNDOCUMENTED_COPY: Severity.WARNING,
    Code.NOT_QUERIED: Severity.WARNING,
    Code.INCOMPLETE: Severity.WARNING,
    Code.ANSWER_INCOMPLETE: Severity.WARNING,
    Code.NO_ENVIRONMENTS: Severity.NOTE,
    Code.NOT_LISTED: Severity.WARNING,
    Code.NOT_FED: Severity.WARNING,
    Code.NOT_READ: Severity.WARNING,
    Code.SKIPS_TABLE: Severity.WARNING,
    Code.SEVERAL_NAMES: Severity.WARNING,
    Code.STALE: Severity.WARNING,
    Code.NO_COLUMN_LINEAGE: Severity.WARNING,
}
"""Every other code is an error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference between documented and observed lineage.

    `subject` is the dataset, column or edge. `documented` and `observed` are where each side is recorded.
    `accepted` is the reason why people accept it. `was` and `now` are the two types or expressions that
    differ.
    """

    code: Code
    subject: str
    message: str
    documented: tuple[Provenance, ...] = ()
    observed: tuple[Provenance, ...] = ()
    severity: Severity = Severity.ERROR
    accepted: str = ""
    was: str = ""
    now: str = ""

    def __str__(self) -> str:
        where = [f"documented in {e}" for e in self.documented[:1]]
        where += [f"{e.verb} {e}" for e in self.observed[:1]]
        return f"{self.code}: {self.message}" + (f" ({', '.join(where)})" if where else "")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A finding that is accepted through the day `until`; `subject` may be a glob."""

    code: Code
    subject: str
    reason: str
    until: dt.date
    provenance: Provenance | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether this accepts the finding, whatever the day."""
        return self.code == finding.code and fnmatchcase(finding.subject, self.subject)


@dataclass(frozen=True, slots=True)
class Policy:
    """The severity of each code, and the accepted findings; an expired acceptance is reported."""

    severities: Mapping[Code, Severity] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    today: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())

    def severity(self, code: Code) -> Severity:
        """Return the policy's severity, else the default one."""
        return self.severities.get(code) or DEFAULT_SEVERITIES.get(code, Severity.ERROR)


@dataclass(frozen=True, slots=True)
class EdgeVerdict:
    """An edge and its verdict; `through` are the datasets between, where it is satisfied through a path."""

    edge: Edge
    verdict: Verdict
    through: tuple[str, ...] = ()
    saved: str = ""
    """When the saved answer was made (ISO 8601) without which the edge would not have been observed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of `compare`: a verdict for every edge, findings, and accepted findings apart."""

    edges: tuple[EdgeVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    column_edges: Mapping[Verdict, int] = field(default_factory=dict)
    """The number of column edges by verdict."""

    @property
    def severity(self) -> Severity:
        """The highest severity among the findings; IGNORE where there is none."""
        present = {finding.severity for finding in self.findings}
        return next((severity for severity in Severity if severity in present), Severity.IGNORE)

    @property
    def agreed(self) -> bool:
        """Whether no finding is an error."""
        return self.severity != Severity.ERROR


def weigh(findings: Iterable[Finding], policy: Policy) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings with their severities, and apart from them the accepted ones."""
    counted, accepted = [], []
    for found in findings:
        severity = policy.severity(found.code)
        if severity is Severity.IGNORE:
            continue
        finding = replace(found, severity=severity)
        acceptance = next((a for a in policy.accepted if a.covers(finding)), None)
        if acceptance is None:
            counted.append(finding)
        elif acceptance.until >= policy.today:
            accepted.append(replace(finding, accepted=f"{acceptance.reason}, until {acceptance.until}"))
        else:
            lapsed = f"{finding.message}; its acceptance ({acceptance.reason}) ended {acceptance.until}"
            counted.append(replace(finding, message=lapsed))
    return _in_order(counted), _in_order(accepted)


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    codes = {code: rank for rank, code in enumerate(Code)}
    return tuple(sorted(findings, key=lambda f: (ranks[f.severity], codes[f.code], f.subject)))
