"""Findings grouped by the owners of the consumers that they reach, and what is new to each owner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import (
    CONSUMERS,
    EVERY_COLUMN,
    Code,
    ColumnRef,
    Severity,
    combine,
    consumers,
    impact,
)
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.store.notices import Told
from airflow_lineage_provider.store.records import indexable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_lineage_provider.graph import Finding, Graph
    from airflow_lineage_provider.lineage_map import LineageMap

_SERIOUS = {Severity.ERROR, Severity.WARNING}
_MEASURED = {Code.SLA_MISSED, Code.RETENTION_EXCEEDED, Code.SAVED_ANSWER_OLD, Code.REFRESH_LATE}
"""Findings whose message holds a measured time, which differs in every run."""


@dataclass(frozen=True, slots=True)
class OwnerNotice:
    """What an owner is to be told: the messages of findings; `standing` is all that is known then."""

    owner: str
    new: tuple[str, ...]
    changed: tuple[str, ...]
    gone: tuple[str, ...]
    standing: tuple[Told, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


def findings_by_owner(
    findings: Iterable[Finding], lineage_map: LineageMap, observed: Graph | None = None
) -> Mapping[str, list[Finding]]:
    """Return the errors and warnings by the owners of the consumers that each one reaches.

    A finding that reaches no consumer with an owner is of the owners of its own dataset, else of the owner
    of the map; without any it is under the empty name.
    """
    documented = read_map(lineage_map).graph
    graph = combine(documented, observed) if observed else documented
    by_owner: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.severity in _SERIOUS:
            owners = _owners(finding, graph) or (lineage_map.content.document.owner,)
            for owner in owners:
                by_owner.setdefault(owner, []).append(finding)
    return by_owner


def owner_notices(by_owner: Mapping[str, Sequence[Finding]], told: Iterable[Told]) -> list[OwnerNotice]:
    """Return what each owner is to be told, given what they were told before; who knows all is left out."""
    before: dict[str, dict[str, Told]] = {}
    for one in told:
        before.setdefault(one.owner, {})[one.finding] = one
    notices = (
        _notice(owner, by_owner.get(owner, ()), before.get(owner, {})) for owner in {**before, **by_owner}
    )
    return [notice for notice in notices if notice]


def _notice(owner: str, findings: Sequence[Finding], known: Mapping[str, Told]) -> OwnerNotice:
    standing = {one.finding: one for one in (_told(owner, finding) for finding in findings)}
    return OwnerNotice(
        owner,
        new=tuple(one.message for key, one in standing.items() if key not in known),
        changed=tuple(
            one.message for key, one in standing.items() if key in known and known[key].content != one.content
        ),
        gone=tuple(one.message for key, one in known.items() if key not in standing),
        standing=tuple(standing.values()),
    )


def _told(owner: str, finding: Finding) -> Told:
    measured = finding.code in _MEASURED
    content = str(finding.severity) if measured else f"{finding.severity} {finding.message}"
    # A subject may have several findings of a code: the documented value tells them apart.
    identity = indexable(f"{finding.code} {finding.subject} {finding.was}".rstrip())
    return Told(owner, identity, content, str(finding))


def _owners(finding: Finding, graph: Graph) -> tuple[str, ...]:
    start = _start(finding.subject.rpartition(" -> ")[2], graph)
    if start is None:
        return ()
    own = graph.datasets[start.dataset].owners
    reached = consumers(graph, impact(graph, [start], indirect=True))
    found = [owner for dataset in reached for owner in dataset.owners]
    if graph.datasets[start.dataset].kind in CONSUMERS:
        found = [*own, *found]
    return tuple(dict.fromkeys(found or own))


def _start(subject: str, graph: Graph) -> ColumnRef | None:
    """Return the column, or the dataset, that a finding is about; None where the graph has no such one."""
    if subject in graph.datasets:
        return ColumnRef(subject, EVERY_COLUMN)
    dataset, _, column = subject.rpartition(".")
    while dataset and dataset not in graph.datasets:
        dataset, _, rest = dataset.rpartition(".")
        column = f"{rest}.{column}"
    return ColumnRef(dataset, column) if dataset else None
