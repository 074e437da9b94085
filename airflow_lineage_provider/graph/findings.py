"""What a comparison says: verdicts, findings, and the policy that weighs them."""

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
    """What became of an edge, in the words of the DataHub RFC 19079 that the field is taking up."""

    VERIFIED = "VERIFIED"  # documented, and it flowed
    PHANTOM = "PHANTOM"  # documented, and nothing flowed
    UNDECLARED = "UNDECLARED"  # flowed, and nobody documented it
    UNOBSERVED = "UNOBSERVED"  # documented, and outside of what this run covers


class Severity(StrEnum):
    """How much a finding counts: an error fails a run, a warning warns, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    IGNORE = "ignore"


class Code(StrEnum):
    """The stable names of findings, by which a policy weighs and a person accepts them."""

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
    # What a source system does against what is documented of it.
    SLA_MISSED = "sla-missed"
    # What a map says against itself.
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


DEFAULT_SEVERITIES: Mapping[Code, Severity] = {
    Code.SATISFIED_THROUGH: Severity.NOTE,
    Code.NOT_SELECTED: Severity.IGNORE,
    Code.NOT_LISTED: Severity.WARNING,
    Code.NOT_FED: Severity.WARNING,
    Code.NOT_READ: Severity.WARNING,
    Code.SKIPS_TABLE: Severity.WARNING,
}
"""What is not named here is an error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: what it is about, what is wrong, and where both sides stand.

    `was` and `now` are the two types or expressions where these differ.
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
        where += [f"{'emitted by' if e.run_id else 'found in'} {e}" for e in self.observed[:1]]
        return f"{self.code}: {self.message}" + (f" ({', '.join(where)})" if where else "")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A difference that people know and live with until a day; `subject` may be a glob."""

    code: Code
    subject: str
    reason: str
    until: dt.date
    provenance: Provenance | None = None

    def covers(self, finding: Finding) -> bool:
        """Whether this is about that finding."""
        return self.code == finding.code and fnmatchcase(finding.subject, self.subject)


@dataclass(frozen=True, slots=True)
class Policy:
    """How findings weigh. An acceptance whose day has passed is reported, and no longer covers."""

    severities: Mapping[Code, Severity] = field(default_factory=dict)
    accepted: tuple[Acceptance, ...] = ()
    today: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())

    def severity(self, code: Code) -> Severity:
        """Return the policy's weight, else the default one."""
        return self.severities.get(code) or DEFAULT_SEVERITIES.get(code, Severity.ERROR)


@dataclass(frozen=True, slots=True)
class EdgeVerdict:
    """An edge, what became of it, and the datasets in between where it is satisfied through them."""

    edge: Edge
    verdict: Verdict
    through: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of `compare`: a verdict for every edge, and the findings that count."""

    edges: tuple[EdgeVerdict, ...] = ()
    findings: tuple[Finding, ...] = ()
    accepted: tuple[Finding, ...] = ()
    column_edges: Mapping[Verdict, int] = field(default_factory=dict)
    """How many column edges have each verdict."""

    @property
    def severity(self) -> Severity:
        """The gravest severity among the findings; IGNORE where there is none."""
        present = {finding.severity for finding in self.findings}
        return next((severity for severity in Severity if severity in present), Severity.IGNORE)

    @property
    def agreed(self) -> bool:
        """Whether no finding is an error."""
        return self.severity != Severity.ERROR


def weigh(findings: Iterable[Finding], policy: Policy) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings that count, each with its severity, and those that people accepted."""
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
