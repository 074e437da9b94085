"""The callback that dbt calls on its own threads: it puts messages on a queue and returns.

An exception raised in the callback would fail the node that dbt is running.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from datetime import UTC
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.messages import (
    AdapterReady,
    ColumnsRead,
    Message,
    NodeBegan,
    NodeCompiled,
    NodeEnded,
    NodeResult,
    RunHookEnded,
    StatementSent,
)
from airflow_lineage_provider.dbt.node_part import node_part
from airflow_lineage_provider.dbt.project import one_line
from airflow_lineage_provider.dbt.records import DbtError, LogLine
from airflow_lineage_provider.dbt.warehouse import release, report_row_counts

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from queue import Queue

    CheckNode = Callable[[dict[str, Any], str], str | None]
    """Takes the part of a compiled node (`node_part`) and its unique id; returns why it must not run."""

NODE_EVENTS = {"NodeStart", "NodeExecuting", "NodeFinished"}
# The first of these comes when the adapter exists: hooks of on-run-start run before the nodes.
READY_EVENTS = NODE_EVENTS | {"ConcurrencyLine", "LogHookStartLine"}
HOOK_EVENTS = {"SQLQuery", "LogHookEndLine"}
LOGGED_LEVELS = {"info", "warn", "error"}
# The whole message of a microbatch model that failed, in whole or in part.
BATCHES_FAILED = ("ERROR", "PARTIAL SUCCESS")
CANCELLED = "cancelled: the task was killed"
DRAIN_SECONDS = 60
# A node begins once no more messages than these are unhandled, or after a second. Otherwise dbt's threads
# would take the interpreter's lock from the thread that handles them, and events would come later and later.
MAX_BACKLOG = 24
BACKLOG_SECONDS = 1.0


class Listener:
    """Receives dbt's events on whichever thread they occur."""

    def __init__(self, messages: Queue[Message], check_node: CheckNode | None = None) -> None:
        self._messages = messages
        self._check_node = check_node
        self._lock = threading.Lock()
        self._room = threading.Condition()
        self._depth: dict[str, int] = {}
        self._raised: dict[str, str] = {}
        self._ended = 0
        self._total = 0
        self._cancelled = threading.Event()
        self._stop_waiting = threading.Event()
        self._adapter: Any = None
        self._with_hooks: set[str] = set()
        self.manifest: Any = None
        self.target_path: str | None = None

    def __call__(self, event: Any) -> None:
        """Receive one of dbt's events."""
        name = event.info.name
        if name == "NodeExecuting" and self._cancelled.is_set():
            # Raised inside the node's own run, it becomes that node's error and dbt goes on to the end.
            raise DbtError(CANCELLED)
        if name == "NodeExecuting" and self._check_node:
            self._check(self._check_node, event.data.node_info.unique_id)
        try:
            self._receive(name, event)
        except Exception as error:  # noqa: BLE001 - an exception raised here would fail the node
            self._messages.put(LogLine("error", f"lineage: dbt's event {name} is lost: {error!r}"))

    def _receive(self, name: str, event: Any) -> None:
        self.log(event)
        if name == "FoundStats" and self.manifest is None:
            self.manifest = _parsed_manifest()
        if name in READY_EVENTS and self._adapter is None:
            self._ready(event)
        if name == "ConcurrencyLine":
            self._total = event.data.node_count
        elif name == "GenericExceptionOnRun":
            self._raised[event.data.unique_id] = event.data.exc.removeprefix("Exception on worker thread. ")
        elif name in NODE_EVENTS:
            self._node(name, event)
        elif name in HOOK_EVENTS:
            self._hook(name, event)
        elif name == "CommandCompleted":
            self._wait_until_handled()

    def _check(self, check_node: CheckNode, uid: str) -> None:
        """Raise DbtError, before any SQL of the node is sent, if the check finds an error."""
        try:
            error = check_node(node_part(self.manifest, uid), uid)
        except Exception as problem:  # noqa: BLE001 - a check that cannot be made never fails the models
            reason = f"{uid} is not checked before it runs: {type(problem).__name__}: {one_line(problem)}"
            self._messages.put(LogLine("warn", reason))
            return
        if error:
            raise DbtError(error)

    def log(self, event: Any) -> None:
        """Put the lines of an event's message on the queue."""
        lines = event.info.msg.splitlines() if event.info.level in LOGGED_LEVELS else ()
        for line in lines:
            if line.strip():
                self._messages.put(LogLine(event.info.level, line.rstrip()))

    def cancel(self) -> None:
        """Cancel the running queries and let no other node begin."""
        self._cancelled.set()
        self.cancel_queries_again()

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    def cancel_queries_again(self) -> None:
        """Cancel queries that began after `cancel`: a node may have been between two statements."""
        if self._cancelled.is_set() and self._adapter is not None:
            self._adapter.cancel_open_connections()

    def close(self) -> None:
        """Release what the adapter holds after dbt has ended."""
        if self._adapter is not None:
            release(self._adapter)

    def handled(self) -> None:
        """Let waiting nodes begin if there is room; call it after each message."""
        if self._has_room():
            with self._room:
                self._room.notify_all()

    def _has_room(self) -> bool:
        return self._messages.unfinished_tasks <= MAX_BACKLOG or self._stop_waiting.is_set()

    def columns_read(self, ticket: int) -> None:
        """Put the answer of a request for columns on the queue."""
        self._messages.put(ColumnsRead(ticket))

    def stop_waiting(self) -> None:
        """Let dbt end although no one takes messages off the queue any more."""
        self._stop_waiting.set()
        with self._messages.all_tasks_done:
            self._messages.all_tasks_done.notify_all()

    def _ready(self, event: Any) -> None:
        """Put the adapter on the queue before anything has run."""
        from dbt.adapters.factory import FACTORY

        if FACTORY.adapters:
            self._adapter = next(iter(FACTORY.adapters.values()))
            self.target_path = str(self._adapter.config.project_target_path)
            report_row_counts(self._adapter)
            self._with_hooks = {
                node.unique_id for node in self.manifest.nodes.values() if _has_hooks(node.config)
            }
            # dbt keeps its flags in context variables; the adapter reads them on whichever thread calls it.
            self._messages.put(AdapterReady(event.info.invocation_id, self._adapter, copy_context()))

    def _node(self, name: str, event: Any) -> None:
        uid = event.data.node_info.unique_id
        if name == "NodeStart" and self._count(uid, 1) == 1:
            self._messages.put(NodeBegan(uid, _time(event), self._exists(uid)))
            with self._room:
                self._room.wait_for(self._has_room, BACKLOG_SECONDS)
        elif name == "NodeExecuting":
            self._messages.put(NodeCompiled(uid))
        elif name == "NodeFinished" and self._count(uid, -1) == 0:
            result = _result(event.data.run_result, self._raised.get(uid))
            self._messages.put(NodeEnded(uid, _time(event), result))
            with self._lock:
                self._ended += 1
            if self._ended >= self._total:
                # dbt closes every connection after its last node; that node's columns are read before.
                self._wait_until_handled()

    def _hook(self, name: str, event: Any) -> None:
        uid = event.data.node_info.unique_id
        if name == "LogHookEndLine":
            self._messages.put(RunHookEnded(uid, _time(event), event.data.statement, event.data.status))
        elif uid.startswith("operation.") or uid in self._with_hooks:
            self._messages.put(StatementSent(uid, _time(event), event.data.sql))

    def _count(self, uid: str, step: int) -> int:
        """Count begins minus ends: the batches of a microbatch model begin and end inside their model."""
        with self._lock:
            self._depth[uid] = self._depth.get(uid, 0) + step
            return self._depth[uid]

    @property
    def selected(self) -> int:
        """The number of nodes that have begun."""
        return len(self._depth)

    def _exists(self, uid: str) -> bool | None:
        """Tell from dbt's relation cache whether the node's relation exists before it runs."""
        node = self.manifest.nodes.get(uid)
        if node is None or not self._adapter:
            return None
        cached = self._adapter.cache.get_relations(node.database, node.schema)
        return any((relation.identifier or "").casefold() == node.alias.casefold() for relation in cached)

    def _wait_until_handled(self) -> None:
        with self._messages.all_tasks_done:
            self._messages.all_tasks_done.wait_for(
                lambda: not self._messages.unfinished_tasks or self._stop_waiting.is_set(), DRAIN_SECONDS
            )


def _has_hooks(config: Any) -> bool:
    return bool(getattr(config, "pre_hook", ()) or getattr(config, "post_hook", ()))


def _parsed_manifest() -> Any:
    """Return the manifest that dbt has just parsed, from the context of the click command that runs here."""
    import click

    context = click.get_current_context(silent=True)
    return context.obj.get("manifest") if context else None


def _time(event: Any) -> datetime:
    stamp: datetime = event.info.ts.ToDatetime(tzinfo=UTC)
    return stamp


def _result(run_result: Any, raised: str | None) -> NodeResult:
    """Return the needed part of dbt's result.

    `raised` is the error of a batch, which the result of a microbatch model does not repeat.
    """
    of_batches = run_result.message.startswith(BATCHES_FAILED)
    response = dict(run_result.adapter_response)
    rows = response.get("rows_affected")
    return NodeResult(
        status=run_result.status,
        message=f"{run_result.message}: {raised}" if raised and of_batches else run_result.message,
        rows=int(rows) if rows is not None and float(rows) >= 0 else None,
        failures=run_result.num_failures or None,
        query_id=response.get("query_id") or None,
    )
