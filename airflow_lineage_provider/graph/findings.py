"""What a comparison says: verdicts, findings, and the policy that weighs them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.graph.model import Edge, Evidence


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


DEFAULT_SEVERITIES: Mapping[Code, Severity] = {
    Code.SATISFIED_THROUGH: Severity.NOTE,
    Code.NOT_SELECTED: Severity.IGNORE,
}
"""What is not named here is an error."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: what it is about, what is wrong, and where both sides stand."""

    code: Code
    subject: str
    message: str
    documented: tuple[Evidence, ...] = ()
    observed: tuple[Evidence, ...] = ()
    severity: Severity = Severity.ERROR
    accepted: str = ""

    def __str__(self) -> str:
        where = [f"documented in {e}" for e in self.documented[:1]]
        where += [f"emitted by {e}" for e in self.observed[:1]]
        return f"{self.code}: {self.message}" + (f" ({', '.join(where)})" if where else "")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A difference that people know and live with until a day; `subject` may be a glob."""

    code: Code
    subject: str
    reason: str
    until: dt.date
    evidence: Evidence | None = None

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

    @property
    def severity(self) -> Severity:
        """The gravest severity among the findings; IGNORE where there is none."""
        present = {finding.severity for finding in self.findings}
        return next((severity for severity in Severity if severity in present), Severity.IGNORE)

    @property
    def agreed(self) -> bool:
        """Whether no finding is an error."""
        return self.severity != Severity.ERROR
