"""Reconcile several kinds of evidence: what only some of them have, and what they state differently.

Each pair is compared by the one comparison of `graph`. What several pairs find of a subject is one finding.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.equality import same_expression, same_type
from airflow_lineage_provider.checks.scope import in_map_scope, in_scope
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import (
    CONSUMERS,
    Code,
    Comparison,
    Finding,
    Policy,
    Severity,
    as_documented,
    compare,
    weigh,
)
from airflow_lineage_provider.graph.model import ColumnRef
from airflow_lineage_provider.graph.walk import shortest_path
from airflow_lineage_provider.readers.documented import read_map

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from airflow_lineage_provider.graph import Dataset, Graph
    from airflow_lineage_provider.graph.matching import Scope
    from airflow_lineage_provider.graph.model import Provenance
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.readers import Evidence

MAP = "map"
ORDER = (MAP, "manifest", "event", "query", "datahub")
"""The kinds of evidence, from what is documented to what is catalogued."""
WORDS = {
    MAP: "documented",
    "manifest": "in the dbt project",
    "event": "emitted",
    "query": "in the query log",
    "datahub": "in DataHub",
}
_FEWEST = 2
_MISSING = {
    Code.DATASET_MISSING: Code.DATASET_UNEXPECTED,
    Code.EDGE_MISSING: Code.EDGE_UNEXPECTED,
    Code.COLUMN_MISSING: Code.COLUMN_UNEXPECTED,
    Code.COLUMN_EDGE_MISSING: Code.COLUMN_EDGE_UNEXPECTED,
}
_UNEXPECTED = {unexpected: missing for missing, unexpected in _MISSING.items()}
_VALUES = (Code.TYPE_CHANGED, Code.TRANSFORMATION_CHANGED, Code.EXPRESSION_CHANGED, Code.PROPERTY_CHANGED)
_EVERYTHING = Policy(dict.fromkeys((*_MISSING, *_UNEXPECTED, *_VALUES), Severity.NOTE))


@dataclass(frozen=True, slots=True)
class ComparedSource:
    """One kind of evidence, as `readers.READERS` names it, or the map."""

    kind: str
    evidence: Evidence

    @property
    def words(self) -> str:
        """What it means for a dataset to be in it: `documented`, `emitted`, `in DataHub`."""
        return WORDS.get(self.kind, f"in {self.kind}")


@dataclass(slots=True)
class Difference:
    """What several pairs of sources say of one subject.

    `has` and `lacks` are kinds of evidence; `values` are the types, kinds or expressions that differ.
    """

    code: Code
    subject: str
    has: dict[str, Finding] = field(default_factory=dict)
    lacks: dict[str, Finding] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """An edge, and whether each kind of evidence has it: `yes`, `through`, `-`, or empty if unknown."""

    source: str
    target: str
    has: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The outcome: findings by the map's policy, and each edge beside each kind of evidence.

    `incomplete` are the reasons why some evidence could not be read as a whole.
    """

    kinds: tuple[str, ...]
    comparison: Comparison
    edges: tuple[EdgeRow, ...]
    incomplete: tuple[str, ...] = ()


def reconcile(
    sources: Iterable[ComparedSource],
    lineage_map: LineageMap,
    *,
    environment: str | None = None,
    since: str = "",
) -> Reconciliation:
    """Compare two or more kinds of evidence with each other.

    A dataset counts where it is documented, in a layer of the map, or next to a documented one, so that a
    catalog of a whole company can be one of the sources. Nothing counts as missing from incomplete evidence.
    What only a catalog has, and was last updated before `since` (ISO 8601), is stale.

    Raises InputError for fewer than two sources, and MapError for an unknown environment.
    """
    ordered = sorted(
        sources, key=lambda source: ORDER.index(source.kind) if source.kind in ORDER else len(ORDER)
    )
    if len({source.kind for source in ordered}) < _FEWEST:
        raise InputError(f"name two or more of {', '.join(ORDER)} to compare")
    scopes = _Scopes(lineage_map, environment)
    ordered = [_as_documented(source, scopes.documented) for source in ordered]
    differences: dict[tuple[str, str], Difference] = {}
    for first, second in combinations(ordered, 2):
        for finding in _compare(first, second, scopes):
            _add(differences, finding, first, second)
    found = [
        *_findings(differences.values(), ordered, scopes.documented, since),
        *_without_columns(ordered, scopes),
        *_several_names(ordered, scopes),
        *_incomplete(ordered),
    ]
    counted, accepted = weigh(found, lineage_map.policy())
    return Reconciliation(
        tuple(source.kind for source in ordered),
        Comparison(findings=counted, accepted=accepted),
        tuple(_rows(ordered, scopes)),
        tuple(f"{s.kind}: {reason}" for s in ordered for reason in s.evidence.incomplete),
    )


def _as_documented(source: ComparedSource, documented: Graph) -> ComparedSource:
    """Return what was emitted without what BI tools have between tables and documented consumers."""
    if source.kind != "event":
        return source
    graph = as_documented(documented, source.evidence.graph)
    return replace(source, evidence=replace(source.evidence, graph=graph))


class _Scopes:
    """What each kind of evidence would know."""

    def __init__(self, lineage_map: LineageMap, environment: str | None) -> None:
        self.documented: Graph = read_map(lineage_map).graph
        self.layers = tuple(f"{layer}." for layer in lineage_map.content.layers)
        self.inside = in_map_scope(lineage_map)
        self.produced = in_scope(lineage_map, self.documented, None, environment)
        place = lineage_map.content.environments.get(environment or "")
        self.produced_layers = (
            tuple(f"{layer}." for layer in (place.produces if place else ())) or self.layers
        )

    def near(self, graph: Graph) -> Scope:
        """Return whether a dataset of a graph is documented, in a layer, or next to a documented one."""
        known = self.documented.datasets

        def near(name: str) -> bool:
            if not self.inside(name):
                return False
            if name in known or name.startswith(self.layers):
                return True
            around = (*graph.parents(name), *graph.downstream.get(name, ()))
            return any(one in known for one in around)

        return near

    def known_to(self, source: ComparedSource) -> Callable[[Dataset], bool]:
        """Return whether a source would have a dataset if it were there."""
        evidence = source.evidence

        def known(dataset: Dataset) -> bool:
            if evidence.incomplete or dataset.name in evidence.only_read:
                return False
            if dataset.kind in CONSUMERS and source.kind != MAP:
                # An exposure of dbt does not say which system it is of; the map may.
                system = dataset.system or self.documented.datasets.get(dataset.name, dataset).system
                return evidence.lists_consumers or system.casefold() in evidence.lists_all
            if source.kind in {MAP, "datahub"}:
                return True
            if evidence.only_consumers:
                return False
            return self.produced(dataset.name) or (
                dataset.name not in self.documented.datasets and dataset.name.startswith(self.produced_layers)
            )

        return known


def _compare(first: ComparedSource, second: ComparedSource, scopes: _Scopes) -> Iterator[Finding]:
    expected, observed = first.evidence.graph, second.evidence.graph
    near_first, near_second = scopes.near(expected), scopes.near(observed)
    known_first, known_second = scopes.known_to(first), scopes.known_to(second)
    dialect = second.evidence.dialect or first.evidence.dialect
    comparison = compare(
        expected,
        observed,
        scope=lambda name: near_first(name) and known_second(expected.datasets[name]),
        reported=lambda name: near_second(name) and known_first(observed.datasets[name]),
        policy=_EVERYTHING,
        same_type=same_type(dialect),
        same_expression=same_expression(dialect),
        reasons=second.evidence.absent,
    )
    yield from comparison.findings


def _add(
    differences: dict[tuple[str, str], Difference],
    finding: Finding,
    first: ComparedSource,
    second: ComparedSource,
) -> None:
    """Add what one pair found to the difference of its subject."""
    code = _UNEXPECTED.get(finding.code, finding.code)
    if code in _MISSING:
        one = differences.setdefault((code, finding.subject), Difference(code, finding.subject))
        has, lacks = (first, second) if finding.code in _MISSING else (second, first)
        one.has.setdefault(has.kind, finding)
        one.lacks.setdefault(lacks.kind, finding)
    elif code in _VALUES:
        # The start of the message names the property too, of which a subject may have several.
        named = finding.message.partition(" is documented as ")[0]
        one = differences.setdefault((code, named), Difference(code, named))
        one.values.setdefault(first.kind, finding.was)
        one.values.setdefault(second.kind, finding.now)
        one.has.setdefault(first.kind, finding)


def _satisfied(source: ComparedSource, found: Difference, documented: Graph) -> bool:
    """Whether a source has a longer path for an edge that the map documents."""
    graph = source.evidence.graph
    start, _, end = found.subject.partition(" -> ")
    if found.code is Code.EDGE_MISSING and (start, end) in documented.edges:
        return bool(shortest_path(graph.parents, start, end))
    ends = ColumnRef(*start.rpartition(".")[::2]), ColumnRef(*end.rpartition(".")[::2])
    if found.code is Code.COLUMN_EDGE_MISSING and documented.column_edge(*ends):
        return bool(shortest_path(lambda ref: graph.column_upstream.get(ref, ()), *ends))
    return False


def _findings(
    differences: Iterable[Difference], sources: Sequence[ComparedSource], documented: Graph, since: str
) -> Iterator[Finding]:
    by_kind = {source.kind: source for source in sources}
    for found in differences:
        for kind in [k for k in found.lacks if _satisfied(by_kind[k], found, documented)]:
            del found.lacks[kind]
        if found.values:
            yield _changed(found, by_kind)
        elif found.lacks:
            yield _one_sided(found, by_kind, since)


def _where(found: Difference, by_kind: Mapping[str, ComparedSource]) -> dict[str, tuple[Provenance, ...]]:
    """Return where each kind of evidence records a difference."""
    seen = dict.fromkeys(one for f in found.has.values() for one in (*f.documented, *f.observed))
    return {kind: tuple(one for one in seen if one.kind == kind) for kind in by_kind}


def _changed(found: Difference, by_kind: Mapping[str, ComparedSource]) -> Finding:
    first = next(iter(found.has.values()))
    parts = [_stated(by_kind[kind].words, value) for kind, value in found.values.items()]
    where = _where(found, by_kind)
    observed = tuple(one for kind, places in where.items() if kind != MAP for one in places)
    message = f"{found.subject} is {', '.join(parts)}"
    return replace(first, message=message, documented=where.get(MAP, ()), observed=observed)


def _one_sided(found: Difference, by_kind: Mapping[str, ComparedSource], since: str) -> Finding:
    """Return the finding of what some sources have and others lack; the first of them judges which it is."""
    has, lacks = ([by_kind[k].words for k in by_kind if k in side] for side in (found.has, found.lacks))
    judge = next(kind for kind in by_kind if kind in found.has or kind in found.lacks)
    code = found.code if judge in found.has else _MISSING[found.code]
    message = f"{found.subject} is {' and '.join(has)}, and not {' or '.join(lacks)}"
    for kind in found.lacks:
        if reason := by_kind[kind].evidence.absent.get(found.subject):
            message += f": {reason}"
    where = _where(found, by_kind)
    at = max((one.at for one in where.get("datahub", ())), default="")
    if set(found.has) == {"datahub"} and at and at < since:
        code, message = Code.STALE, f"{message}; it was last updated {at[:10]}"
    observed = tuple(one for kind, places in where.items() if kind != MAP for one in places)
    return Finding(code, found.subject, message, where.get(MAP, ()), observed)


def _stated(words: str, value: str) -> str:
    return f"{value} {words}" if words.startswith("in ") else f"{words} as {value}"


def _without_columns(sources: Sequence[ComparedSource], scopes: _Scopes) -> Iterator[Finding]:
    """Yield the datasets without any column lineage in a source that has an edge whose columns others link.

    The map is left out: it need not list columns.
    """
    linked: dict[str, dict[str, set[str]]] = {}
    for source in sources:
        for edge in source.evidence.graph.column_edges:
            inputs = linked.setdefault(edge.target.dataset, {}).setdefault(source.kind, set())
            inputs.add(edge.source.dataset)
    for name, by_kind in sorted(linked.items()):
        inputs = set[str]().union(*by_kind.values())
        lacks = [
            source
            for source in sources
            if source.kind not in {MAP, *by_kind}
            and (dataset := source.evidence.graph.datasets.get(name)) is not None
            and scopes.known_to(source)(dataset)
            and not inputs.isdisjoint(source.evidence.graph.parents(name))
        ]
        if lacks and scopes.near(lacks[0].evidence.graph)(name):
            has = [source.words for source in sources if source.kind in by_kind]
            words = f"{' and '.join(has)}, and not {' or '.join(source.words for source in lacks)}"
            where = lacks[0].evidence.graph.datasets[name].provenance
            message = f"the column lineage of {name} is {words}"
            yield Finding(Code.NO_COLUMN_LINEAGE, name, message, observed=where)


def _several_names(sources: Iterable[ComparedSource], scopes: _Scopes) -> Iterator[Finding]:
    for source in sources:
        near = scopes.near(source.evidence.graph)
        for name, names in source.evidence.several_names.items():
            if near(name):
                dataset = source.evidence.graph.datasets[name]
                message = f"{name} is {source.words} under {len(names)} names: {', '.join(names)}"
                yield Finding(Code.SEVERAL_NAMES, name, message, observed=dataset.provenance)


def _incomplete(sources: Iterable[ComparedSource]) -> Iterator[Finding]:
    for source in sources:
        for reason in source.evidence.incomplete:
            yield Finding(Code.INCOMPLETE, source.kind, f"not everything could be read: {reason}")


def _rows(sources: Sequence[ComparedSource], scopes: _Scopes) -> Iterator[EdgeRow]:
    """Yield every edge between datasets that count, with what each source says of it."""
    pairs: dict[tuple[str, str], None] = {}
    for source in sources:
        near = scopes.near(source.evidence.graph)
        pairs |= dict.fromkeys(pair for pair in source.evidence.graph.edges if all(map(near, pair)))
    for pair in pairs:
        has = {source.kind: _says(source, pair, scopes) for source in sources}
        yield EdgeRow(*pair, has)


def _says(source: ComparedSource, pair: tuple[str, str], scopes: _Scopes) -> str:
    graph = source.evidence.graph
    if pair in graph.edges:
        return "yes"
    if shortest_path(graph.parents, *pair):
        return "through"
    target = graph.datasets.get(pair[1]) or scopes.documented.datasets.get(pair[1])
    return "-" if target is not None and scopes.known_to(source)(target) else ""
