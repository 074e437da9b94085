"""A relation as an OpenLineage dataset with its facets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import (
    DatasetFacet,
    InputDatasetFacet,
    OutputDatasetFacet,
    data_quality_assertions_dataset,
    dataset_type_dataset,
    datasource_dataset,
    documentation_dataset,
    lifecycle_state_change_dataset,
    output_statistics_output_dataset,
    ownership_dataset,
    schema_dataset,
    tags_dataset,
)

from airflow_lineage_provider.events.context import PRODUCER
from airflow_lineage_provider.events.naming import DatasetName, dataset_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.dbt.records import NodeFinished, Relation, Test, Warehouse

DATASET_TYPES = {"view": "VIEW", "materialized_view": "VIEW", "external": "FILE"}


def input_dataset(
    relation: Relation,
    warehouse: Warehouse,
    mask: Callable[[str], str],
    input_facets: dict[str, InputDatasetFacet] | None = None,
) -> InputDataset:
    """Return the dataset of a relation that a node reads."""
    name = dataset_name(relation, warehouse)
    facets = _facets(relation, name, mask)
    return InputDataset(
        namespace=name.namespace, name=name.name, facets=facets, inputFacets=input_facets or {}
    )


def output_dataset(
    relation: Relation,
    warehouse: Warehouse,
    mask: Callable[[str], str],
    finished: NodeFinished | None = None,
    extra: dict[str, DatasetFacet] | None = None,
) -> OutputDataset:
    """Return the dataset of the relation that a node makes; `finished` adds its life cycle and rows."""
    name = dataset_name(relation, warehouse)
    facets: dict[str, DatasetFacet] = {**_facets(relation, name, mask), **(extra or {})}
    statistics: dict[str, OutputDatasetFacet] = {}
    if finished and not finished.failed:
        if change := _lifecycle(relation, finished):
            facets["lifecycleStateChange"] = lifecycle_state_change_dataset.LifecycleStateChangeDatasetFacet(
                lifecycleStateChange=change, producer=PRODUCER
            )
        if finished.rows is not None:
            statistics["outputStatistics"] = (
                output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
                    rowCount=finished.rows, producer=PRODUCER
                )
            )
    return OutputDataset(namespace=name.namespace, name=name.name, facets=facets, outputFacets=statistics)


def assertions(
    record: NodeFinished, test: Test, actual: str | None, mask: Callable[[str], str]
) -> InputDatasetFacet:
    """Return the facet with a test's result, for the dataset that the test is about."""
    assertion = data_quality_assertions_dataset.Assertion(
        assertion=test.kind,
        success=record.status == "pass",
        column=test.column,
        severity=test.severity,
        name=record.node.name,
        expected="0",
        actual=actual,
        params={name: mask(value) for name, value in test.arguments.items()},
    )
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[assertion], producer=PRODUCER
    )


def _facets(relation: Relation, name: DatasetName, mask: Callable[[str], str]) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {
        "dataSource": datasource_dataset.DatasourceDatasetFacet(
            name=name.namespace, uri=uri(name.namespace), producer=PRODUCER
        ),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(
            datasetType="FILE"
            if relation.location
            else DATASET_TYPES.get(relation.materialized or "", "TABLE"),
            producer=PRODUCER,
        ),
    }
    if relation.columns:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            fields=_fields(relation, mask), producer=PRODUCER
        )
    if relation.description:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(
            description=mask(relation.description), contentType="text/markdown", producer=PRODUCER
        )
    if relation.owners:
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(
            owners=[ownership_dataset.Owner(name=owner) for owner in relation.owners], producer=PRODUCER
        )
    if tags := _tags(relation):
        facets["tags"] = tags_dataset.TagsDatasetFacet(tags=tags, producer=PRODUCER)
    return facets


def _fields(relation: Relation, mask: Callable[[str], str]) -> list[Any]:
    return [
        schema_dataset.SchemaDatasetFacetFields(
            name=column.name,
            type=column.data_type,
            description=mask(column.description) or None,
            ordinal_position=position,
            fields=None,
        )
        for position, column in enumerate(relation.columns, start=1)
    ]


def _tags(relation: Relation) -> list[Any]:
    tag = tags_dataset.TagsDatasetFacetFields
    own = [tag(key=key, value="true", source="DBT") for key in relation.tags]
    columns = [
        tag(key=key, value="true", source="DBT", field=column.name)
        for column in relation.columns
        for key in column.tags
    ]
    return own + columns


def _lifecycle(relation: Relation, finished: NodeFinished) -> Any:
    """Return CREATE, OVERWRITE, or None where rows were added to an existing relation."""
    change = lifecycle_state_change_dataset.LifecycleStateChange
    if finished.created is None:
        return None
    if finished.created:
        return change.CREATE
    return None if relation.materialized in {"incremental", "snapshot"} else change.OVERWRITE


def uri(namespace: str) -> str:
    """Return a namespace as the URI that the `dataSource` facet requires."""
    return namespace if "://" in namespace else f"{namespace}://"
