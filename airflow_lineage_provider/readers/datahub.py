"""DataHub's lineage as a graph: what its API answered, or a file of its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import (
    EVERY_COLUMN,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
)
from airflow_lineage_provider.readers.datahub_entities import KINDS, CatalogEntity, CatalogField
from airflow_lineage_provider.readers.datahub_names import LogicalNames, platform_name
from airflow_lineage_provider.readers.datahub_urns import parse_urn
from airflow_lineage_provider.readers.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.lineage_map import Bindings
    from airflow_lineage_provider.readers.datahub_entities import Catalog

_DBT = "dbt"
# Platforms whose names are those of SQL dialects.
_DIALECTS = frozenset(
    {"athena", "bigquery", "databricks", "duckdb", "mysql", "postgres", "redshift", "snowflake", "trino"}
)


def read_datahub(catalog: Catalog, bindings: Bindings) -> Evidence:
    """Return the lineage that DataHub has, by logical names where the bindings have one.

    Soft-deleted entities are left out, with the edges to and from them. A table that several URNs name is one
    dataset: those of its platform are listed in `several_names`; the entity that DataHub's dbt source makes
    beside each table is not counted as another name.
    """
    reader = _Reader(catalog, bindings)
    datasets = list(reader.datasets())
    return Evidence(
        Graph(datasets, reader.edges(), reader.column_edges()),
        dialect=reader.dialect(),
        lists_consumers=True,
        problems=tuple(catalog.problems),
        incomplete=tuple(catalog.incomplete),
        several_names=reader.several_names(),
        absent=reader.absent(),
    )


class _Reader:
    def __init__(self, catalog: Catalog, bindings: Bindings) -> None:
        self.names = LogicalNames(bindings)
        self.people = catalog.people
        self.entities = {
            urn: entity for urn, entity in catalog.entities.items() if entity.urn.kind in KINDS and urn
        }
        self.features = {u: e for u, e in catalog.entities.items() if e.urn.kind == "mlFeature"}
        self.table_of = {
            feature: urn
            for urn, entity in self.entities.items()
            if entity.urn.kind == "mlFeatureTable"
            for feature in entity.features
        }
        self.logical = {urn: self.names.name_of(entity) for urn, entity in self.entities.items()}
        self.logical |= {
            urn: self.logical[sibling]
            for urn, entity in self.entities.items()
            if platform_name(entity) == _DBT
            for sibling in entity.siblings
            if sibling in self.entities and platform_name(self.entities[sibling]) != _DBT
        }
        self.folding = {
            urn: entity.urn.kind == "dataset" and self.names.folds(entity)
            for urn, entity in self.entities.items()
        }
        self.present = {urn: entity for urn, entity in self.entities.items() if not entity.removed}

    def datasets(self) -> Iterator[Dataset]:
        # The table itself before dbt's entity of it, so that its columns and types count.
        for urn, entity in sorted(self.present.items(), key=lambda found: platform_name(found[1]) == _DBT):
            provenance = self.provenance(entity)
            columns = {
                name: Column(name, one.type, one.description, provenance, properties=one.properties)
                for one in (*entity.fields, *self.feature_fields(entity))
                if (name := self.column(urn, one.name))
            }
            yield Dataset(
                self.logical[urn],
                kind=(entity.subtype or KINDS[entity.urn.kind]).lower(),
                system=platform_name(entity),
                description=entity.description,
                owners=tuple(self.people.get(urn, parse_urn(urn).parts[0]) for urn in entity.owners),
                columns=columns,
                provenance=(provenance,),
                properties=entity.properties,
            )

    def feature_fields(self, entity: CatalogEntity) -> Iterator[CatalogField]:
        if entity.urn.kind == "mlFeatureTable":
            for urn in entity.features:
                feature = self.features.get(urn)
                if feature is not None and not feature.removed:
                    yield CatalogField(
                        feature.urn.parts[-1], feature.subtype, feature.description, feature.properties
                    )

    def edges(self) -> Iterator[Edge]:
        for urn, entity in self.present.items():
            for source, at in self.sources(entity):
                name = self.source_name(source)
                if name and name != self.logical[urn]:
                    yield Edge(name, self.logical[urn], provenance=(self.provenance(entity, at),))

    def sources(self, entity: CatalogEntity) -> Iterator[tuple[str, str]]:
        """Yield the URNs that an entity is made from, those of its features included."""
        yield from ((edge.source, edge.at) for edge in entity.upstreams)
        for urn in entity.features:
            if entity.urn.kind == "mlModel":
                yield self.table_of.get(urn, ""), ""
            elif urn in self.features and not self.features[urn].removed:
                yield from ((edge.source, edge.at) for edge in self.features[urn].upstreams)

    def source_name(self, urn: str) -> str:
        """Return the logical name of a source; empty for one that is soft-deleted or no dataset."""
        if urn in self.entities:
            return "" if self.entities[urn].removed else self.logical[urn]
        return self._unlisted(urn)

    def _unlisted(self, urn: str) -> str:
        """Return the name of an entity that only an edge names."""
        if not urn:
            return ""
        parsed = parse_urn(urn)
        if parsed.kind not in KINDS:
            return ""
        self.logical[urn] = self.names.name_of(CatalogEntity(parsed))
        return self.logical[urn]

    def column_edges(self) -> Iterator[ColumnEdge]:
        for urn, entity in self.present.items():
            found = [(edge, entity) for edge in entity.column_edges]
            if entity.urn.kind == "mlFeatureTable":
                features = (self.features[one] for one in entity.features if one in self.features)
                found += [(edge, one) for one in features if not one.removed for edge in one.column_edges]
            for edge, _ in found:
                source = self.source_name(edge.source)
                if source and source != self.logical[urn]:
                    yield ColumnEdge(
                        ColumnRef(source, self.column(edge.source, edge.source_field)),
                        ColumnRef(self.logical[urn], self.column(urn, edge.field)),
                        edge.transformations,
                        provenance=(self.provenance(entity),),
                    )

    def column(self, urn: str, name: str) -> str:
        if urn not in self.folding:
            parsed = parse_urn(urn)
            self.folding[urn] = parsed.kind == "dataset" and self.names.folds(CatalogEntity(parsed))
        return name.lower() if self.folding[urn] and name != EVERY_COLUMN else name

    def provenance(self, entity: CatalogEntity, at: str = "") -> Provenance:
        return Provenance("datahub", job=entity.urn.text, at=at or entity.at)

    def dialect(self) -> str:
        platforms = {platform_name(e) for e in self.present.values() if e.urn.kind == "dataset" and e.fields}
        warehouses = platforms & _DIALECTS
        return warehouses.pop() if len(warehouses) == 1 else ""

    def several_names(self) -> dict[str, tuple[str, ...]]:
        known: dict[str, list[str]] = {}
        for urn, entity in self.present.items():
            if entity.urn.kind == "dataset" and platform_name(entity) != _DBT:
                known.setdefault(self.logical[urn], []).append(urn)
        return {name: tuple(sorted(urns)) for name, urns in known.items() if len(urns) > 1}

    def absent(self) -> dict[str, str]:
        there = {self.logical[urn] for urn in self.present}
        return {
            self.logical[urn]: f"it is soft-deleted in DataHub ({urn})"
            for urn, entity in self.entities.items()
            if entity.removed and self.logical[urn] not in there
        }
