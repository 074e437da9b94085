"""Take what evidence shows into the map: the edits that make findings go away."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.adoption.columns import least_sources
from airflow_lineage_provider.adoption.map_text import MapText
from airflow_lineage_provider.adoption.new_tables import place_of
from airflow_lineage_provider.adoption.properties import changed_properties
from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Code, ColumnRef, Severity
from airflow_lineage_provider.lineage_map import parse_source
from airflow_lineage_provider.lineage_map.edit import Edit, edited
from airflow_lineage_provider.readers import read_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from airflow_lineage_provider.graph import Finding, Graph
    from airflow_lineage_provider.lineage_map import LineageMap, MapSource
    from airflow_lineage_provider.readers import Evidence

    Path = tuple[str, ...]

_ROUNDS = 6
"""A finding can stand behind another one: the columns of a table that was not documented."""
_TABLES = frozenset({Code.DATASET_UNEXPECTED, Code.DATASET_MISSING, Code.EDGE_UNEXPECTED, Code.EDGE_MISSING})
_FROM = frozenset({Code.COLUMN_EDGE_MISSING, Code.COLUMN_EDGE_UNEXPECTED})
_DETAILS = {
    Code.TYPE_CHANGED: "type",
    Code.EXPRESSION_CHANGED: "expression",
    Code.TRANSFORMATION_CHANGED: "subtype",
}


@dataclass(frozen=True, slots=True)
class Update:
    """The text of the map afterwards, and the findings that are left, notes and accepted ones aside."""

    source: MapSource
    left: tuple[Finding, ...]


def update(
    source: MapSource,
    read: Callable[[LineageMap], Evidence],
    environment: str | None = None,
    only: Sequence[str] = (),
) -> Update:
    """Return the map as evidence shows the lineage: of all findings, or of those that `only` names.

    `read` reads the evidence by the names of a map. `only` are globs of subjects, such as `gold.*`, or codes
    of findings. Raises MapError where the map is written in a form that cannot be changed in place, and
    InputError where one change brings up another without end.
    """
    for _ in range(_ROUNDS):
        lineage_map = parse_source(source)
        evidence = read(lineage_map)
        comparison = validate(evidence, lineage_map, environment=environment).comparison
        loud = [f for f in comparison.findings if f.severity in {Severity.ERROR, Severity.WARNING}]
        editor = _Editor(MapText(lineage_map), evidence.graph, environment)
        named = [finding for finding in loud if editor.is_named(finding, only)]
        # The columns follow when their tables are documented; those of other tables do not wait for them.
        for edits in (editor.table_edits(named), editor.column_edits(named)):
            after = _edited(source, editor.document, edits)
            if after != source:
                break
        else:
            return Update(source, tuple(loud))
        source = after
    raise InputError(
        f"{source.file}: the map does not settle in {_ROUNDS} rounds; choose findings with --only"
    )


def _edited(source: MapSource, document: MapText, edits: Iterable[Edit]) -> MapSource:
    """Return the files of a map after edits, each made in the file that its path is in."""
    by_file: dict[str, list[Edit]] = {}
    for edit in edits:
        file, path = document.located(edit.path)
        # A column that dbt's YAML lists has more there than its lineage: people remove it.
        if not (edit.remove and edit.path in document.lineage_map.own_paths and "columns" in edit.path):
            by_file.setdefault(file, []).append(replace(edit, path=path))
    texts = source.texts
    return source.with_texts({file: edited(texts[file], some, file) for file, some in by_file.items()})


def _ends(finding: Finding) -> tuple[str, ...]:
    return tuple(finding.subject.split(" -> ")) if " -> " in finding.subject else ()


def _least(names: list[str]) -> list[str] | str:
    """Return names as the map writes them: one may stand alone."""
    return names[0] if len(names) == 1 else names


def _column(entry: dict[str, Any] | None) -> dict[str, Any] | str | None:
    """Return a column as the map writes it: the name alone where that is all that it is made from."""
    source = entry.get("from") if entry else None
    return source if isinstance(source, str) and entry == {"from": source} else entry or None


@dataclass(slots=True)
class _Tables:
    """What changes of the tables: those that are new or gone, and the inputs of the others."""

    new: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    added: dict[str, list[str]] = field(default_factory=dict)
    removed: dict[str, set[str]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        if finding.code is Code.DATASET_UNEXPECTED:
            self.new.add(finding.subject)
        elif finding.code is Code.DATASET_MISSING:
            self.gone.add(finding.subject)
        elif finding.code is Code.EDGE_MISSING:
            source, target = _ends(finding)
            self.removed.setdefault(target, set()).add(source)
        else:
            source, target = _ends(finding)
            self.added.setdefault(target, []).append(source)


@dataclass(frozen=True, slots=True)
class _Editor:
    document: MapText
    graph: Graph
    environment: str | None

    def is_named(self, finding: Finding, only: Sequence[str]) -> bool:
        """Whether a glob fits the finding's code, its subject, an end of an edge or a new table's place."""
        names = [finding.code, finding.subject, *_ends(finding)]
        if finding.code is Code.DATASET_UNEXPECTED:
            names.append(self.place(finding.subject) or "")
        return not only or any(fnmatchcase(name, glob) for name in names for glob in only)

    def column_edits(self, findings: Iterable[Finding]) -> Iterator[Edit]:
        """Yield the edits that findings of columns ask for; none of them is below another."""
        done: set[tuple[str | int, ...]] = set()
        for finding in findings:
            for edit in self.column_edit(finding):
                if edit.path not in done:
                    done.add(edit.path)
                    yield edit

    def table_edits(self, findings: Iterable[Finding]) -> Iterator[Edit]:
        """Yield the edits that findings of tables and their inputs ask for; none of them is below another."""
        tables = _Tables()
        for finding in findings:
            if finding.code in _TABLES:
                tables.add(finding)
        names = {name: name for name in self.document.names}
        new = {name: place for name in tables.new if (place := self.place(name))}
        names |= new
        for name, place in sorted(new.items()):
            for reader in self.graph.downstream.get(name, ()):
                if reader in self.document.names:
                    tables.added.setdefault(reader, []).append(place)
            parents = sorted(names[parent] for parent in self.graph.parents(name) if parent in names)
            yield Edit(self.document.path(place), {"from": _least(parents)} if parents else None)
        for name in sorted(tables.gone):
            yield Edit(self.document.path(name), remove=True)
            for reader in self.document.readers(name):
                tables.removed.setdefault(reader, set()).add(name)
        for path in self.document.columns_from(tables.gone):
            # The next round says what they are made from now.
            yield self.detail(path, "from", None)
        for target in sorted(
            (tables.added.keys() | tables.removed.keys()) & self.document.names - tables.gone
        ):
            added = [one for one in tables.added.get(target, []) if one in names.values()]
            yield from self.inputs(target, added, tables.removed.get(target, set()))

    def place(self, name: str) -> str | None:
        """Return the name that a new dataset gets in the map; None where no layer is bound to it."""
        parents = self.graph.parents(name)
        return place_of(self.document.lineage_map, name, parents, self.environment)

    def inputs(self, target: str, added: Sequence[str], removed: set[str]) -> Iterator[Edit]:
        """Yield the edits of what a table is made from, which a source may say by its `to`."""
        for source in removed:
            place = self.document.path(source)
            to = self.document.listed((*place, "to"))
            if place[0] == "sources" and target in to:
                yield from self.listing((*place, "to"), [one for one in to if one != target], place)
        path = (*self.document.path(target), "from")
        now = self.document.listed(path)
        after = [one for one in (*now, *added) if one not in removed]
        if after != now:
            yield from self.listing(path, list(dict.fromkeys(after)), self.document.path(target))

    def listing(self, path: Path, names: list[str], entry: Path) -> Iterator[Edit]:
        """Yield the edit that sets a list of names; an entry that is the list itself is set as a whole."""
        if isinstance(self.document.at(entry), str | list):
            yield Edit(entry, names or None)
        elif names:
            yield Edit(path, _least(names))
        else:
            yield Edit(path, remove=True)

    def column_edit(self, finding: Finding) -> Iterator[Edit]:
        if finding.code is Code.PROPERTY_CHANGED:
            yield from self.property_edits(finding.subject)
            return
        target = _ends(finding)[-1] if _ends(finding) else finding.subject
        dataset, _, column = target.rpartition(".")
        place = self.document.columns_path(dataset)
        path = (*place, column)
        if finding.code is Code.COLUMN_MISSING:
            yield Edit(path, remove=True)
        elif finding.code is Code.COLUMN_UNEXPECTED:
            sources = self.sources(ColumnRef(dataset, column))
            yield Edit(path, _column(None if sources is None else {"from": _least(sources)}))
        elif finding.code in _FROM:
            sources = self.sources(ColumnRef(dataset, column))
            yield self.detail(path, "from", None if sources is None else _least(sources))
        elif finding.code in _DETAILS:
            yield self.detail(path, _DETAILS[finding.code], finding.now)

    def property_edits(self, subject: str) -> Iterator[Edit]:
        """Yield the edits of a consumer's or a feature's properties, such as the owners or the window."""
        expected = read_map(self.document.lineage_map).graph
        dataset, _, column = subject.rpartition(".")
        is_dataset = subject in self.document.names
        path = self.document.path(subject) if is_dataset else (*self.document.columns_path(dataset), column)
        for key, value in changed_properties(expected, self.graph, subject):
            yield self.detail(path, key, _least(value) if isinstance(value, list) else value)

    def detail(self, path: Path, key: str, value: Any) -> Edit:
        """Return the edit that sets a key of a column, which may be written in its shorthand."""
        now = self.document.at(path)
        if isinstance(now, dict):
            return Edit((*path, key), value, remove=value is None)
        entry = {"from": now} if isinstance(now, str) else {}
        entry = {k: v for k, v in {**entry, key: value}.items() if v is not None}
        return Edit(path, _column(entry))

    def sources(self, column: ColumnRef) -> list[str] | None:
        found = least_sources(self.graph, column, self.documented_columns)
        return None if found is None else [str(source) for source in found]

    def documented_columns(self, dataset: str) -> tuple[str, ...]:
        listed = (
            self.document.at(self.document.columns_path(dataset)) if dataset in self.document.names else None
        )
        return tuple(listed or ())
