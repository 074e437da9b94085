"""Compare what a warehouse really ran with the documented map: the audit of its query log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.bindings import require_bindings
from airflow_lineage_provider.checks.equality import same_expression, same_type
from airflow_lineage_provider.checks.lint import require_known_names
from airflow_lineage_provider.checks.scope import in_map_scope, in_scope, reported
from airflow_lineage_provider.graph import (
    Code,
    Comparison,
    EdgeVerdict,
    Finding,
    Policy,
    Severity,
    Verdict,
    compare,
    weigh,
)
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers.query_log import LoggedWrite, LoggedWrites

_MISSING = frozenset({Code.EDGE_MISSING, Code.DATASET_MISSING, Code.COLUMN_EDGE_MISSING})
_EVERYTHING = Policy(dict.fromkeys(Code, Severity.NOTE))
_NOT_SHOWN = "and no statement in the log shows it"
_UNATTRIBUTED = (
    "the log names neither users nor dbt nodes: which writes are of the documented jobs is not known"
)


@dataclass(frozen=True, slots=True)
class Audit:
    """The outcome of an audit.

    `outside` are the writes outside of the documented jobs, the newest first. `incomplete` are the reasons
    why writes may be missing.
    """

    comparison: Comparison
    outside: tuple[LoggedWrite, ...]
    statements: int
    shapes: int
    incomplete: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


def audit(
    logged: LoggedWrites,
    lineage_map: LineageMap,
    *,
    environment: str | None = None,
    scope: Sequence[str] | None = None,
) -> Audit:
    """Compare the writes of a query log with what the map documents.

    A write is one of a documented job where its user is one of the map's `pipeline.users`; without these, or
    where the log has no users, where it has dbt's query comment. Other writes into documented layers are
    findings, and so are documented edges between tables of the warehouse that no statement shows.

    Raises MapError and InputError as `validate` does.
    """
    expected = read_map(lineage_map).graph
    everything = logged.evidence()
    require_known_names(lineage_map, expected)
    require_bindings(lineage_map, expected, everything.graph, environment)
    is_documented, problems = _attribution(logged, lineage_map)
    jobs = logged.evidence(is_documented)
    chosen = in_scope(lineage_map, expected, scope, environment)

    def covered(name: str) -> bool:
        return chosen(name) and any(expected.datasets[one].layer for one in expected.parents(name))

    def compared(graph: Graph) -> Comparison:
        return compare(
            expected,
            graph,
            scope=covered,
            reported=reported(lineage_map, scope),
            policy=_EVERYTHING,
            same_type=same_type(logged.dialect),
            same_expression=same_expression(logged.dialect),
        )

    shown, by_jobs = compared(everything.graph), compared(jobs.graph)
    outside = tuple(
        sorted(
            (w for w in (*logged.writes, *logged.definitions) if not is_documented(w)),
            key=lambda w: w.last,
            reverse=True,
        )
    )
    incomplete = (*problems, *logged.problems)
    findings = [
        *(f for f in by_jobs.findings if f.code not in _MISSING),
        *_not_shown(shown.findings, expected, logged),
        *_outside(outside, expected, lineage_map),
        *(Finding(Code.INCOMPLETE, "query log", f"the query log is incomplete: {p}") for p in incomplete),
    ]
    counted, accepted = weigh(findings, lineage_map.policy())
    verdicts = tuple(_of_warehouse(edge, expected) for edge in shown.edges)
    comparison = Comparison(verdicts, counted, accepted, shown.column_edges)
    return Audit(comparison, outside, logged.statements, logged.shapes, incomplete, logged.gaps)


def _attribution(
    logged: LoggedWrites, lineage_map: LineageMap
) -> tuple[Callable[[LoggedWrite], bool], tuple[str, ...]]:
    """Return whether a write is one of a documented job, and what cannot be told."""
    users = lineage_map.content.pipeline.users
    if users and any(write.user for write in logged.writes):
        return lambda write: any(fnmatchcase(write.user, user) for user in users), ()
    if logged.writes and not any(write.user or write.node for write in logged.writes):
        return lambda _: True, (_UNATTRIBUTED,)
    return lambda write: bool(write.node), ()


def _not_shown(findings: Iterable[Finding], expected: Graph, logged: LoggedWrites) -> Iterator[Finding]:
    """Yield the documented edges that no statement shows; edges from outside of the warehouse cannot be."""
    unknown = {write.target for write in logged.writes if not write.columns_known}
    for finding in findings:
        source, _, target = finding.subject.rpartition(" -> ")
        if finding.code is Code.DATASET_MISSING:
            message = f"{finding.subject} is documented, and no statement in the log writes it"
        elif (finding.code is Code.EDGE_MISSING and expected.datasets[source].layer) or (
            finding.code is Code.COLUMN_EDGE_MISSING and target.rpartition(".")[0] not in unknown
        ):
            message = f"{finding.subject} is documented, {_NOT_SHOWN}"
        else:
            continue
        yield replace(finding, code=Code.NOT_QUERIED, message=message)


def _of_warehouse(found: EdgeVerdict, expected: Graph) -> EdgeVerdict:
    source = expected.datasets.get(found.edge.source)
    cannot = found.verdict is Verdict.PHANTOM and source is not None and not source.layer
    return replace(found, verdict=Verdict.UNOBSERVED) if cannot else found


def _outside(writes: Iterable[LoggedWrite], expected: Graph, lineage_map: LineageMap) -> Iterator[Finding]:
    """Yield a finding for each dataset and user: writes into a layer, and copies of what is documented."""
    inside = in_map_scope(lineage_map)
    groups: dict[tuple[str, str], list[LoggedWrite]] = {}
    for write in writes:
        # Who drops a table that is not documented does not matter.
        if inside(write.target) and not (write.is_definition and write.target not in expected.datasets):
            groups.setdefault((write.target, write.user), []).append(write)
    layers = lineage_map.content.layers
    for (target, user), group in groups.items():
        sources = dict.fromkeys(source for write in group for source in write.sources)
        known = expected.datasets.get(target)
        if (known is not None and known.provenance) or target.partition(".")[0] in layers:
            code, verb = Code.ADHOC_WRITE, "was written"
        elif any(source in expected.datasets for source in sources):
            code, verb = Code.UNDOCUMENTED_COPY, "was made from documented data"
        else:
            continue
        if all(write.is_definition for write in group):
            verb = "was dropped, truncated or altered"
        calls = sum(write.calls for write in group)
        last = max(write.last for write in group)
        message = (
            f"{target} {verb} outside of the documented jobs by {user or 'a user that the log does not name'}"
            f"{f' from {_listed(sources)}' if sources else ''}, {calls:,} time{'' if calls == 1 else 's'}"
            f"{f', last at {last}' if last else ''}: {group[0].statement}"
        )
        documented = known.provenance if known else ()
        yield Finding(code, target, message, documented, (group[0].provenance,))


def _listed(names: Iterable[str], most: int = 5) -> str:
    found = list(names)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more
