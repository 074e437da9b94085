"""The records of one dbt invocation: plain data, without dbt's own classes."""

from __future__ import annotations

# Imported at run time: the records of another process are decoded by the types of their fields.
from collections.abc import Mapping  # noqa: TC003
from dataclasses import dataclass, field
from datetime import datetime  # noqa: TC003

from airflow_lineage_provider.errors import LineageError


class DbtError(LineageError):
    """Dbt could not run the command; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """A column with its type in the warehouse and its description in the project."""

    name: str
    data_type: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or external file that a node reads or makes."""

    unique_id: str
    database: str | None
    schema: str | None
    identifier: str
    materialized: str | None = None
    location: str | None = None
    """The location of an external source: a path, a glob, a URI, or a call of one of DuckDB's readers."""
    columns: tuple[RelationColumn, ...] = ()
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    quoted: frozenset[str] = frozenset()
    """Which of `database`, `schema` and `identifier` are quoted: the warehouse keeps their case."""


@dataclass(frozen=True, slots=True)
class Test:
    """What a data test asserts about a column, and its severity when it fails."""

    __test__ = False

    kind: str
    column: str | None
    severity: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exposure:
    """A consumer that the project declares downstream of a model."""

    unique_id: str
    name: str
    type: str | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a snapshot tells the versions of a row, and the names of the columns that dbt adds."""

    unique_key: tuple[str, ...]
    updated_at: str | None = None
    check_columns: tuple[str, ...] = ()
    checks_all: bool = False
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """A model, seed, snapshot, test or source of the manifest."""

    unique_id: str
    label: str
    """The name of its job, unique in the project: `silver.stg_orders`; see `job_names`."""
    resource_type: str
    name: str
    path: str
    package: str
    language: str
    database: str | None
    schema: str | None
    alias: str
    relation: Relation | None
    inputs: tuple[Relation, ...]
    test: Test | None = None
    snapshot: Snapshot | None = None
    exposures: tuple[Exposure, ...] = ()
    description: str = ""
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where the project's relations are: the parts of OpenLineage's names, none of them secret."""

    type: str
    host: str | None = None
    port: int | None = None
    account: str | None = None
    region: str | None = None
    path: str | None = None
    database: str | None = None
    """The database's own name, where SQL knows it by an alias."""
    attached: Mapping[str, Warehouse] = field(default_factory=dict)
    """The databases that DuckDB attaches, by their alias in SQL."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """The dbt invocation that the records after it belong to."""

    invocation_id: str
    dbt_version: str
    project_name: str
    project_dir: str
    """Empty where artifacts do not say it."""
    package_dirs: Mapping[str, str]
    """The folders of the project and of its packages, by name."""
    profile_name: str
    target: str
    full_refresh: bool
    database: str | None
    schema: str | None
    """Where a name in SQL without a schema is looked for, by the profile."""
    warehouse: Warehouse
    after_the_fact: bool = False
    """Whether the records were made from artifacts, after dbt had ended."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of dbt's log."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class NodeStarted:
    """A node began to run. `sql` is its compiled statement, absent when compiling failed."""

    node: Node
    at: datetime
    sql: str | None


@dataclass(frozen=True, slots=True)
class NodeFinished:
    """A node ended. `status` is dbt's: success, pass, warn, fail, error, skipped, no-op, partial success."""

    node: Node
    started_at: datetime
    at: datetime
    status: str
    message: str
    sql: str | None
    rows: int | None = None
    failures: int | None = None
    query_id: str | None = None
    created: bool | None = None
    """Whether the relation was not there before; None where the node makes no relation."""

    @property
    def failed(self) -> bool:
        """Whether the node counts as failed."""
        return node_failed(self.status)


@dataclass(frozen=True, slots=True)
class HooksFinished:
    """The SQL that was sent for a node that has hooks, its own included, or for a hook of the run."""

    label: str
    """The node's, or dbt's name of the hook: `shop.on-run-end.0`."""
    unique_id: str
    node: Node | None
    statements: tuple[str, ...]
    started_at: datetime
    at: datetime
    status: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationFinished:
    """The invocation is over. `error` is what failed apart from the reported nodes."""

    success: bool
    error: str | None = None
    bad_input: bool = False
    """Whether `error` is about the command or the project, so that a retry cannot succeed."""
    selected: int = 0
    """How many nodes were selected."""


@dataclass(frozen=True, slots=True)
class Idle:
    """No other record is there yet: the time for work that was put off, such as a commit."""


def node_failed(status: str) -> bool:
    """Tell whether dbt's status of a node says that it failed."""
    return status in {"error", "fail", "runtime error", "partial success"}


Record = HooksFinished | Idle | Invocation | LogLine | NodeStarted | NodeFinished | InvocationFinished
