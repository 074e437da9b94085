"""What dbt's threads put on the queue of the thread that runs the iteration: one class for each message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.records import InvocationFinished, LogLine

if TYPE_CHECKING:
    from contextvars import Context
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AdapterReady:
    """The adapter exists and nothing has run yet. `context` holds dbt's flags for calls of the adapter."""

    invocation_id: str
    adapter: Any
    context: Context


@dataclass(frozen=True, slots=True)
class NodeBegan:
    """A node began. `existed`: whether its relation was there before; None where that is not known."""

    unique_id: str
    at: datetime
    existed: bool | None


@dataclass(frozen=True, slots=True)
class NodeCompiled:
    """A node's SQL is compiled and about to be sent."""

    unique_id: str


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The part of dbt's run result that its event carries."""

    status: str
    message: str
    rows: int | None
    failures: int | None
    query_id: str | None


@dataclass(frozen=True, slots=True)
class NodeEnded:
    """A node ended, all its batches included."""

    unique_id: str
    at: datetime
    result: NodeResult


@dataclass(frozen=True, slots=True)
class StatementSent:
    """SQL was sent to the warehouse for a node that has hooks, or for a hook of the run."""

    unique_id: str
    at: datetime
    sql: str


@dataclass(frozen=True, slots=True)
class RunHookEnded:
    """A hook of on-run-start or on-run-end ended. `name` is dbt's, such as `shop.on-run-end.0`."""

    unique_id: str
    at: datetime
    name: str
    status: str


@dataclass(frozen=True, slots=True)
class ColumnsRead:
    """The columns of all requests up to `ticket` are known."""

    ticket: int


Message = (
    AdapterReady
    | ColumnsRead
    | LogLine
    | NodeBegan
    | NodeCompiled
    | NodeEnded
    | RunHookEnded
    | StatementSent
    | InvocationFinished
)
