"""The documented map as YAML says it. One class a section; a key that is not here is refused.

Shorthand: a column written `name:` keeps its name, `name: other` is made from `other`, a list of
columns is a mapping without values, and wherever names are listed one name may stand alone.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from airflow_lineage_provider.graph import Code, Severity

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema


class _Or:
    """Tells editors what else stands for a value: the shorthand that a validator before it reads."""

    def __init__(self, *kinds: str) -> None:
        self.kinds = kinds

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [handler(core), *({"type": kind} for kind in self.kinds)]}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _keyed(value: Any) -> Any:
    return dict.fromkeys(value) if isinstance(value, list) else value


Name: TypeAlias = Annotated[str, StringConstraints(min_length=1)]
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(_listed), _Or("string")]


class Part(BaseModel):
    """A mapping of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


class Entry(Part):
    """A mapping whose keys are all optional, so that its name alone is enough."""

    shorthand: ClassVar[tuple[str, ...]] = ("null",)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell editors what may stand in place of the mapping."""
        return {"anyOf": [handler.resolve_ref_schema(handler(core)), *({"type": k} for k in cls.shorthand)]}

    @model_validator(mode="before")
    @classmethod
    def _nothing_said(cls, value: Any) -> Any:
        return {} if value is None else value


class Document(Part):
    """Document control."""

    title: Name = "Data Lineage Map"
    version: str = ""
    last_updated: str = ""
    owner: str = ""
    status: str = ""
    scope: str = ""
    coverage: str = ""
    lineage_tool: str = ""
    update_frequency: str = ""
    classification: str = ""
    overview: str = ""


class MapColumn(Entry):
    """A column, and what it is made from.

    Without `from` it keeps its name and comes from the one input that has a column of that name;
    `from: []` says that it is made from no column. Any direct derivation satisfies `from`; `subtype:
    IDENTITY` demands an unchanged copy, and `expression` that expression.
    """

    shorthand = ("null", "string")

    type: str = ""
    description: str = ""
    sources: Names | None = Field(None, alias="from")
    expression: str = ""
    subtype: str = ""
    checks: Names = ()

    @model_validator(mode="before")
    @classmethod
    def _from(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value


Columns: TypeAlias = Annotated[dict[Name, MapColumn], BeforeValidator(_keyed), _Or("array")]


class MapTable(Entry):
    """A table of a layer. `columns`, where given, are all of its columns."""

    description: str = ""
    sources: Names = Field((), alias="from")
    columns: Columns = {}
    materialized: str = ""
    unique_key: Names = ()
    on_schema_change: str = ""
    cluster_by: Names = ()
    file: str = ""
    job: str = ""
    checks: Names = ()
    owners: Names = ()
    tags: Names = ()


class Layer(Entry):
    """A layer of the warehouse, listed from the rawest to the most refined."""

    title: str = ""
    location: str = ""
    purpose: str = ""
    retention: str = ""
    format: str = ""
    models: str = ""
    checks: Names = ()
    owners: Names = ()
    tables: Annotated[dict[Name, MapTable], BeforeValidator(_keyed), _Or("array")] = {}


class Extraction(Part):
    """How data leaves a source system."""

    method: str = ""
    frequency: str = ""
    sla: str = ""


class SourceDataset(Entry):
    """A table, topic or set of files of a source system, and what it is extracted `to`."""

    shorthand = ("null", "string", "array")

    to: Names = ()
    description: str = ""
    location: str = ""
    format: str = ""
    producer: str = ""
    consumer: str = ""
    columns: Columns = {}
    owners: Names = ()

    @model_validator(mode="before")
    @classmethod
    def _to(cls, value: Any) -> Any:
        return {"to": value} if isinstance(value, str | list) else value


class SourceSystem(Part):
    """A system outside of the warehouse. Its datasets are named `<source>.<dataset>`."""

    title: str = ""
    type: Name
    location: str = ""
    kind: str = "table"
    extraction: Extraction = Field(default_factory=Extraction)
    owners: Names = ()
    datasets: Annotated[dict[Name, SourceDataset], BeforeValidator(_keyed), _Or("array")] = {}


class Dashboard(Part):
    """A dashboard or report, the fields that it shows, and what each is made from."""

    tool: str = ""
    connection: str = ""
    refresh: str = ""
    url: str = ""
    description: str = ""
    sources: Names = Field((), alias="from")
    fields_: Columns = Field({}, alias="fields")
    owners: Names = ()


class FeatureView(Part):
    """A view of a feature store."""

    store: str = ""
    description: str = ""
    sources: Names = Field((), alias="from")
    features: Columns = {}
    owners: Names = ()


class MLModel(Part):
    """A model that is trained on, or predicts from, what it names."""

    platform: str = ""
    description: str = ""
    sources: Names = Field((), alias="from")
    owners: Names = ()


class Step(Entry):
    """A column of a chain, and how it is made from the one before it."""

    shorthand = ("string",)

    column: Name
    by: str = ""
    expression: str = ""
    subtype: str = ""

    @model_validator(mode="before")
    @classmethod
    def _column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class Chain(Part):
    """The way of one column from its source to where people see it."""

    title: str = ""
    steps: tuple[Step, ...]
    logic: Names = ()


class Pipeline(Part):
    """The DAG that runs this, and the namespace of the jobs that it emits."""

    dag_id: str = ""
    schedule: str = ""
    start_date: str = ""
    job_namespace: str = ""
    tasks: dict[Name, Names] = {}


class DataCatalog(Part):
    """Where lineage is published."""

    title: str = ""
    url: str = ""
    registered: Names = ()
    ingestion: dict[Name, dict[Name, str]] = {}


class Scenario(Part):
    """A change, and all the consumers that it is documented to reach."""

    change: Name
    description: str = ""
    reaches: Names = ()


class ValidationPlan(Part):
    """What is checked by machine and by people."""

    automated: Names = ()
    manual: Names = ()


class HistoryEntry(Part):
    """A line of the change history."""

    version: Name
    date: str = ""
    author: str = ""
    changes: str = ""


class Approval(Part):
    """Who signs."""

    role: Name
    name: str = ""
    date: str = ""


class Accepted(Part):
    """A finding that people live with until a day. `subject` may be a glob."""

    finding: Code
    subject: Name
    reason: Name
    until: dt.date


class Binding(Part):
    """Logical names to OpenLineage ones, by templates: `{x}` is one part of a name, `*` anything."""

    dataset: Name
    namespace: Name
    name: Name
    ignore_case: bool = False


class Environment(Part):
    """A place where the pipeline runs; the first binding that fits a name is taken.

    `produces` names the layers that the pipeline makes there, where others load the rest; all without it.
    """

    description: str = ""
    produces: Names = ()
    bindings: tuple[Binding, ...]


class Map(Part):
    """The whole map.

    `scope` lists globs over dataset names (`silver.*`): datasets outside of it are neither expected nor
    reported. Without it the map covers everything.
    """

    document: Document
    scope: Names = ()
    pipeline: Pipeline = Field(default_factory=Pipeline)
    sources: dict[Name, SourceSystem] = {}
    layers: dict[Name, Layer] = {}
    column_lineage: tuple[Chain, ...] = ()
    dashboards: dict[Name, Dashboard] = {}
    feature_views: dict[Name, FeatureView] = {}
    ml_models: dict[Name, MLModel] = {}
    environments: dict[Name, Environment] = {}
    policy: dict[Code, Severity] = {}
    accepted: tuple[Accepted, ...] = ()
    catalog: DataCatalog = Field(default_factory=DataCatalog)
    scenarios: tuple[Scenario, ...] = ()
    validation: ValidationPlan = Field(default_factory=ValidationPlan)
    change_history: tuple[HistoryEntry, ...] = ()
    approvals: tuple[Approval, ...] = ()
