"""What a name means at a place in a statement."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.functions import is_value
from airflow_lineage_provider.sql.kinds import TRANSFORMATION
from airflow_lineage_provider.sql.relations import BaseTable, Edges, Field, Function, Relation, add, merged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlglot import exp

    from airflow_lineage_provider.sql.analysis import Analysis


class Aliases(IntEnum):
    """When a name in a clause means an output of the same SELECT."""

    FIRST = 0  # ORDER BY
    BEFORE_GUESSING = 1  # a known column wins, a merely possible one does not
    LAST = 2


@dataclass(slots=True, eq=False)
class Item:
    """A relation in FROM under its alias. A semi-joined one is hidden from the select list."""

    relation: Relation
    name: tuple[str, ...]
    hidden: bool = False


@dataclass(slots=True, eq=False)
class Scope:
    """One SELECT: its FROM items, USING columns, aliases and named windows, within the scope around it."""

    analysis: Analysis
    outer: Scope | None = None
    ctes: dict[str, Cte] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    using: dict[str, list[Field]] = field(default_factory=dict)
    outputs: dict[str, Field] = field(default_factory=dict)
    windows: dict[str, exp.Window] = field(default_factory=dict)
    aliases: Aliases = Aliases.LAST
    bound: frozenset[str] = frozenset()
    matched: Field | None = None  # the column that COLUMNS(...) stands for at the moment

    def child(self) -> Scope:
        """Return a scope inside this one: it sees the CTEs, and this scope's columns as outer ones."""
        return Scope(self.analysis, self, dict(self.ctes))

    def binding(self, names: frozenset[str]) -> Scope:
        """Return the same scope with lambda variables: they are no columns."""
        return Scope(
            self.analysis,
            self.outer,
            self.ctes,
            self.items,
            self.using,
            self.outputs,
            self.windows,
            self.aliases,
            self.bound | names,
            self.matched,
        )

    def add(self, relation: Relation, name: Sequence[str]) -> Item:
        """Put a relation into FROM."""
        item = Item(relation, tuple(name))
        self.items.append(item)
        return item

    def chain(self) -> Iterator[Scope]:
        """Return this scope and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def relation(self, name: tuple[str, ...]) -> Relation | None:
        """Return the relation that `name` means: an alias, or a table's dotted name."""
        for scope in self.chain():
            for item in scope.items:
                if item.name[-len(name) :] == name:
                    return item.relation
        return self._by_dataset(name) if len(name) > 1 else None

    def _by_dataset(self, name: tuple[str, ...]) -> Relation | None:
        """`db.t.x` although t has an alias: some warehouses let that pass."""
        for item in self.items:
            if isinstance(item.relation, BaseTable) and item.relation.key[-len(name) :] == name:
                return item.relation
        return None

    def resolve(self, parts: list[exp.Identifier]) -> tuple[Field | None, int]:
        """Return the field that a dotted name means, and how many of its parts were used up by it.

        The parts beyond are a path into the field's value. (None, 0) where there is no such field.
        """
        keys = [self.analysis.names.column(part) for part in parts]
        if keys[0] in self.bound:
            return None, len(keys)
        for used in range(min(3, len(keys) - 1), 0, -1):
            relation = self.relation(tuple(keys[:used]))
            if relation is not None:
                found = relation.known(keys[used]) or relation.possible(keys[used])
                if found is not None:
                    return found, used + 1
        single = self.unqualified(keys[0])
        return single, int(single is not None)

    def unqualified(self, key: str) -> Field | None:
        """Return the field of that name in this scope or the nearest around it."""
        for scope in self.chain():
            found = scope.own(key)
            if found is not None:
                return found
        return None

    def own(self, key: str) -> Field | None:
        """Return the field of that name in this scope alone."""
        alias = self.outputs.get(key)
        if alias is not None and self.aliases is Aliases.FIRST:
            return alias
        shared = self.using.get(key)
        if shared is not None:
            return merged(shared)
        shown = [item.relation for item in self.items if not item.hidden]
        known = [hit for one in shown if (hit := one.index.get(key))] or [
            hit for one in shown if (hit := one.known(key))
        ]
        if known:
            return known[0] if len(known) == 1 else self._ambiguous(key, known)
        if alias is not None and self.aliases is Aliases.BEFORE_GUESSING:
            return alias
        return self._row(key) or self._guess(key) or alias

    def _row(self, key: str) -> Field | None:
        """Return a row as a whole: `to_json(o)`.

        Where a table's columns are not known, its own name is more likely one of them: `date FROM date`.
        """
        for item in self.items:
            relation = item.relation
            its_own_name = isinstance(relation, BaseTable) and relation.key[-1:] == (key,)
            if item.name == (key,) and (relation.complete or not its_own_name):
                edges: Edges = {}
                for one in relation.fields:
                    add(edges, one.edges, TRANSFORMATION)
                return Field(key, None, edges, row=relation)
        return None

    def _guess(self, key: str) -> Field | None:
        """Return a column of the only relation whose columns are not all known."""
        if key in self.analysis.catalog.variables or is_value(key, self.analysis.dialect):
            return None
        unsure = [i.relation for i in self.items if not i.hidden and not i.relation.complete]
        tables = [r for r in unsure if not isinstance(r, Function)]
        candidates = tables or unsure
        return candidates[0].possible(key) if len(candidates) == 1 else None

    def _ambiguous(self, key: str, known: list[Field]) -> Field | None:
        first = known[0]
        if all(one.edges == first.edges for one in known):
            return first
        self.analysis.ambiguous(key)
        return merged(known)


@dataclass(slots=True, eq=False)
class Cte:
    """A common table expression: read when first referred to, once."""

    name: str
    node: exp.CTE
    scope: Scope
    recursive: bool
    relation: Relation | None = None
    reading: bool = False
