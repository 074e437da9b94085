"""The documented map as a graph; every node and edge knows the line that documents it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import (
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Transformation,
)
from airflow_lineage_provider.lineage_map.edges import documented_edges
from airflow_lineage_provider.lineage_map.features import aggregation_text, entity_text, window_text
from airflow_lineage_provider.lineage_map.refresh import parse_refresh
from airflow_lineage_provider.readers.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.graph import Provenance
    from airflow_lineage_provider.graph.model import Properties
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.lineage_map.model import MapColumn

    Where = tuple[str | int, ...]


def read_map(lineage_map: LineageMap) -> Evidence:
    """Return what the map documents."""
    datasets = {dataset.name: dataset for dataset in _datasets(lineage_map)}
    edges = list(_edges(lineage_map))
    inputs: dict[str, list[str]] = {}
    for edge in edges:
        inputs.setdefault(edge.target, []).append(edge.source)
    column_edges = [*_column_edges(lineage_map, datasets, inputs), *_chains(lineage_map)]
    return Evidence(Graph(datasets.values(), edges, column_edges), lists_consumers=True)


def _datasets(lineage_map: LineageMap) -> Iterator[Dataset]:
    content = lineage_map.content
    for key, source in content.sources.items():
        for name, entry in source.datasets.items():
            where = ("sources", key, "datasets", name)
            yield Dataset(
                f"{key}.{name}",
                kind=source.kind,
                system=source.title or source.type,
                description=entry.description,
                owners=entry.owners or source.owners,
                columns=_columns(lineage_map, entry.columns, (*where, "columns")),
                provenance=(lineage_map.where(*where),),
            )
    for key, layer in content.layers.items():
        for name, table in layer.tables.items():
            where = ("layers", key, "tables", name)
            yield Dataset(
                f"{key}.{name}",
                layer=key,
                system="warehouse",
                description=table.description,
                owners=table.owners
                or layer.owners
                or ((content.document.owner,) * bool(content.document.owner)),
                columns=_columns(lineage_map, table.columns, (*where, "columns")),
                checks=(*table.checks, *layer.checks),
                provenance=(lineage_map.where(*where),),
            )
    yield from _consumers(lineage_map)


def _consumers(lineage_map: LineageMap) -> Iterator[Dataset]:
    content = lineage_map.content
    for name, board in content.dashboards.items():
        where: Where = ("dashboards", name)
        columns = _columns(lineage_map, board.fields_, (*where, "fields"))
        dataset = _consumer(name, "dashboard", board.tool, board.owners, lineage_map.where(*where), columns)
        schedule = parse_refresh(board.refresh)
        refresh = schedule.stated if schedule else ""
        yield replace(dataset, properties=_stated(refresh=refresh, url=board.url))
    for name, view in content.feature_views.items():
        where = ("feature_views", name)
        columns = _columns(lineage_map, view.features, (*where, "features"))
        dataset = _consumer(name, "feature view", view.store, view.owners, lineage_map.where(*where), columns)
        yield replace(dataset, properties=_stated(entity=entity_text(view.entity), url=view.url))
    for name, model in content.ml_models.items():
        provenance = lineage_map.where("ml_models", name)
        dataset = _consumer(name, "model", model.platform, model.owners, provenance, {})
        yield replace(
            dataset, properties=_stated(version=model.version, approval=model.approval, url=model.url)
        )


def _consumer(
    name: str,
    kind: str,
    system: str,
    owners: tuple[str, ...],
    provenance: Provenance,
    columns: Mapping[str, Column],
) -> Dataset:
    return Dataset(name, kind=kind, system=system, owners=owners, columns=columns, provenance=(provenance,))


def _columns(lineage_map: LineageMap, columns: Mapping[str, MapColumn], where: Where) -> Mapping[str, Column]:
    return {
        name: Column(
            name,
            column.type,
            column.description,
            lineage_map.where(*where, name),
            properties=_stated(
                aggregation=aggregation_text(column.aggregation), window=window_text(column.window)
            ),
        )
        for name, column in columns.items()
    }


def _stated(**properties: str) -> Properties:
    return tuple((name, value) for name, value in properties.items() if value)


def _edges(lineage_map: LineageMap) -> Iterator[Edge]:
    for edge in documented_edges(lineage_map.content):
        yield Edge(edge.source, edge.target, job=edge.job, provenance=(lineage_map.where(*edge.where),))


def _column_edges(
    lineage_map: LineageMap, datasets: Mapping[str, Dataset], inputs: Mapping[str, list[str]]
) -> Iterator[ColumnEdge]:
    for target, columns, where in _documented_columns(lineage_map):
        known = inputs.get(target, [])
        for name, column in columns.items():
            provenance = (lineage_map.where(*where, name),)
            how = _transformation(column, where[0])
            for source in _sources(name, column, known, datasets):
                yield ColumnEdge(
                    source, ColumnRef(target, name), (how,) if how else (), provenance=provenance
                )


def unresolved_columns(lineage_map: LineageMap) -> Iterator[tuple[ColumnRef, tuple[str, ...], Provenance]]:
    """Yield the columns that keep a name which several of their inputs have, or none."""
    datasets = {dataset.name: dataset for dataset in _datasets(lineage_map)}
    inputs: dict[str, list[str]] = {}
    for edge in _edges(lineage_map):
        inputs.setdefault(edge.target, []).append(edge.source)
    for target, columns, where in _documented_columns(lineage_map):
        known = inputs.get(target, [])
        for name, column in columns.items():
            for reference in (name,) if column.sources is None else column.sources:
                named = column.sources is not None and "." in reference
                if known and not named and _owner(reference, known, datasets) is None:
                    having = tuple(n for n in known if n in datasets and reference in datasets[n].columns)
                    if where[0] == "feature_views" and not having:
                        continue  # a feature is computed: its own name says nothing
                    yield ColumnRef(target, reference), having, lineage_map.where(*where, name)


def _documented_columns(lineage_map: LineageMap) -> Iterator[tuple[str, Mapping[str, MapColumn], Where]]:
    content = lineage_map.content
    for key, source in content.sources.items():
        for name, entry in source.datasets.items():
            yield f"{key}.{name}", entry.columns, ("sources", key, "datasets", name, "columns")
    for key, layer in content.layers.items():
        for name, table in layer.tables.items():
            yield f"{key}.{name}", table.columns, ("layers", key, "tables", name, "columns")
    for name, board in content.dashboards.items():
        yield name, board.fields_, ("dashboards", name, "fields")
    for name, view in content.feature_views.items():
        yield name, view.features, ("feature_views", name, "features")


def _transformation(column: MapColumn, section: str | int) -> Transformation | None:
    """Return how a column is made: as documented, else assumed to be a copy of its only source.

    Any direct derivation satisfies the assumption; `subtype: IDENTITY` demands a copy. Features are computed,
    so that nothing is assumed of them.
    """
    if column.expression or column.subtype:
        return Transformation(subtype=column.subtype, expression=column.expression)
    one = column.sources is None or len(column.sources) == 1
    return Transformation(subtype="IDENTITY", assumed=True) if one and section != "feature_views" else None


def _sources(
    name: str, column: MapColumn, inputs: list[str], datasets: Mapping[str, Dataset]
) -> Iterator[ColumnRef]:
    """Yield what a column is made from; a bare name is looked up in the inputs of its table."""
    for reference in (name,) if column.sources is None else column.sources:
        dataset, _, field = reference.rpartition(".")
        if dataset and column.sources is not None:
            yield ColumnRef(dataset, field)
        elif owner := _owner(reference, inputs, datasets):
            yield ColumnRef(owner, reference)


def _owner(name: str, inputs: list[str], datasets: Mapping[str, Dataset]) -> str | None:
    """Return the one input that has the column, or that alone may have it."""
    listed = {source: datasets[source].columns for source in inputs if source in datasets}
    having = [source for source, columns in listed.items() if name in columns]
    silent = [source for source in inputs if not listed.get(source)]
    candidates = having or silent
    return candidates[0] if len(candidates) == 1 else None


def _chains(lineage_map: LineageMap) -> Iterator[ColumnEdge]:
    for number, chain in enumerate(lineage_map.content.column_lineage):
        refs = [_reference(step.column) for step in chain.steps]
        steps: Iterable[int] = range(1, len(refs))
        for at in steps:
            step = chain.steps[at]
            how = Transformation(subtype=step.subtype, expression=step.expression)
            yield ColumnEdge(
                refs[at - 1],
                refs[at],
                (how,) if step.expression or step.subtype else (),
                job=step.by,
                provenance=(lineage_map.where("column_lineage", number, "steps", at),),
            )


def _reference(text: str) -> ColumnRef:
    dataset, _, column = text.rpartition(".")
    return ColumnRef(dataset, column)
