"""One run of a job that moves data, and its OpenLineage events: START, then COMPLETE, FAIL or ABORT.

A job is whatever moves rows from one system to another without dbt: a DMS replication, a Kafka connector, an
ingest operator. Each terminal event stands on its own: it repeats the schemas and the column lineage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_type_dataset,
    dataset_version_dataset,
    datasource_dataset,
    documentation_dataset,
    documentation_job,
    error_message_run,
    extraction_error_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    ownership_dataset,
    processing_engine_run,
    schema_dataset,
    tags_dataset,
    tags_run,
)
from openlineage.client.uuid import generate_static_uuid

from airflow_lineage_provider import __version__
from airflow_lineage_provider.events.context import PRODUCER
from airflow_lineage_provider.events.datasets import uri
from airflow_lineage_provider.events.runs import context_facets, timestamp
from airflow_lineage_provider.events.tags import (
    LISTS_ALL,
    PROPERTY_SOURCE,
    SAVED_ANSWER,
    TAG_SOURCE,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from openlineage.client.facet_v2 import DatasetFacet, InputDatasetFacet, JobFacet, RunFacet

    from airflow_lineage_provider.events.context import RunContext
    from airflow_lineage_provider.events.naming import DatasetName

EVERY_COLUMN = "*"
"""The key of `Movement.columns` for source columns that shape all rows, such as a filter."""

_INDIRECT = frozenset({"JOIN", "FILTER", "GROUP_BY", "SORT", "WINDOW", "CONDITIONAL"})


@dataclass(frozen=True, slots=True)
class MovedField:
    """A column of a table, or a field of a record; `type` is empty where the system does not say."""

    name: str
    type: str = ""
    description: str = ""
    fields: tuple[MovedField, ...] = ()
    """The fields of a nested record."""
    properties: tuple[tuple[str, str], ...] = ()
    """What the system states of it, such as ("window", "7 days")."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check of a dataset, or of one of its columns, found."""

    assertion: str
    """The kind of check, such as expect_column_values_to_be_between."""
    success: bool
    column: str = ""
    severity: str = "error"
    """`error` where a failure stops the pipeline, else `warn`."""
    expected: str = ""
    actual: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    """The check's arguments and counts."""


@dataclass(frozen=True, slots=True)
class MovedDataset:
    """A dataset that a job reads or writes; `fields` is empty where its columns are not known."""

    name: DatasetName
    kind: str = "TABLE"
    """TABLE, TOPIC, FILE, DASHBOARD, FEATURE VIEW or MODEL."""
    fields: tuple[MovedField, ...] = ()
    rows: int | None = None
    bytes: int | None = None
    version: str = ""
    description: str = ""
    owners: tuple[str, ...] = ()
    url: str = ""
    """The page of the dataset in its system, without secrets; empty where it has none."""
    properties: tuple[tuple[str, str], ...] = ()
    """What the system states of it, such as ("approval", "Approved")."""
    checks: tuple[CheckResult, ...] = ()
    """Of an input: what the job checked."""


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column that another one is made of, and how: a subtype of OpenLineage's transformations."""

    dataset: DatasetName
    column: str
    subtype: str = "IDENTITY"
    masking: bool = False
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Movement:
    """One run of a job that moves data.

    `columns` gives the sources of each output column (no sources: made of no column); None: not known, and
    `problems` says why. The sources under `EVERY_COLUMN` shape all rows.
    """

    job_namespace: str
    job_name: str
    started_at: datetime
    integration: str
    """OpenLineage's name of the system, such as AWS_DMS."""
    job_type: str
    inputs: tuple[MovedDataset, ...] = ()
    outputs: tuple[MovedDataset, ...] = ()
    columns: Mapping[str, tuple[ColumnSource, ...]] | None = None
    processing: str = "BATCH"
    """BATCH or STREAMING."""
    engine: str = ""
    engine_version: str = ""
    problems: tuple[str, ...] = ()
    """What could not be resolved, one line each."""
    run_id: str = ""
    """Its own id where the system has one that is a UUID; else made of the parent's."""
    saved_at: datetime | None = None
    """When the answer was saved that this was read from; None of a live answer."""
    lists_all: str = ""
    """The map's name of the system (`Tableau`) where this answer lists all of its consumers, so that a
    documented consumer that is not in it is gone.
    """
    documentation: str = ""
    """Markdown about the job, such as a link to its report."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Further tags of the run, such as `LAST_REFRESH`."""


def movement_event(
    movement: Movement, state: RunState, at: datetime, context: RunContext, error: str = ""
) -> RunEvent:
    """Return the event of a movement at the time `at`; `error` says why it failed or was not done.

    START and end are of one run, because its id is made of what both share. A run that did not complete
    carries no column lineage.
    """
    done = state in {RunState.START, RunState.COMPLETE}
    lineage = _column_lineage(movement, context) if done else None
    ended = state is RunState.COMPLETE
    return RunEvent(
        eventType=state,
        eventTime=timestamp(at),
        run=Run(
            runId=movement.run_id or _run_id(movement, context),
            facets=_run_facets(movement, state, context, error),
        ),
        job=Job(movement.job_namespace, movement.job_name, _job_facets(movement)),
        inputs=[
            _input(dataset, context, ended=ended, checked=state is not RunState.START)
            for dataset in movement.inputs
        ],
        outputs=[_output(dataset, context, lineage, ended=ended) for dataset in movement.outputs],
        producer=PRODUCER,
    )


def _run_id(movement: Movement, context: RunContext) -> str:
    parent = context.parent.run_id if context.parent else ""
    seed = f"{parent}.{movement.job_namespace}.{movement.job_name}"
    return str(generate_static_uuid(movement.started_at, seed.encode()))


def _job_facets(movement: Movement) -> dict[str, JobFacet]:
    facets: dict[str, JobFacet] = {
        "jobType": job_type_job.JobTypeJobFacet(
            processingType=movement.processing,
            integration=movement.integration,
            jobType=movement.job_type,
            producer=PRODUCER,
        )
    }
    if movement.documentation:
        facets["documentation"] = documentation_job.DocumentationJobFacet(
            description=movement.documentation, contentType="text/markdown", producer=PRODUCER
        )
    return facets


def _run_facets(movement: Movement, state: RunState, context: RunContext, error: str) -> dict[str, RunFacet]:
    facets: dict[str, RunFacet] = {
        "processing_engine": processing_engine_run.ProcessingEngineRunFacet(
            name=movement.engine or movement.integration,
            version=movement.engine_version or "unknown",
            openlineageAdapterVersion=__version__,
            producer=PRODUCER,
        ),
        **context_facets(context),
    }
    if tags := _tags(movement):
        facets["tags"] = tags_run.TagsRunFacet(tags=tags, producer=PRODUCER)
    if state in {RunState.FAIL, RunState.ABORT}:
        facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(
            message=context.mask(error) or state.value, programmingLanguage="PYTHON", producer=PRODUCER
        )
    if movement.problems and state is not RunState.START:
        facets["extractionError"] = extraction_error_run.ExtractionErrorRunFacet(
            totalTasks=1,
            failedTasks=1,
            errors=[extraction_error_run.Error(errorMessage=context.mask(one)) for one in movement.problems],
            producer=PRODUCER,
        )
    return facets


def _tags(movement: Movement) -> list[tags_run.TagsRunFacetFields]:
    values = {
        SAVED_ANSWER: timestamp(movement.saved_at) if movement.saved_at else "",
        LISTS_ALL: movement.lists_all,
        **movement.tags,
    }
    return [tags_run.TagsRunFacetFields(key, value, TAG_SOURCE) for key, value in values.items() if value]


def _input(dataset: MovedDataset, context: RunContext, *, ended: bool, checked: bool) -> InputDataset:
    facets: dict[str, InputDatasetFacet] = {}
    if ended and (dataset.rows is not None or dataset.bytes is not None):
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
            rowCount=dataset.rows, size=dataset.bytes, producer=PRODUCER
        )
    if checked and dataset.checks:
        facets["dataQualityAssertions"] = _assertions(dataset.checks, context)
    return InputDataset(
        namespace=dataset.name.namespace,
        name=dataset.name.name,
        facets=_facets(dataset, context),
        inputFacets=facets,
    )


def _assertions(checks: Iterable[CheckResult], context: RunContext) -> InputDatasetFacet:
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=check.assertion,
                success=check.success,
                column=check.column or None,
                severity=check.severity,
                expected=context.mask(check.expected) or None,
                actual=context.mask(check.actual) or None,
                params={
                    name: context.mask(value) if isinstance(value, str) else value
                    for name, value in check.params.items()
                },
            )
            for check in checks
        ],
        producer=PRODUCER,
    )


def _output(
    dataset: MovedDataset, context: RunContext, lineage: DatasetFacet | None, *, ended: bool
) -> OutputDataset:
    counted = ended and (dataset.rows is not None or dataset.bytes is not None)
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
        rowCount=dataset.rows, size=dataset.bytes, producer=PRODUCER
    )
    return OutputDataset(
        namespace=dataset.name.namespace,
        name=dataset.name.name,
        facets=_facets(dataset, context) | ({"columnLineage": lineage} if lineage else {}),
        outputFacets={"outputStatistics": statistics} if counted else {},
    )


def _facets(dataset: MovedDataset, context: RunContext) -> dict[str, DatasetFacet]:
    facets: dict[str, DatasetFacet] = {
        "dataSource": datasource_dataset.DatasourceDatasetFacet(
            name=dataset.name.namespace, uri=dataset.url or uri(dataset.name.namespace), producer=PRODUCER
        ),
        "datasetType": dataset_type_dataset.DatasetTypeDatasetFacet(
            datasetType=dataset.kind, producer=PRODUCER
        ),
    }
    if dataset.fields:
        facets["schema"] = schema_dataset.SchemaDatasetFacet(
            fields=_fields(dataset.fields, context), producer=PRODUCER
        )
    if dataset.description:
        facets["documentation"] = documentation_dataset.DocumentationDatasetFacet(
            description=context.mask(dataset.description), contentType="text/plain", producer=PRODUCER
        )
    if dataset.owners:
        facets["ownership"] = ownership_dataset.OwnershipDatasetFacet(
            owners=[ownership_dataset.Owner(name=owner) for owner in dataset.owners], producer=PRODUCER
        )
    if dataset.version:
        facets["version"] = dataset_version_dataset.DatasetVersionDatasetFacet(
            datasetVersion=dataset.version, producer=PRODUCER
        )
    if tags := [*_stated(dataset, context)]:
        facets["tags"] = tags_dataset.TagsDatasetFacet(tags=tags, producer=PRODUCER)
    return facets


def _stated(dataset: MovedDataset, context: RunContext) -> Iterator[tags_dataset.TagsDatasetFacetFields]:
    stated = [(None, dataset.properties), *((field.name, field.properties) for field in dataset.fields)]
    for column, properties in stated:
        for key, value in properties:
            yield tags_dataset.TagsDatasetFacetFields(
                key=key, value=context.mask(value), source=PROPERTY_SOURCE, field=column
            )


def _fields(
    fields: Iterable[MovedField], context: RunContext
) -> list[schema_dataset.SchemaDatasetFacetFields]:
    return [
        schema_dataset.SchemaDatasetFacetFields(
            name=field.name,
            type=field.type or None,
            description=context.mask(field.description) or None,
            ordinal_position=position,
            fields=_fields(field.fields, context) or None,
        )
        for position, field in enumerate(fields, start=1)
    ]


def _column_lineage(movement: Movement, context: RunContext) -> DatasetFacet | None:
    if movement.columns is None:
        return None
    columns = dict(movement.columns)
    every = columns.pop(EVERY_COLUMN, ())
    return column_lineage_dataset.ColumnLineageDatasetFacet(
        fields={column: _made_of(sources, context) for column, sources in columns.items()},
        dataset=_input_fields(every, context),
        producer=PRODUCER,
    )


def _made_of(sources: tuple[ColumnSource, ...], context: RunContext) -> column_lineage_dataset.Fields:
    """Fill the deprecated `transformationType` too, because Marquez and OpenMetadata read no other."""
    masked = bool(sources) and all(source.masking for source in sources)
    copied = bool(sources) and all(source.subtype == "IDENTITY" for source in sources)
    expression = next((source.expression for source in sources if source.expression), "")
    return column_lineage_dataset.Fields(
        inputFields=_input_fields(sources, context),
        transformationDescription=context.mask(expression) or None,
        transformationType="MASKED" if masked else "IDENTITY" if copied else None,
    )


def _input_fields(
    sources: Iterable[ColumnSource], context: RunContext
) -> list[column_lineage_dataset.InputField]:
    return [
        column_lineage_dataset.InputField(
            namespace=source.dataset.namespace,
            name=source.dataset.name,
            field=source.column,
            transformations=[
                column_lineage_dataset.Transformation(
                    type="INDIRECT" if source.subtype in _INDIRECT else "DIRECT",
                    subtype=source.subtype,
                    description=context.mask(source.expression),
                    masking=source.masking,
                )
            ],
        )
        for source in sources
    ]
