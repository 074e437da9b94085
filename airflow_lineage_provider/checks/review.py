"""The review of a map by people: what they have to look at before they sign."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.approved import since_approval
from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.checks.observed import observed_datasets
from airflow_lineage_provider.graph import CONSUMERS, Severity
from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.lineage_map.approval import digest_of
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from airflow_lineage_provider.checks.approved import SinceApproval
    from airflow_lineage_provider.checks.observed import ObservedDataset
    from airflow_lineage_provider.graph import Finding, Graph
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.lineage_map.governance import Approval
    from airflow_lineage_provider.lineage_map.model import Accepted

HISTORIES = ("validation", "reconciliation", "audit")
"""The kinds of reports in the event store that a review shows."""
_SOON = dt.timedelta(days=92)


@dataclass(frozen=True, slots=True)
class PastCheck:
    """A check that ran before: the kind, when, its outcome in a word, and what it found."""

    kind: str
    at: str
    outcome: str
    text: str


@dataclass(frozen=True, slots=True)
class Review:
    """The package that is signed. `problems` are the reasons why a part of it is not known."""

    lineage_map: LineageMap
    day: dt.date
    since: dt.date
    digest: str
    changes: SinceApproval
    findings: tuple[Finding, ...]
    accepted: tuple[Accepted, ...]
    history: tuple[PastCheck, ...]
    observed: tuple[ObservedDataset, ...]
    questions: tuple[str, ...]
    problems: tuple[str, ...] = ()

    def state_of(self, approval: Approval) -> str:
        """Return whether an approval holds: signed, changed since, signed without a digest, or open."""
        if not approval.name:
            return "open"
        if not approval.digest:
            return "signed, without a digest"
        return "signed" if approval.digest == self.digest else "changed since"


def review(
    lineage_map: LineageMap,
    events: Iterable[Mapping[str, Any]],
    reports: Mapping[str, Sequence[Mapping[str, Any]]],
    *,
    today: dt.date,
    since: dt.date,
    environment: str | None = None,
    revision: str = "",
    problems: Sequence[str] = (),
) -> Review:
    """Return the review of a map over the days from `since` to `today`.

    `events` are those of the event store, and `reports` its reports by kind, the newest first. `revision` is
    the git revision to compare with in place of the last approval. `problems` are reasons why these are not
    complete. Raises MapError and InputError for an unknown environment or revision.
    """
    expected = read_map(lineage_map).graph
    linted = lint(lineage_map, today)
    start = dt.datetime.combine(since, dt.time(), dt.UTC)
    observed = observed_datasets(events, expected, bindings_of(lineage_map, environment), start)
    changes = since_approval(lineage_map, revision)
    if not any(one.runs for one in observed):
        problems = [*problems, "no event in this time names a documented dataset, so coverage is not known"]
    return Review(
        lineage_map=lineage_map,
        day=today,
        since=since,
        digest=digest_of(lineage_map.content),
        changes=changes,
        findings=linted.findings,
        accepted=lineage_map.content.accepted,
        history=tuple(_history(reports, since)),
        observed=tuple(observed),
        questions=tuple(_questions(lineage_map, expected, linted.findings, observed, changes, today)),
        problems=tuple(problems),
    )


def _history(reports: Mapping[str, Sequence[Mapping[str, Any]]], since: dt.date) -> Iterator[PastCheck]:
    for kind in HISTORIES:
        for one in reports.get(kind, ()):
            at = str(one.get("made_at", ""))
            if at[:10] < since.isoformat():
                continue
            counts = {
                str(count.get("severity")): int(count.get("findings", 0)) for count in one.get("counts") or ()
            }
            incomplete = bool(one.get("incomplete"))
            outcome = "DRIFT" if counts.get("error") else "INCOMPLETE" if incomplete else "WARN"
            if not incomplete and not counts.get("error") and not counts.get("warning"):
                outcome = "PASS"
            found = ", ".join(f"{number} {severity}" for severity, number in counts.items() if number)
            edges = one.get("edges")
            of = f"{one.get('agreed')} of {edges} edges agree" if edges is not None else ""
            yield PastCheck(kind, at, outcome, "; ".join(filter(None, (of, found))))


def _questions(
    lineage_map: LineageMap,
    expected: Graph,
    findings: Iterable[Finding],
    observed: Iterable[ObservedDataset],
    changes: SinceApproval,
    today: dt.date,
) -> Iterator[str]:
    """Yield what the reviewers have to decide."""
    for finding in findings:
        if finding.severity in {Severity.ERROR, Severity.WARNING}:
            yield f"{finding.message} ({finding.code}): is this intended?"
    yield from _ending(lineage_map, today)
    unowned = [
        d.name for d in expected.datasets.values() if not d.owners and (d.layer or d.kind in CONSUMERS)
    ]
    if unowned:
        yield f"Who owns {_listed(unowned)}?"
    yield from _unobserved(list(observed), expected)
    if not changes.known:
        yield f"{changes.note[:1].upper()}{changes.note[1:]}."


def _ending(lineage_map: LineageMap, today: dt.date) -> Iterator[str]:
    for accepted in lineage_map.content.accepted:
        about = f"{accepted.finding} of {accepted.subject} ({accepted.reason})"
        if accepted.until < today:
            yield f"The acceptance of {about} ended {accepted.until}: is it resolved?"
        elif accepted.until - today <= _SOON:
            yield f"The acceptance of {about} ends {accepted.until}: will it be resolved by then?"


def _unobserved(observed: Sequence[ObservedDataset], expected: Graph) -> Iterator[str]:
    if not any(one.runs for one in observed):
        return
    consumers = {name for name, dataset in expected.datasets.items() if dataset.kind in CONSUMERS}
    never = [one.name for one in observed if not one.runs and one.name not in consumers]
    if never:
        yield f"{_listed(never)} were not observed in the period: are they still in use?"
    for one in observed:
        if one.runs and one.missing:
            yield f"{one.name}: {_listed(one.missing)} were not observed: do these columns exist?"


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} others" if len(names) > most else ""
    return ", ".join(names[:most]) + more
