"""The tables of a map while the statements of a migration change them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.table_change import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.sql import Table
    from airflow_lineage_provider.sql.table_change import TableChange


@dataclass(slots=True)
class ColumnState:
    """A column: what it was called at the start (empty: it is new), its type where that changed."""

    was: str
    kind: str = ""
    line: int = 0


@dataclass(slots=True)
class TableState:
    """A table: the dataset that it was at the start (empty: it is new), and its columns by folded name.

    `columns` is None where they are not known. `line` is that of the last statement about the whole table,
    `created` the CREATE statement that made it.
    """

    was: str
    columns: dict[str, ColumnState] | None
    line: int = 0
    created: str = ""
    gone: dict[str, int] = field(default_factory=dict)
    """Columns that were dropped from a table whose columns are not known, and the lines that did."""


@dataclass(frozen=True, slots=True)
class NetChange:
    """What a migration as a whole does to a dataset or to one of its columns.

    `action` is dropped, renamed, retyped, replaced (its new columns are not known) or redefined (they are);
    `to` is the new name or type, `sql` the CREATE statement of the last two.
    """

    dataset: str
    action: str
    line: int
    column: str = ""
    to: str = ""
    sql: str = ""


class TableStates:
    """Applies changes in order, so that what is undone later is no change."""

    def __init__(
        self,
        graph: Graph,
        name: Callable[[Table], str],
        created_columns: Callable[[str], dict[str, str] | None],
    ) -> None:
        self.graph = graph
        self.name = name
        self.created_columns = created_columns
        self.dropped: dict[str, int] = {}
        self.lines: dict[tuple[str, str], int] = {}
        self.tables = {
            dataset.name: TableState(
                dataset.name,
                {column.casefold(): ColumnState(column) for column in dataset.columns} or None,
            )
            for dataset in graph.datasets.values()
        }

    def apply(self, changes: Iterable[TableChange]) -> None:
        """Apply the changes of a script."""
        for change in changes:
            self._apply(change, self.name(change.table))

    def net(self) -> Iterator[NetChange]:
        """Yield what is different in the end, for each dataset that was there at the start."""
        moved = {state.was: (name, state) for name, state in self.tables.items() if state.was}
        for name, dataset in self.graph.datasets.items():
            state = self.tables.get(name)
            if state is None:
                now, other = moved.get(name, ("", None))
                line = other.line if other else self.dropped.get(name, 0)
                yield NetChange(name, "renamed" if now else "dropped", line, to=now)
            elif state.was != name and state.columns is None:
                yield NetChange(name, "replaced", state.line, sql=state.created)
            else:
                yield from self._columns(name, state, list(dataset.columns))
                if state.was != name:
                    yield NetChange(name, "redefined", state.line, sql=state.created)

    def _columns(self, name: str, state: TableState, documented: list[str]) -> Iterator[NetChange]:
        for column, line in state.gone.items():
            yield NetChange(name, "dropped", line, column)
        if state.columns is None:
            return
        now = {one.was: (key, one) for key, one in state.columns.items() if one.was}
        for column in documented:
            same = state.columns.get(column.casefold())
            if same is None:
                other, found = now.get(column, ("", None))
                line = found.line if found else self.lines.get((name, column.casefold()), state.line)
                yield NetChange(name, "renamed" if other else "dropped", line, column, other)
            elif same.kind and (same.was or self.graph.datasets[name].columns[column].type):
                yield NetChange(name, "retyped", same.line or state.line, column, same.kind)

    def _apply(self, change: TableChange, name: str) -> None:
        action, line = change.action, change.line
        if action is Action.CREATE:
            self._create(change, name)
        elif action is Action.DROP:
            self._drop(name, line)
        elif action is Action.DROP_SCHEMA:
            prefix = name.removesuffix("*").casefold()
            for one in [one for one in self.tables if one.casefold().startswith(prefix)]:
                self._drop(one, line)
        elif action in {Action.RENAME, Action.SWAP} and change.renamed is not None:
            self._rename(name, self.name(change.renamed), line, swap=action is Action.SWAP)
        elif (state := self.tables.get(name)) is not None:
            self._change_column(name, state, change)

    def _create(self, change: TableChange, name: str) -> None:
        if name in self.tables and not change.to:
            return  # IF NOT EXISTS, or it fails
        found = self.created_columns(change.sql)
        columns = (
            None
            if found is None
            else {column.casefold(): ColumnState("", kind, change.line) for column, kind in found.items()}
        )
        self.tables[name] = TableState("", columns, change.line, change.sql)

    def _drop(self, name: str, line: int) -> None:
        if self.tables.pop(name, None) is not None:
            self.dropped[name] = line

    def _rename(self, old: str, new: str, line: int, *, swap: bool) -> None:
        first, second = self.tables.pop(old, None), self.tables.pop(new, None)
        if first is not None:
            first.line = line
            self.tables[new] = first
        if second is not None and swap:
            second.line = line
            self.tables[old] = second

    def _change_column(self, name: str, state: TableState, change: TableChange) -> None:
        key = change.column.casefold()
        self.lines[name, key] = change.line
        columns = state.columns
        if columns is None:
            if change.action is not Action.ADD_COLUMN:
                state.gone[change.column] = change.line
        elif change.action is Action.ADD_COLUMN:
            columns.setdefault(key, ColumnState("", change.to, change.line))
        elif change.action is Action.DROP_COLUMN:
            columns.pop(key, None)
        elif change.action is Action.RENAME_COLUMN and key in columns:
            columns[change.to.casefold()] = columns.pop(key)
            columns[change.to.casefold()].line = change.line
        elif change.action is Action.CHANGE_TYPE and key in columns:
            columns[key].kind, columns[key].line = change.to, change.line
