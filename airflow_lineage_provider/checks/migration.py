"""The impact of a planned migration: of SQL that changes tables, or of a new version of a dbt project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.difference import difference
from airflow_lineage_provider.checks.equality import converts, same_type
from airflow_lineage_provider.checks.table_states import TableStates
from airflow_lineage_provider.graph import (
    CONSUMERS,
    EVERY_COLUMN,
    Change,
    ColumnRef,
    Comparison,
    Effect,
    Finding,
    combine,
    effects,
    impact,
    weigh,
)
from airflow_lineage_provider.graph.findings import Code
from airflow_lineage_provider.lineage_map import bindings_of
from airflow_lineage_provider.readers.documented import read_map
from airflow_lineage_provider.sql import Table, script_lineage
from airflow_lineage_provider.sql.changes import table_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.checks.table_states import NetChange
    from airflow_lineage_provider.graph import Changed, Dataset, Graph
    from airflow_lineage_provider.lineage_map import Bindings, LineageMap
    from airflow_lineage_provider.readers import Evidence

_CHANGES = {"dropped": Change.DROP, "renamed": Change.RENAME, "retyped": Change.TYPE}


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One change: its line in the migration (0: none), and its effect on each consumer that it reaches."""

    subject: str
    text: str
    line: int
    reached: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MigrationImpact:
    """All changes, and the findings: one for each consumer that is affected, by the map's policy."""

    changes: tuple[PlannedChange, ...]
    comparison: Comparison
    problems: tuple[str, ...] = ()

    def by_consumer(self) -> dict[str, list[tuple[PlannedChange, str]]]:
        """Return the changes that reach each consumer, with their effects."""
        found: dict[str, list[tuple[PlannedChange, str]]] = {}
        for change in self.changes:
            for name, effect in change.reached:
                found.setdefault(name, []).append((change, effect))
        return found


def migration_impact(
    sql: str,
    lineage_map: LineageMap,
    *,
    dialect: str,
    environment: str | None = None,
    default_schema: str = "",
) -> MigrationImpact:
    """Return what the statements of a migration reach, taken together: what is undone later is no change.

    Tables are known by the map's bindings, by `layer.table`, or by a name that only one table has.
    Raises MapError for an environment that the map does not have.
    """
    graph = read_map(lineage_map).graph
    names = _Names(graph, bindings_of(lineage_map, environment), default_schema)
    changes, problems = table_changes(sql, dialect)
    states = TableStates(graph, names.logical, lambda text: _created_columns(text, dialect))
    states.apply(changes)
    planned = tuple(_planned(graph, states.net(), names, dialect))
    reasons = tuple(dict.fromkeys(str(problem) for problem in problems))
    return MigrationImpact(planned, _weighed(planned, reasons, graph, lineage_map), reasons)


def project_impact(before: Evidence, after: Evidence, lineage_map: LineageMap) -> MigrationImpact:
    """Return what the changes from one version of a dbt project to another reach in the map."""
    documented = read_map(lineage_map).graph
    graph = combine(documented, before.graph, after.graph)
    planned = tuple(_of_project(graph, difference(before, after)))
    return MigrationImpact(planned, _weighed(planned, (), graph, lineage_map))


def _weighed(
    changes: Iterable[PlannedChange], problems: Iterable[str], graph: Graph, lineage_map: LineageMap
) -> Comparison:
    affected: dict[str, list[str]] = {}
    for change in changes:
        for name, effect in change.reached:
            if effect != Effect.UNAFFECTED:
                affected.setdefault(name, []).append(f"{change.text} ({effect})")
    findings = [
        Finding(
            Code.CONSUMER_AFFECTED,
            name,
            f"{name}{_place(graph.datasets[name])} is affected: {'; '.join(reasons)}",
            graph.datasets[name].provenance,
        )
        for name, reasons in affected.items()
    ]
    findings += [Finding(Code.MIGRATION_UNREAD, "migration", problem) for problem in problems]
    counted, accepted = weigh(findings, lineage_map.policy())
    return Comparison(findings=counted, accepted=accepted)


def _place(dataset: Dataset) -> str:
    parts = [dataset.system, f"of {', '.join(dataset.owners)}" if dataset.owners else ""]
    return f" ({' '.join(filter(None, parts))})" if any(parts) else ""


def _planned(
    graph: Graph, changes: Iterable[NetChange], names: _Names, dialect: str
) -> Iterator[PlannedChange]:
    same = same_type(dialect)
    for change in changes:
        subject = f"{change.dataset}.{change.column}" if change.column else change.dataset
        text = f"{subject} is {change.action}{f' to {change.to}' if change.to else ''}"
        if change.action == "retyped":
            documented = graph.datasets[change.dataset].columns[change.column].type
            if documented and same(documented, change.to):
                continue
            text = f"{subject} becomes {change.to}{f', it was {documented}' if documented else ''}"
        if change.action == "redefined" and not _redefined(graph, change, names, dialect):
            continue
        start = ColumnRef(change.dataset, change.column or EVERY_COLUMN)
        yield PlannedChange(
            subject, text, change.line, tuple(_reached(graph, start, _CHANGES.get(change.action)))
        )


def _reached(graph: Graph, start: ColumnRef, change: Change | None) -> Iterator[tuple[str, str]]:
    """Yield each consumer reached, with the gravest effect on any of its fields."""
    found = impact(graph, [start])
    by_column = effects(graph, found, change, converts("")) if change else {}
    ranks = {effect: rank for rank, effect in enumerate(Effect)}
    gravest: dict[str, Effect] = {}
    for ref, (hops, _) in found.nodes.items():
        if hops and graph.datasets[ref.dataset].kind in CONSUMERS:
            effect = by_column.get(ref, Effect.MAY_BREAK)
            known = gravest.setdefault(ref.dataset, effect)
            gravest[ref.dataset] = min(known, effect, key=lambda one: ranks[one])
    yield from ((name, str(effect)) for name, effect in gravest.items())


def _of_project(graph: Graph, changes: Iterable[Changed]) -> Iterator[PlannedChange]:
    for change in changes:
        if change.action == "added" and change.kind in {"dataset", "column"}:
            continue
        target = change.subject.rpartition(" -> ")[2]
        start = ColumnRef(target, EVERY_COLUMN)
        if change.kind not in {"dataset", "edge"}:
            start = ColumnRef(*target.rpartition(".")[::2])
        if start.dataset not in graph.datasets:
            continue
        planned = Change.DROP if change.action == "removed" and change.kind in {"dataset", "column"} else None
        planned = Change.TYPE if change.kind == "type" else planned
        values = f": {change.was} -> {change.now}" if change.was or change.now else ""
        text = f"{change.kind} {change.subject} is {change.action}{values}"
        yield PlannedChange(change.subject, text, 0, tuple(_reached(graph, start, planned)))


def _redefined(graph: Graph, change: NetChange, names: _Names, dialect: str) -> bool:
    """Whether a replaced table's columns are made from other columns than the map documents."""
    lineage = script_lineage(change.sql, dialect=dialect, schema={})[-1]
    if not lineage.columns or lineage.problems:
        return bool(lineage.problems)
    made = {
        column.name.casefold(): {
            f"{names.logical(source.table)}.{source.column}".casefold()
            for source in column.sources
            if source.type == "DIRECT"
        }
        for column in lineage.columns
    }
    documented: dict[str, set[str]] = {}
    for ref, edges in graph.made_from.items():
        if ref.dataset == change.dataset:
            documented[ref.column.casefold()] = {str(edge.source).casefold() for edge in edges if edge.direct}
    return any(sources != made.get(column, sources) for column, sources in documented.items())


def _created_columns(sql: str, dialect: str) -> dict[str, str] | None:
    """Return the columns of a CREATE statement with their types, empty where unknown; None: not known."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(sql, dialect=dialect or None)
    except (SqlglotError, ValueError, RecursionError):
        return None
    listed = (
        tree.this.expressions if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema) else []
    )
    columns = {
        one.name: one.args["kind"].sql(dialect or None) if one.args.get("kind") else ""
        for one in listed
        if isinstance(one, exp.ColumnDef | exp.Identifier)
    }
    if columns:
        return columns
    lineage = script_lineage(sql, dialect=dialect, schema={})[-1]
    return None if lineage.problems or not lineage.columns else {c.name: "" for c in lineage.columns}


class _Names:
    """The map's names of the tables of a migration."""

    def __init__(self, graph: Graph, bindings: Bindings, default_schema: str) -> None:
        self.bindings = bindings
        self.default_schema = default_schema
        self.documented = {name.casefold(): name for name in graph.datasets}
        self.by_last: dict[str, list[str]] = {}
        for name in graph.datasets:
            self.by_last.setdefault(name.rpartition(".")[2].casefold(), []).append(name)

    def logical(self, table: Table) -> str:
        full = Table(table.name, table.schema or self.default_schema or None, table.database)
        bound = self.bindings.logical_of_name(str(full))
        if bound in self.bindings.documented:
            return str(bound)
        short = f"{full.schema}.{full.name}" if full.schema else full.name
        if found := self.documented.get(short.casefold()):
            return found
        alone = self.by_last.get(full.name.casefold(), []) if not full.schema else []
        return alone[0] if len(alone) == 1 else short
