"""The documented map as its YAML is written: one class for each section; an unknown key is an error.

Shorthand: a column written `name:` keeps its name, `name: other` is made from `other`, a list of
columns is a mapping without values, and wherever names are listed one name may stand alone.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from airflow_lineage_provider.graph import Code, Severity
from airflow_lineage_provider.lineage_map.base import Name, Names, OptionalPart, OrTypes, Part, keyed
from airflow_lineage_provider.lineage_map.governance import (
    Approval,
    DataCatalog,
    Document,
    HistoryEntry,
    Scenario,
    ValidationPlan,
)


class MapColumn(OptionalPart):
    """A column, and what it is made from.

    Without `from` it keeps its name and comes from the one input that has a column of that name;
    `from: []` says that it is made from no column. Any direct derivation satisfies `from`; `subtype:
    IDENTITY` demands an unchanged copy, and `expression` that expression.
    """

    shorthand = ("null", "string")

    type: str = ""
    """SQL type, such as `DECIMAL(10,2)`. A type without precision fits every precision."""
    description: str = ""
    """What the column holds."""
    sources: Names | None = Field(None, alias="from")
    """Columns that it is made from: a name of an input's column, or `layer.table.column`. Without it the
    column keeps its name; `[]` is a column that is made from none.
    """
    expression: str = ""
    """SQL expression that makes the column, as in `SUM(order_amount)`."""
    subtype: str = ""
    """How it is derived, in OpenLineage's terms: IDENTITY, TRANSFORMATION or AGGREGATION. IDENTITY demands
    an unchanged copy.
    """
    aggregation: str = ""
    """Function that aggregates a feature, such as count or sum; none for a feature without one."""
    window: str = ""
    """Time that a feature aggregates over, such as 7 days."""
    checks: Names = ()
    """Tests of the column: kinds as dbt and Great Expectations name them (not_null, unique,
    expect_column_values_to_match_regex), which must be there; anything else is words.
    """

    @model_validator(mode="before")
    @classmethod
    def _from(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value


Columns: TypeAlias = Annotated[dict[Name, MapColumn], BeforeValidator(keyed), OrTypes("array")]


class MapTable(OptionalPart):
    """A table of a layer. `columns`, where given, are all of its columns."""

    description: str = ""
    """What one row is."""
    sources: Names = Field((), alias="from")
    """Datasets that the table is made from, such as `bronze.raw_orders`."""
    columns: Columns = {}
    """All columns of the table: a list of names, or a mapping of names to details."""
    materialized: str = ""
    """dbt materialization: table, view, incremental, ..."""
    unique_key: Names = ()
    """Columns that identify a row."""
    on_schema_change: str = ""
    """dbt's `on_schema_change` of an incremental model."""
    cluster_by: Names = ()
    """Columns that the table is clustered by."""
    file: str = ""
    """File of the model, such as models/gold/orders.sql."""
    job: str = ""
    """Name of the job that makes the table, where it is not the table's name."""
    checks: Names = ()
    """Tests of the whole table: kinds as for a column, or words."""
    owners: Names = ()
    """People or teams to inform of a change."""
    tags: Names = ()
    """Labels of your own."""


class Layer(OptionalPart):
    """A layer of the warehouse."""

    title: str = ""
    """Name of the layer in the document."""
    location: str = ""
    """Where its tables are, such as `analytics.bronze.*`."""
    purpose: str = ""
    """What the layer is for."""
    retention: str = ""
    """How long data is kept, such as 90 days."""
    format: str = ""
    """Format of the tables, such as Delta."""
    models: str = ""
    """Folder of the dbt models, such as models/silver/."""
    checks: Names = ()
    """Tests that all tables of the layer go through, in words."""
    owners: Names = ()
    """Owners of the tables that have none of their own."""
    tables: Annotated[dict[Name, MapTable], BeforeValidator(keyed), OrTypes("array")] = {}
    """Tables by their name in the layer."""


class Extraction(Part):
    """How data leaves a source system."""

    method: str = ""
    """Tool or method, such as Fivetran or AWS DMS."""
    frequency: str = ""
    """How often data arrives, such as hourly."""
    sla: str = ""
    """How late data may be, such as `< 5 minute latency`."""


class SourceDataset(OptionalPart):
    """A table, topic or set of files of a source system, and what it is extracted `to`."""

    shorthand = ("null", "string", "array")

    to: Names = ()
    """Datasets that it is extracted to, such as `bronze.raw_orders`."""
    description: str = ""
    """What the dataset holds."""
    location: str = ""
    """Where it is, if not at the location of its source."""
    format: str = ""
    """Format, such as Avro or Parquet."""
    producer: str = ""
    """Application that writes it."""
    consumer: str = ""
    """Application that reads it."""
    columns: Columns = {}
    """Columns of the dataset."""
    owners: Names = ()
    """People or teams to inform of a change."""

    @model_validator(mode="before")
    @classmethod
    def _to(cls, value: Any) -> Any:
        return {"to": value} if isinstance(value, str | list) else value


class SourceSystem(Part):
    """A system outside of the warehouse. Its datasets are named `<source>.<dataset>`."""

    title: str = ""
    """Name of the system in the document."""
    type: Name
    """Kind of system: postgres, kafka, s3, salesforce, ..."""
    location: str = ""
    """URL of the system, without a user or password."""
    kind: str = "table"
    """Kind of its datasets: table, topic or files."""
    extraction: Extraction = Field(default_factory=Extraction)
    """How data leaves the system."""
    owners: Names = ()
    """Owners of the datasets that have none of their own."""
    datasets: Annotated[dict[Name, SourceDataset], BeforeValidator(keyed), OrTypes("array")] = {}
    """Tables, topics or sets of files by their name in the system."""


class Dashboard(Part):
    """A dashboard or report."""

    tool: str = ""
    """BI tool, such as Tableau."""
    connection: str = ""
    """Connection or data source of the dashboard."""
    refresh: str = ""
    """When it is refreshed."""
    url: str = ""
    """Address of the dashboard."""
    description: str = ""
    """What it shows."""
    sources: Names = Field((), alias="from")
    """Datasets, or other dashboards, that it reads."""
    fields_: Columns = Field({}, alias="fields")
    """Fields that it shows, and the columns that they are made from."""
    owners: Names = ()
    """People or teams to inform of a change."""


class FeatureView(Part):
    """A feature view of a feature store."""

    store: str = ""
    """Feature store, such as Tecton or Feast."""
    url: str = ""
    """Address of the feature view."""
    description: str = ""
    """What the features describe."""
    entity: Names = ()
    """Columns that identify what the features describe, such as customer_id."""
    sources: Names = Field((), alias="from")
    """Datasets that the features are made from."""
    features: Columns = {}
    """Features, and the columns that they are made from."""
    owners: Names = ()
    """People or teams to inform of a change."""


class MLModel(Part):
    """A machine learning model."""

    platform: str = ""
    """Where it is trained or served, such as SageMaker."""
    url: str = ""
    """Address of the model."""
    description: str = ""
    """What it predicts."""
    version: str = ""
    """Version that is in use, such as 3."""
    approval: str = ""
    """State of its approval, such as Approved."""
    sources: Names = Field((), alias="from")
    """Feature views or datasets that it reads."""
    owners: Names = ()
    """People or teams to inform of a change."""


class Step(OptionalPart):
    """A column of a chain, and how it is made from the column before it."""

    shorthand = ("string",)

    column: Name
    """Column with its dataset, such as `silver.stg_orders.order_amount`."""
    by: str = ""
    """Job or tool that makes it from the column before."""
    expression: str = ""
    """SQL expression that makes it."""
    subtype: str = ""
    """How it is derived, in OpenLineage's terms."""

    @model_validator(mode="before")
    @classmethod
    def _column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class Chain(Part):
    """The path of one column from its source to a consumer."""

    title: str = ""
    """Name of the column that the chain explains."""
    steps: tuple[Step, ...]
    """Columns from the source to the consumer."""
    logic: Names = ()
    """Explanation, one sentence for each step."""


class Pipeline(Part):
    """The DAG that runs this, and the namespace of the jobs that it emits."""

    dag_id: str = ""
    """Airflow's id of the DAG."""
    observers: Names = ()
    """DAGs that observe what the pipeline does not run, such as its consumers. The newest run of each counts
    together with that of the pipeline.
    """
    schedule: str = ""
    """Schedule of the DAG."""
    start_date: str = ""
    """First day of the DAG, such as 2026-01-31."""
    job_namespace: str = ""
    """OpenLineage namespace of the jobs."""
    tasks: dict[Name, Names] = {}
    """Tasks by id, and the datasets that each makes; globs such as `silver.*` are allowed."""
    users: Names = ()
    """Users, as the warehouse's query log names them, as which the documented jobs run; globs are allowed.
    Without them a statement with dbt's query comment is one of a documented job.
    """


class Accepted(Part):
    """A finding that is accepted until a day."""

    finding: Code
    """Code of the finding, such as column-missing."""
    subject: Name
    """Subject of the finding, such as `gold.orders.amount`; may be a glob."""
    reason: Name
    """Why it is accepted."""
    until: dt.date
    """Last day on which it is accepted, such as 2026-12-31."""


class Binding(Part):
    """Logical names for OpenLineage's, by templates: `{x}` is one part of a name, `*` is any text."""

    dataset: Name
    """Logical name in the map, such as `{layer}.{table}`."""
    namespace: Name
    """OpenLineage namespace, such as `duckdb://*/warehouse.duckdb`."""
    name: Name
    """OpenLineage name, such as `warehouse.{layer}.{table}`."""
    ignore_case: bool = False
    """Whether names are compared without their case, as on Snowflake."""


class Environment(Part):
    """A place where the pipeline runs, and how datasets are named there."""

    description: str = ""
    """What the environment is."""
    produces: Names = ()
    """Layers that the pipeline makes here, where others load the rest; without it all."""
    bindings: tuple[Binding, ...]
    """How datasets are named here."""


class DbtInclude(Part):
    """A dbt project whose YAML holds parts of the map."""

    dbt: Name
    """Folder of the project, relative to this file."""


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


class Map(Part):
    """A documented lineage map."""

    document: Document
    """Title, owner and other facts of the document."""
    include: Annotated[
        tuple[Name | DbtInclude, ...], BeforeValidator(_one_or_many), OrTypes("string", "object")
    ] = ()
    """Files that hold parts of the map, as paths or globs relative to this file, such as `domains/*.yaml`.
    `{dbt: ../dbt_project}` is a dbt project whose YAML holds parts of it in `meta.lineage`.
    """
    scope: Names = ()
    """Globs of the datasets that the map covers, such as `silver.*`; others are neither expected nor
    reported. Without it the map covers everything.
    """
    pipeline: Pipeline = Field(default_factory=Pipeline)
    """The DAG that runs the pipeline."""
    sources: dict[Name, SourceSystem] = {}
    """Systems outside of the warehouse by name."""
    layers: dict[Name, Layer] = {}
    """Layers of the warehouse by name, from the rawest to the most refined."""
    column_lineage: tuple[Chain, ...] = ()
    """Columns explained step by step."""
    dashboards: dict[Name, Dashboard] = {}
    """Dashboards and reports by name."""
    feature_views: dict[Name, FeatureView] = {}
    """Views of a feature store by name."""
    ml_models: dict[Name, MLModel] = {}
    """Machine learning models by name."""
    environments: dict[Name, Environment] = {}
    """Places where the pipeline runs, by name."""
    policy: dict[Code, Severity] = {}
    """Severity of each finding: error fails the run, warning and note do not, ignore drops it."""
    accepted: tuple[Accepted, ...] = ()
    """Findings that are accepted for a time."""
    catalog: DataCatalog = Field(default_factory=DataCatalog)
    """The data catalog that shows the lineage."""
    scenarios: tuple[Scenario, ...] = ()
    """Changes and the consumers that they reach."""
    validation: ValidationPlan = Field(default_factory=ValidationPlan)
    """Checks of the lineage by machines and by people."""
    change_history: tuple[HistoryEntry, ...] = ()
    """Versions of the map."""
    approvals: tuple[Approval, ...] = ()
    """Who approves the map."""
