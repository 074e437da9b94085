"""A lineage graph as DataHub's entities: datasets, dashboards and charts, features and models.

What DataHub's model has no place for, such as the columns that a feature is made from, is kept in a custom
property, from which it is read back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.graph import EVERY_COLUMN
from airflow_lineage_provider.readers.datahub_entities import FROM_PROPERTY, PROPERTY_PREFIX
from airflow_lineage_provider.readers.datahub_operations import PRODUCER, operation_text
from airflow_lineage_provider.readers.datahub_urns import platform_urn, schema_field_urn, slug, urn_of
from airflow_lineage_provider.systems.datahub.field_types import field_type
from airflow_lineage_provider.systems.datahub.names import BOARDS, FEATURE_VIEW, MODEL
from airflow_lineage_provider.systems.datahub.proposals import (
    DATASET,
    MAP,
    Proposal,
    edge_to,
    last_seen,
    stamp,
    stamps,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from airflow_lineage_provider.graph import Column, ColumnEdge, Dataset, Edge, Graph
    from airflow_lineage_provider.graph.model import Properties
    from airflow_lineage_provider.systems.datahub.names import CatalogNames

_CONFIDENCE = 1.0


class EntityWriter:
    """Writes the entities of one graph; `labels` are the tags of each dataset, `map_name` marks them."""

    def __init__(
        self, graph: Graph, names: CatalogNames, map_name: str, labels: Mapping[str, Iterable[str]]
    ) -> None:
        self.graph = graph
        self.names = names
        self.map_name = map_name
        self.labels = labels
        self.urns = {name: names.urn(dataset) for name, dataset in graph.datasets.items()}
        self.column_edges: dict[str, list[ColumnEdge]] = {}
        for edge in graph.column_edges:
            self.column_edges.setdefault(edge.target.dataset, []).append(edge)

    def proposals(self) -> Iterator[Proposal]:
        """Yield the aspects of every dataset and consumer, and of the tags and groups that they name."""
        for name, dataset in self.graph.datasets.items():
            urn = self.urns[name]
            yield Proposal(urn, "status", {"removed": False})
            if dataset.kind in BOARDS:
                yield from self._board(dataset, urn)
            elif dataset.kind == FEATURE_VIEW:
                yield from self._feature_view(dataset, urn)
            elif dataset.kind == MODEL:
                yield from self._model(dataset, urn)
            else:
                yield from self._dataset(dataset, urn)
            yield from self._governance(dataset, urn)
        yield from self._named()

    def _dataset(self, dataset: Dataset, urn: str) -> Iterator[Proposal]:
        properties = {"name": dataset.name.rpartition(".")[2], **self._properties(dataset)}
        yield Proposal(urn, "datasetProperties", properties)
        yield Proposal(urn, "subTypes", {"typeNames": [dataset.kind.title()]})
        platform = self.names.platform(dataset)
        if instance := self.names.instances.get(platform):
            value = {
                "platform": platform_urn(platform),
                "instance": urn_of("dataPlatformInstance", platform_urn(platform), instance),
            }
            yield Proposal(urn, "dataPlatformInstance", value)
        if dataset.columns:
            schema: dict[str, Any] = {
                "schemaName": dataset.name,
                "platform": platform_urn(platform),
                "version": 0,
                "hash": "",
                "platformSchema": {"com.linkedin.schema.OtherSchema": {"rawSchema": ""}},
                "fields": [_field(column) for column in dataset.columns.values()],
                **stamps(),
            }
            yield Proposal(urn, "schemaMetadata", schema)
        yield Proposal(urn, "upstreamLineage", self._lineage(dataset, urn))

    def _lineage(self, dataset: Dataset, urn: str) -> dict[str, Any]:
        """Return the lineage of a dataset, one fine-grained entry for each column edge.

        An edge to all columns, such as a filter's, has no downstream field.
        """
        upstreams = [
            {
                "dataset": self.urns[edge.source],
                "type": "TRANSFORMED",
                "auditStamp": stamp(last_seen(edge.provenance)),
                "properties": {"source": PRODUCER},
            }
            for edge in self._incoming(dataset)
        ]
        found = []
        for edge in self.column_edges.get(dataset.name, ()):
            whole = edge.source.column == EVERY_COLUMN
            source = self.urns[edge.source.dataset]
            every = edge.target.column == EVERY_COLUMN
            found.append(
                {
                    "upstreamType": "DATASET" if whole else "FIELD_SET",
                    "upstreams": [source if whole else schema_field_urn(source, edge.source.column)],
                    "downstreamType": "FIELD_SET" if every else "FIELD",
                    "downstreams": [] if every else [schema_field_urn(urn, edge.target.column)],
                    "transformOperation": operation_text(edge.transformations),
                    "confidenceScore": _CONFIDENCE,
                }
            )
        return {"upstreams": upstreams, "fineGrainedLineages": found}

    def _board(self, dataset: Dataset, urn: str) -> Iterator[Proposal]:
        """Yield a dashboard or a chart, with the columns that its fields show."""
        places: dict[str, list[Any]] = {}
        for edge in self._incoming(dataset):
            kind = self.urns[edge.source].split(":")[2]
            places.setdefault(kind, []).append(edge_to(self.urns[edge.source], last_seen(edge.provenance)))
        chart = BOARDS[dataset.kind] == "chart"
        known = {"dataset": "inputEdges" if chart else "datasetEdges"}
        if not chart:
            known |= {"chart": "chartEdges", "dashboard": "dashboards"}
        others = [one["destinationUrn"] for k, edges in places.items() if k not in known for one in edges]
        properties = self._properties(dataset, others)
        value = {
            "title": dataset.name,
            "description": properties.pop("description", ""),
            "lastModified": stamps(),
            **properties,
            **{known[kind]: edges for kind, edges in places.items() if kind in known},
        }
        yield Proposal(urn, "chartInfo" if chart else "dashboardInfo", value)
        if dataset.kind != BOARDS[dataset.kind]:
            yield Proposal(urn, "subTypes", {"typeNames": [dataset.kind.title()]})
        fields = list(self._input_fields(dataset, urn))
        if fields:
            yield Proposal(urn, "inputFields", {"fields": fields})

    def _input_fields(self, dataset: Dataset, urn: str) -> Iterator[dict[str, Any]]:
        """Yield an entry for each column edge of a field; a field that is made from none refers to itself."""
        edges = self.column_edges.get(dataset.name, [])
        shown = dict(dataset.columns)
        for edge in edges:
            column = shown.get(edge.target.column)
            field = _field(column) if column else _bare_field(edge.target.column)
            field["jsonProps"] = json.dumps(
                {"producer": PRODUCER, "operation": operation_text(edge.transformations)}
            )
            source = schema_field_urn(self.urns[edge.source.dataset], edge.source.column)
            yield {"schemaFieldUrn": source, "schemaField": field}
        for name in shown.keys() - {edge.target.column for edge in edges}:
            field = _field(shown[name]) | {"jsonProps": json.dumps({"producer": PRODUCER})}
            yield {"schemaFieldUrn": schema_field_urn(urn, name), "schemaField": field}

    def _feature_view(self, dataset: Dataset, urn: str) -> Iterator[Proposal]:
        named: dict[str, list[ColumnEdge]] = {}
        for edge in self.column_edges.get(dataset.name, ()):
            named.setdefault(edge.target.column, []).append(edge)
        features = {name: self._feature_urn(dataset, name) for name in (*dataset.columns, *named)}
        others = [self.urns[edge.source] for edge in self._incoming(dataset)]
        value = {**self._properties(dataset, others), "mlFeatures": list(features.values())}
        yield Proposal(urn, "mlFeatureTableProperties", value)
        for name, feature in features.items():
            yield Proposal(feature, "status", {"removed": False})
            yield Proposal(
                feature, "mlFeatureProperties", self._feature(dataset.columns.get(name), named.get(name, []))
            )

    def _feature(self, column: Column | None, edges: list[ColumnEdge]) -> dict[str, Any]:
        made_from = [
            [self.urns[e.source.dataset], e.source.column, operation_text(e.transformations)] for e in edges
        ]
        sources = dict.fromkeys(urn for urn, *_ in made_from if urn.startswith("urn:li:dataset:"))
        properties = {MAP: self.map_name, FROM_PROPERTY: json.dumps(made_from)}
        if column:
            properties |= _stated(column.properties) | ({"type": column.type} if column.type else {})
        return {
            "description": column.description if column else "",
            "dataType": "UNKNOWN",
            "sources": list(sources),
            "customProperties": properties,
        }

    def _feature_urn(self, dataset: Dataset, name: str) -> str:
        return urn_of("mlFeature", slug(dataset.name), name)

    def _model(self, dataset: Dataset, urn: str) -> Iterator[Proposal]:
        """Yield a model: the features of the views that it reads, and the datasets that it is trained on."""
        features, training, others = [], [], []
        for edge in self._incoming(dataset):
            source = self.graph.datasets[edge.source]
            source_urn = self.urns[edge.source]
            others.append(source_urn)
            if source.kind == FEATURE_VIEW:
                names = dict.fromkeys(
                    (*source.columns, *(e.target.column for e in self.column_edges.get(source.name, ())))
                )
                features += [self._feature_urn(source, name) for name in names]
            elif source_urn.startswith("urn:li:dataset:"):
                training.append({"dataset": source_urn})
        value = {"name": dataset.name, **self._properties(dataset, others), "mlFeatures": features}
        yield Proposal(urn, "mlModelProperties", value)
        if training:
            yield Proposal(urn, "mlModelTrainingData", {"trainingData": training})

    def _incoming(self, dataset: Dataset) -> list[Edge]:
        return [self.graph.edges[source, dataset.name] for source in self.graph.parents(dataset.name)]

    def _properties(self, dataset: Dataset, others: Iterable[str] = ()) -> dict[str, Any]:
        custom = {DATASET: dataset.name, MAP: self.map_name}
        if dataset.layer:
            custom |= {"layer": dataset.layer, "tier": dataset.layer}
        if dataset.checks:
            custom["checks"] = "; ".join(dataset.checks)
        custom |= _stated(dataset.properties)
        if listed := list(others):
            custom[FROM_PROPERTY] = json.dumps(listed)
        found: dict[str, Any] = {"customProperties": custom}
        return found | {"description": dataset.description} if dataset.description else found

    def _governance(self, dataset: Dataset, urn: str) -> Iterator[Proposal]:
        if dataset.owners:
            owners = [
                {
                    "owner": owner_urn(owner),
                    "type": "TECHNICAL_OWNER",
                    "source": {"type": "SERVICE", "url": PRODUCER},
                }
                for owner in dataset.owners
            ]
            yield Proposal(urn, "ownership", {"owners": owners, "lastModified": stamp()})
        if tags := self._tags(dataset):
            value = [{"tag": urn_of_tag(tag), "context": PRODUCER} for tag in tags]
            yield Proposal(urn, "globalTags", {"tags": value})

    def _tags(self, dataset: Dataset) -> list[str]:
        layer = [dataset.layer, f"tier:{dataset.layer}"] if dataset.layer else []
        return list(dict.fromkeys([*layer, *self.labels.get(dataset.name, ())]))

    def _named(self) -> Iterator[Proposal]:
        """Yield the tags and the groups that are named, so that they are shown by their names."""
        everything = self.graph.datasets.values()
        for tag in dict.fromkeys(tag for dataset in everything for tag in self._tags(dataset)):
            yield Proposal(urn_of_tag(tag), "tagProperties", {"name": tag})
        for owner in dict.fromkeys(owner for dataset in everything for owner in dataset.owners):
            if owner_urn(owner).startswith("urn:li:corpGroup:"):
                value = {"displayName": owner, "admins": [], "members": [], "groups": []}
                yield Proposal(owner_urn(owner), "corpGroupInfo", value)


def owner_urn(owner: str) -> str:
    """Return the URN of an owner: a user by an email address, else a group.

    >>> owner_urn("Data Platform Team")
    'urn:li:corpGroup:data-platform-team'
    """
    return f"urn:li:{'corpuser' if '@' in owner else 'corpGroup'}:{slug(owner)}"


def urn_of_tag(tag: str) -> str:
    """Return the URN of a tag."""
    return f"urn:li:tag:{tag.replace(',', ' ').replace('(', ' ').replace(')', ' ')}"


def _stated(properties: Properties) -> dict[str, str]:
    return {f"{PROPERTY_PREFIX}{name}": value for name, value in properties}


def _field(column: Column) -> dict[str, Any]:
    return _bare_field(column.name, column.type) | (
        {"description": column.description} if column.description else {}
    )


def _bare_field(name: str, native: str = "") -> dict[str, Any]:
    return {
        "fieldPath": name,
        "type": {"type": field_type(native)},
        "nativeDataType": native,
        "nullable": True,
    }
