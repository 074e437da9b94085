"""A validation as bytes for the event store, and back: what was compared, the verdicts, and the findings.

Places (a line of the map, a run) are stored once and referred to by number: thousands of columns share one.
"""

from __future__ import annotations

import zlib
from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.graph import (
    Code,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    EdgeVerdict,
    Finding,
    Graph,
    Provenance,
    Severity,
    Transformation,
    Verdict,
)
from airflow_lineage_provider.lineage_map import Included  # noqa: TC001 - a type that is decoded

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 64_000_000
"""How large a validation may be before compression; a larger one is saved without its column edges."""

Pairs = tuple[tuple[str, str], ...]
Places = tuple[int, ...]


class SavedValidationError(LineageError):
    """A validation in the event store cannot be read."""


@dataclass(frozen=True, slots=True)
class MapFacts:
    """What the views show of a map beside its graph.

    `sources` and `layers` are names and titles in the order of the map, `bindings` the templates of the
    environment, `service_levels` the documented one of each source dataset.
    """

    title: str
    file: str
    text: str
    environment: str | None
    sources: tuple[tuple[str, str], ...] = ()
    layers: tuple[tuple[str, str], ...] = ()
    bindings: tuple[tuple[str, str, str, bool], ...] = ()
    service_levels: tuple[tuple[str, str], ...] = ()
    dialect: str = ""
    included: tuple[Included, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedValidation:
    """What a validation compared: both graphs, the verdict on each edge, and the findings.

    `names` are the logical name, namespace and name of each dataset that was observed.
    """

    facts: MapFacts
    documented: Graph
    observed: Graph
    edges: tuple[EdgeVerdict, ...]
    findings: tuple[Finding, ...]
    accepted: tuple[Finding, ...] = ()
    names: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()


class _Column(msgspec.Struct, array_like=True):
    name: str
    type: str
    description: str
    place: int
    gap: str
    properties: Pairs


class _Dataset(msgspec.Struct, array_like=True):
    name: str
    kind: str
    system: str
    layer: str
    description: str
    owners: tuple[str, ...]
    columns: tuple[_Column, ...]
    checks: tuple[str, ...]
    places: Places
    properties: Pairs


class _Edge(msgspec.Struct, array_like=True):
    source: str
    target: str
    job: str
    places: Places


class _ColumnEdge(msgspec.Struct, array_like=True):
    source: ColumnRef
    target: ColumnRef
    transformations: tuple[tuple[str, str, str, bool, bool], ...]
    job: str
    places: Places


class _Graph(msgspec.Struct, array_like=True):
    datasets: tuple[_Dataset, ...]
    edges: tuple[_Edge, ...]
    column_edges: tuple[_ColumnEdge, ...]


class _Finding(msgspec.Struct, array_like=True):
    code: Code
    subject: str
    message: str
    documented: Places
    observed: Places
    severity: Severity
    accepted: str
    was: str
    now: str


class _Verdict(msgspec.Struct, array_like=True):
    edge: _Edge
    verdict: Verdict
    through: tuple[str, ...]
    saved: str


class _Content(msgspec.Struct):
    facts: MapFacts
    documented: _Graph
    observed: _Graph
    edges: tuple[_Verdict, ...]
    findings: tuple[_Finding, ...]
    accepted: tuple[_Finding, ...]
    names: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]
    places: tuple[tuple[str, str, int, str, str, str, str], ...]


def to_bytes(saved: SavedValidation) -> bytes:
    """Return a validation as compressed JSON."""
    encoded = msgspec.json.encode(_packed(saved))
    if len(encoded) > MAX_BYTES:
        note = "This run has more column lineage than is kept: the picture shows tables only."
        small = replace(
            saved,
            documented=_by_table(saved.documented),
            observed=_by_table(saved.observed),
            notes=(*saved.notes, note),
        )
        encoded = msgspec.json.encode(_packed(small))
    return zlib.compress(encoded, 6)


def from_bytes(payload: bytes) -> SavedValidation:
    """Return what `to_bytes` made. Raises SavedValidationError for anything else."""
    try:
        content = msgspec.json.decode(zlib.decompress(payload), type=_Content)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SavedValidationError(
            f"A validation in the event store is damaged ({error}): run the validation again"
        ) from None
    unpack = _Unpacker(tuple(Provenance(*place) for place in content.places))
    return SavedValidation(
        facts=content.facts,
        documented=unpack.graph(content.documented),
        observed=unpack.graph(content.observed),
        edges=tuple(
            EdgeVerdict(unpack.edge(one.edge), one.verdict, one.through, one.saved) for one in content.edges
        ),
        findings=tuple(map(unpack.finding, content.findings)),
        accepted=tuple(map(unpack.finding, content.accepted)),
        names=content.names,
        notes=content.notes,
    )


def _by_table(graph: Graph) -> Graph:
    return Graph(graph.datasets.values(), graph.edges.values())


def _packed(saved: SavedValidation) -> _Content:
    pack = _Packer()
    return _Content(
        facts=saved.facts,
        documented=pack.graph(saved.documented),
        observed=pack.graph(saved.observed),
        edges=tuple(
            _Verdict(pack.edge(one.edge), one.verdict, one.through, one.saved) for one in saved.edges
        ),
        findings=tuple(map(pack.finding, saved.findings)),
        accepted=tuple(map(pack.finding, saved.accepted)),
        names=saved.names,
        notes=saved.notes,
        places=tuple(astuple(place) for place in pack.places),
    )


class _Packer:
    def __init__(self) -> None:
        self.places: dict[Provenance, int] = {}

    def refer(self, places: Iterable[Provenance]) -> Places:
        return tuple(self.places.setdefault(place, len(self.places)) for place in places)

    def graph(self, graph: Graph) -> _Graph:
        return _Graph(
            tuple(map(self.dataset, graph.datasets.values())),
            tuple(map(self.edge, graph.edges.values())),
            tuple(map(self.column_edge, graph.column_edges)),
        )

    def dataset(self, one: Dataset) -> _Dataset:
        columns = tuple(map(self.column, one.columns.values()))
        return _Dataset(
            *(one.name, one.kind, one.system, one.layer, one.description, one.owners, columns, one.checks),
            *(self.refer(one.provenance), one.properties),
        )

    def column(self, one: Column) -> _Column:
        place = self.refer([one.provenance])[0] if one.provenance else -1
        return _Column(one.name, one.type, one.description, place, one.gap, one.properties)

    def edge(self, one: Edge) -> _Edge:
        return _Edge(one.source, one.target, one.job, self.refer(one.provenance))

    def column_edge(self, one: ColumnEdge) -> _ColumnEdge:
        how = tuple((t.type, t.subtype, t.expression, t.masking, t.assumed) for t in one.transformations)
        return _ColumnEdge(one.source, one.target, how, one.job, self.refer(one.provenance))

    def finding(self, one: Finding) -> _Finding:
        return _Finding(
            *(one.code, one.subject, one.message, self.refer(one.documented), self.refer(one.observed)),
            *(one.severity, one.accepted, one.was, one.now),
        )


@dataclass(frozen=True, slots=True)
class _Unpacker:
    places: tuple[Provenance, ...]

    def at(self, places: Places) -> tuple[Provenance, ...]:
        return tuple(self.places[number] for number in places)

    def graph(self, one: _Graph) -> Graph:
        return Graph(
            map(self.dataset, one.datasets),
            map(self.edge, one.edges),
            map(self.column_edge, one.column_edges),
        )

    def dataset(self, one: _Dataset) -> Dataset:
        return Dataset(
            *(one.name, one.kind, one.system, one.layer, one.description, one.owners),
            {column.name: self.column(column) for column in one.columns},
            *(one.checks, self.at(one.places), one.properties),
        )

    def column(self, one: _Column) -> Column:
        place = self.places[one.place] if one.place >= 0 else None
        return Column(one.name, one.type, one.description, place, one.gap, one.properties)

    def edge(self, one: _Edge) -> Edge:
        return Edge(one.source, one.target, one.job, self.at(one.places))

    def column_edge(self, one: _ColumnEdge) -> ColumnEdge:
        how = tuple(Transformation(*each) for each in one.transformations)
        return ColumnEdge(one.source, one.target, how, one.job, self.at(one.places))

    def finding(self, one: _Finding) -> Finding:
        return Finding(
            *(one.code, one.subject, one.message, self.at(one.documented), self.at(one.observed)),
            *(one.severity, one.accepted, one.was, one.now),
        )
