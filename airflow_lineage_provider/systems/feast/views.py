"""The feature views of a Feast registry, with what each feature is made from.

A view without a transformation has its source's columns, renamed as the source says; a stream view may
aggregate them over windows. What a function makes (an on-demand view, a transformation) is not known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.lineage_map.features import NONE
from airflow_lineage_provider.plain_json import mapping, mappings, text, texts
from airflow_lineage_provider.systems.feast.sources import FeastSource, OfflineStore, feast_source
from airflow_lineage_provider.systems.features import FEATURE_VIEW, Feature, ObservedFeatureView, aggregated
from airflow_lineage_provider.systems.sql_columns import Made, sql_made

if TYPE_CHECKING:
    from collections.abc import Mapping

    Spec = Mapping[str, Any]

_VIEWS = ("featureViews", "streamFeatureViews", "onDemandFeatureViews")
_DUMMY = "__dummy"
"""The entity of a view that has none."""


class Registry:
    """The objects of one project by their names."""

    def __init__(self, registry: Spec, namespace: str, project: str, store: OfflineStore) -> None:
        self.namespace = namespace
        self.project = project
        self.store = store
        self.views: dict[str, Spec] = {
            text(one, "spec", "name"): mapping(one.get("spec"))
            for kind in _VIEWS
            for one in mappings(registry.get(kind))
        }
        self.join_keys = {
            text(one, "spec", "name"): text(one, "spec", "joinKey")
            for one in mappings(registry.get("entities"))
        }
        self.services: dict[str, set[str]] = {}
        for service in mappings(registry.get("featureServices")):
            for one in mappings(mapping(service.get("spec")).get("features")):
                self.services.setdefault(text(one, "featureViewName"), set()).add(
                    text(service, "spec", "name")
                )

    def view(self, name: str) -> ObservedFeatureView:
        """Return a feature view with the lineage of its features."""
        spec = self.views[name]
        sources = mapping(spec.get("sources"))
        if sources:
            inputs, features = self._on_demand(spec, sources)
            every: tuple[ColumnSource, ...] = ()
        else:
            inputs, features, every = self._of_sources(spec)
        owner = text(spec, "owner")
        services = ", ".join(sorted(self.services.get(name, ())))
        return ObservedFeatureView(
            name=self.dataset(name),
            inputs=tuple({one.name: one for one in inputs}.values()),
            features=features,
            entity=self._entity(spec),
            description=text(spec, "description"),
            owners=(owner,) if owner else (),
            every=every,
            streaming=bool(spec.get("streamSource")),
            properties=(("services", services),) if services else (),
            problems=() if features else (f"feature view {name} lists no features",),
        )

    def dataset(self, view: str) -> DatasetName:
        """Return the dataset that a feature view is."""
        return DatasetName(self.namespace, f"{self.project}.{view}")

    def _entity(self, spec: Spec) -> tuple[str, ...]:
        names = (name for name in texts(spec.get("entities")) if name != _DUMMY)
        return tuple(self.join_keys.get(name) or name for name in names)

    def _on_demand(self, spec: Spec, sources: Spec) -> tuple[list[MovedDataset], tuple[Feature, ...]]:
        """Return the views that an on-demand view reads; a function computes its features from them."""
        read = [
            text(one, "featureViewProjection", "featureViewName") or text(one, "featureView", "spec", "name")
            for one in map(mapping, sources.values())
        ]
        gap = f"a function ({text(spec, 'mode') or 'Python'}) computes it: what it is made from is not known"
        features = tuple(
            Feature(text(one, "name"), _type(one), text(one, "description"), gap=gap)
            for one in mappings(spec.get("features"))
        )
        return [MovedDataset(self.dataset(name), FEATURE_VIEW) for name in read if name], features

    def _of_sources(
        self, spec: Spec
    ) -> tuple[list[MovedDataset], tuple[Feature, ...], tuple[ColumnSource, ...]]:
        batch = feast_source(mapping(spec.get("batchSource")), self.store)
        given = [mapping(spec.get("streamSource"))]
        streams = [found for one in given if one and (found := feast_source(one, self.store)).dataset]
        inputs = [MovedDataset(one.dataset, one.kind) for one in (batch, *streams) if one.dataset]
        aggregations = mappings(spec.get("aggregations"))
        names = [text(one, "name") for one in mappings(spec.get("features"))]
        columns = [
            *(_source_column(batch, name) for name in names),
            *(_source_column(batch, text(one, "column")) for one in aggregations),
        ]
        made = self._made(spec, batch, streams, columns)
        features = tuple(
            self._feature(one, made, batch, aggregations) for one in mappings(spec.get("features"))
        )
        read = {one.dataset for feature in features for one in feature.sources or ()}
        read |= {one.dataset for one in made.every}
        inputs += [
            MovedDataset(name) for name in sorted(read, key=str) if name not in {i.name for i in inputs}
        ]
        return inputs, features, made.every

    def _made(self, spec: Spec, batch: FeastSource, streams: list[FeastSource], columns: list[str]) -> Made:
        if spec.get("userDefinedFunction") or spec.get("featureTransformation"):
            return Made(gap=f"a function ({text(spec, 'mode') or 'Python'}) transforms its source")
        if batch.query:

            def named(database: str, schema: str, table: str) -> DatasetName:
                return self.store.table(database or batch.database, schema or batch.schema, table)

            return sql_made(batch.query, self.store.dialect, columns, table_name=named)
        names = tuple(one.dataset for one in (batch, *streams) if one.dataset)
        return Made(rest=names) if names else Made(gap="its data source is of a kind that is not known")

    def _feature(self, spec: Spec, made: Made, batch: FeastSource, aggregations: list[Spec]) -> Feature:
        name, function, window = text(spec, "name"), NONE, NONE
        column = _source_column(batch, name)
        if aggregations:
            found = next((one for one in aggregations if name in _names(one)), None)
            if found is None:
                gap = "no aggregation of its view is named so"
                return Feature(name, _type(spec), text(spec, "description"), None, "", "", gap)
            function, window = text(found, "function"), text(found, "timeWindow")
            column = _source_column(batch, text(found, "column"))
        sources = made.find(column)
        if function != NONE:
            sources = aggregated(sources, function, column)
        gap = made.gap or f"its source has no column {column}"
        return Feature(name, _type(spec), text(spec, "description"), sources, function, window, gap)


def _names(aggregation: Spec) -> set[str]:
    """Return what Feast calls the feature of an aggregation: its own name, else one of its parts."""
    function, column = text(aggregation, "function"), text(aggregation, "column")
    seconds = text(aggregation, "timeWindow")
    return {text(aggregation, "name"), f"{function}_{column}_{seconds}", f"{function}_{column}"} - {""}


def _source_column(source: FeastSource, feature: str) -> str:
    return (source.renamed or {}).get(feature, feature)


def _type(feature: Spec) -> str:
    return text(feature, "valueType").lower()
