"""What is heard on dbt's threads, put on a queue at once. A raise in here would fail the node."""

from __future__ import annotations

import threading
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.records import DbtError, InvocationFinished
from airflow_lineage_provider.dbt.warehouse import release, report_row_counts

if TYPE_CHECKING:
    from queue import Queue

NODE_EVENTS = {"NodeStart", "NodeExecuting", "NodeFinished"}
LOGGED_LEVELS = {"info", "warn", "error"}
# All that dbt says of a microbatch model that failed, wholly or in part.
BATCHES_FAILED = ("ERROR", "PARTIAL SUCCESS")
CANCELLED = "cancelled: the task was killed"
DRAIN_SECONDS = 60
LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Result:
    """The part of dbt's run result that its event carries."""

    status: str
    message: str
    rows: int | None
    failures: int | None
    query_id: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that dbt said."""

    name: str
    at: datetime = LONG_AGO
    level: str = ""
    text: str = ""
    unique_id: str = ""
    adapter: Any = None
    context: Any = None
    result: Any = None
    existed: bool | None = None
    finished: InvocationFinished | None = None


class Listener:
    """The callback that dbt calls with every event of its own, on whichever thread it happens."""

    def __init__(self, heard: Queue[Heard]) -> None:
        self._heard = heard
        self._lock = threading.Lock()
        self._depth: dict[str, int] = {}
        self._raised: dict[str, str] = {}
        self._ended = 0
        self._total = 0
        self._cancelled = threading.Event()
        self._stop_waiting = threading.Event()
        self._adapter: Any = None
        self.manifest: Any = None
        self.target_path: str | None = None

    def __call__(self, event: Any) -> None:
        """Take one event of dbt's."""
        name = event.info.name
        if name == "NodeExecuting" and self._cancelled.is_set():
            # Raised inside the node's own run, it becomes that node's error and dbt goes on to the end.
            raise DbtError(CANCELLED)
        if event.info.level in LOGGED_LEVELS and event.info.msg.strip():
            self._heard.put(Heard("Line", level=event.info.level, text=event.info.msg.rstrip()))
        if name == "FoundStats" and self.manifest is None:
            self.manifest = _parsed_manifest()
        if name == "ConcurrencyLine" or (name in NODE_EVENTS and self._adapter is None):
            self._ready(event)
        if name == "ConcurrencyLine":
            self._total = event.data.node_count
        elif name == "GenericExceptionOnRun":
            self._raised[event.data.unique_id] = event.data.exc.removeprefix("Exception on worker thread. ")
        elif name in NODE_EVENTS:
            self._node(name, event)
        elif name == "CommandCompleted":
            self._wait_until_told()

    def cancel(self) -> None:
        """Cancel the queries that run and let no node begin."""
        self._cancelled.set()
        self.cancel_queries_again()

    @property
    def is_cancelled(self) -> bool:
        """Whether dbt was told to stop."""
        return self._cancelled.is_set()

    def cancel_queries_again(self) -> None:
        """Cancel what has begun since: a node may have been between two statements."""
        if self._cancelled.is_set() and self._adapter is not None:
            self._adapter.cancel_open_connections()

    def close(self) -> None:
        """Free what the adapter holds once dbt has ended."""
        if self._adapter is not None:
            release(self._adapter)

    def stop_waiting(self) -> None:
        """Let dbt end although nobody takes its records any more."""
        self._stop_waiting.set()
        with self._heard.all_tasks_done:
            self._heard.all_tasks_done.notify_all()

    def _ready(self, event: Any) -> None:
        """Tell that the adapter exists, before anything has run."""
        from dbt.adapters.factory import FACTORY

        if self._adapter is None and FACTORY.adapters:
            self._adapter = next(iter(FACTORY.adapters.values()))
            self.target_path = str(self._adapter.config.project_target_path)
            report_row_counts(self._adapter)
            # dbt keeps its flags in context variables, and the adapter asks for them on any thread.
            context = copy_context()
            self._heard.put(
                Heard("Ready", adapter=self._adapter, context=context, text=event.info.invocation_id)
            )

    def _node(self, name: str, event: Any) -> None:
        uid = event.data.node_info.unique_id
        if name == "NodeStart" and self._count(uid, 1) == 1:
            self._heard.put(Heard(name, at=_time(event), unique_id=uid, existed=self._exists(uid)))
        elif name == "NodeExecuting":
            self._heard.put(Heard(name, at=_time(event), unique_id=uid))
        elif name == "NodeFinished" and self._count(uid, -1) == 0:
            result = _result(event.data.run_result, self._raised.get(uid))
            self._heard.put(Heard(name, at=_time(event), unique_id=uid, result=result))
            self._ended += 1
            if self._ended >= self._total:
                # dbt closes every connection after its last node, whose columns are still to be read.
                self._wait_until_told()

    def _count(self, uid: str, step: int) -> int:
        """Count begins less ends: the batches of a microbatch model begin and end inside their model."""
        with self._lock:
            self._depth[uid] = self._depth.get(uid, 0) + step
            return self._depth[uid]

    @property
    def selected(self) -> int:
        """How many nodes have begun."""
        return len(self._depth)

    def _exists(self, uid: str) -> bool | None:
        """Whether the node's relation is there before it runs, from the cache that dbt has just filled."""
        node = self.manifest.nodes.get(uid)
        if node is None or not self._adapter:
            return None
        cached = self._adapter.cache.get_relations(node.database, node.schema)
        return any((relation.identifier or "").casefold() == node.alias.casefold() for relation in cached)

    def _wait_until_told(self) -> None:
        with self._heard.all_tasks_done:
            self._heard.all_tasks_done.wait_for(
                lambda: not self._heard.unfinished_tasks or self._stop_waiting.is_set(), DRAIN_SECONDS
            )


def _parsed_manifest() -> Any:
    """Return what dbt has just parsed: it stands in the context of the click command that runs here."""
    import click

    context = click.get_current_context(silent=True)
    return context.obj.get("manifest") if context else None


def _time(event: Any) -> datetime:
    stamp: datetime = event.info.ts.ToDatetime(tzinfo=UTC)
    return stamp


def _result(run_result: Any, raised: str | None) -> Result:
    """Take what is needed of dbt's result; `raised` is the error that one of batches does not say."""
    of_batches = run_result.message.startswith(BATCHES_FAILED)
    response = dict(run_result.adapter_response)
    rows = response.get("rows_affected")
    return Result(
        status=run_result.status,
        message=f"{run_result.message}: {raised}" if raised and of_batches else run_result.message,
        rows=int(rows) if rows is not None and float(rows) >= 0 else None,
        failures=run_result.num_failures or None,
        query_id=response.get("query_id") or None,
    )
