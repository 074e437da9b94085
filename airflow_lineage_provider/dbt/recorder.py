"""From the messages of dbt's threads to the records of an invocation.

A record waits for the columns of its tables, which another thread reads: the START of a node at most
`START_PATIENCE` seconds, its end at most `END_PATIENCE` seconds. Meanwhile the records of other nodes go on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.catalog import ColumnCatalog
from airflow_lineage_provider.dbt.command import RUNS_NOTHING
from airflow_lineage_provider.dbt.listener import CANCELLED
from airflow_lineage_provider.dbt.messages import (
    ColumnsRead,
    NodeCompiled,
    NodeEnded,
    RunHookEnded,
    StatementSent,
)
from airflow_lineage_provider.dbt.nodes import Nodes
from airflow_lineage_provider.dbt.project import one_line, package_dirs
from airflow_lineage_provider.dbt.records import (
    HooksFinished,
    Invocation,
    LogLine,
    NodeFinished,
    NodeStarted,
    Record,
    node_failed,
)
from airflow_lineage_provider.dbt.warehouse import warehouse_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from airflow_lineage_provider.dbt.command import Command
    from airflow_lineage_provider.dbt.listener import Listener
    from airflow_lineage_provider.dbt.messages import AdapterReady, NodeBegan, NodeResult
    from airflow_lineage_provider.dbt.records import Node, Relation

    FindTables = Callable[[Node, str, Invocation], tuple[Relation, ...]]

START_PATIENCE = 0.3
END_PATIENCE = 30.0
MAX_STATEMENTS = 200  # of one node
# A microbatch model of which some batches failed has still made its table.
MADE = {"success", "partial success"}
# A test that stores its failures makes their table in any case.
TESTED = {"pass", "warn", "fail"}
# dbt's message of a clone that it did not make.
NO_OP = "No-op"
REPORTED = {"function", "model", "seed", "snapshot", "test", "unit_test", "source"}


@dataclass(slots=True)
class _Progress:
    """How far a node has come, and the ticket of the columns that its next record waits for."""

    began: NodeBegan
    ticket: int | None = None
    deadline: float = 0.0
    is_started: bool = False
    ended: NodeEnded | None = None
    also_read: tuple[Relation, ...] = field(default=())


class Recorder:
    """Makes the records of one invocation. Used by one thread."""

    def __init__(
        self, command: Command, listener: Listener, ready: AdapterReady, find_tables: FindTables | None
    ) -> None:
        self._listener = listener
        self._find_tables = find_tables
        self._manifest = listener.manifest
        self._catalog = ColumnCatalog(ready.adapter, ready.context, listener.columns_read)
        self._runs_nothing = command.verb in RUNS_NOTHING
        self._clones = command.verb == "clone"
        self._nodes = Nodes(self._manifest, self._catalog.columns, clones=self._clones)
        self._progress: dict[str, _Progress] = {}
        self._unsuccessful: dict[str, str] = {}
        self._answered = 0
        self._statements: dict[str, list[StatementSent]] = {}
        self.errors: list[str] = []
        self.completed = 0
        """How many nodes have ended and had their records yielded; the reader of it sets it back."""
        self.invocation = Invocation(
            invocation_id=ready.invocation_id,
            dbt_version=self._manifest.metadata.dbt_version,
            project_name=str(self._manifest.metadata.project_name or ""),
            project_dir=str(Path(command.project_dir).resolve()),
            package_dirs=ready.context.run(package_dirs, ready.adapter.config),
            profile_name=ready.adapter.config.profile_name,
            target=ready.adapter.config.target_name,
            full_refresh=command.full_refresh,
            database=ready.adapter.config.credentials.database,
            schema=ready.adapter.config.credentials.schema,
            warehouse=warehouse_of(ready.adapter),
        )

    def records(
        self, message: NodeBegan | NodeCompiled | NodeEnded | StatementSent | RunHookEnded | ColumnsRead
    ) -> Iterator[Record]:
        """Yield the records that are complete with this message."""
        if isinstance(message, ColumnsRead):
            self._answered = message.ticket
        elif isinstance(message, StatementSent):
            sent = self._statements.setdefault(message.unique_id, [])
            if len(sent) < MAX_STATEMENTS:
                sent.append(message)
        elif isinstance(message, RunHookEnded):
            yield from self._hooks(message.name, message.unique_id, None, message.status, message.at)
        elif self._has_no_records(message.unique_id):
            self._note_failure(message)
        elif isinstance(message, NodeCompiled):
            self._compiled(self._progress[message.unique_id], message.unique_id)
        elif isinstance(message, NodeEnded):
            self._node_ended(self._progress[message.unique_id], message)
        else:
            self._progress[message.unique_id] = _Progress(message)
        yield from self.due()

    def _has_no_records(self, uid: str) -> bool:
        kind = uid.split(".", maxsplit=1)[0]
        return self._runs_nothing or kind not in REPORTED or self._nodes.is_ephemeral(uid)

    def due(self, *, at_once: bool = False) -> Iterator[Record]:
        """Yield the records that have what they wait for, or have waited long enough; all with `at_once`."""
        now = time.monotonic()
        for uid, progress in list(self._progress.items()):
            if progress.ticket is None:
                continue
            if not (at_once or progress.ticket <= self._answered or progress.deadline <= now):
                continue
            if not progress.is_started:
                progress.is_started = True
                node = self._nodes.node(uid, progress.also_read)
                yield NodeStarted(node, progress.began.at, self._nodes.compiled(uid))
            if progress.ended:
                del self._progress[uid]
                finished = self._finished(progress, progress.ended)
                yield finished
                yield from self._hooks(finished.node.label, uid, finished.node, finished.status, finished.at)
                self.completed += 1

    def _hooks(
        self, label: str, unique_id: str, node: Node | None, status: str, at: datetime
    ) -> Iterator[HooksFinished]:
        if sent := self._statements.pop(unique_id, None):
            statements = tuple(statement.sql for statement in sent)
            yield HooksFinished(label, unique_id, node, statements, sent[0].at, max(at, sent[0].at), status)

    def end(self) -> Iterator[Record]:
        """Yield what still waits, and a line for each table whose columns could not be read."""
        yield from self.due(at_once=True)
        yield from (LogLine("warn", f"lineage: {problem}") for problem in self._catalog.problems)

    def close(self) -> None:
        """End the thread that reads columns."""
        self._catalog.close()

    def _compiled(self, progress: _Progress, uid: str) -> None:
        """Ask for the columns of the node's inputs, and of all relations in their schemas with them."""
        if progress.ticket is not None:  # the batches of a microbatch model
            return
        sql = self._nodes.compiled(uid)
        if sql and self._find_tables:
            progress.also_read = self._find_tables(self._nodes.node(uid), sql, self.invocation)
        unknown = self._nodes.input_tables(uid, progress.also_read)
        unknown = [table for table in unknown if not self._catalog.was_requested(table)]
        tables = [*unknown, *(t for t in self._nodes.beside(unknown) if not self._catalog.was_requested(t))]
        # What an earlier node asked for may not be there yet, but what it asked for was asked in order.
        progress.ticket = self._catalog.request(tables) if tables else self._catalog.ticket_of_last()
        progress.deadline = time.monotonic() + START_PATIENCE

    def _node_ended(self, progress: _Progress, ended: NodeEnded) -> None:
        if progress.ticket is None:  # it failed or was skipped before dbt compiled it
            self._compiled(progress, ended.unique_id)
        progress.ended = ended
        table = self._nodes.output_table(ended.unique_id)
        if table and ended.result.status in MADE | TESTED:
            progress.ticket = self._catalog.request([table])
        progress.deadline = time.monotonic() + END_PATIENCE

    def _finished(self, progress: _Progress, ended: NodeEnded) -> NodeFinished:
        uid, result, began = ended.unique_id, ended.result, progress.began
        if self._clones and result.message == NO_OP:
            result = replace(result, status="skipped")
        node = self._nodes.node(uid, progress.also_read)
        made = node.relation is not None and result.status in MADE | TESTED
        if stops_children(result.status, node):
            self._unsuccessful[uid] = node.label
        return NodeFinished(
            node=node,
            started_at=began.at,
            at=max(ended.at, began.at),
            status=result.status,
            message=self._message(uid, result),
            sql=self._nodes.compiled(uid) or self._nodes.last_batch(uid, self._listener.target_path or ""),
            rows=result.rows,
            failures=result.failures,
            query_id=result.query_id,
            created=(not began.existed) if made and began.existed is not None else None,
        )

    def _message(self, uid: str, result: NodeResult) -> str:
        """Return dbt's message, or the reason of a skip or of a failure by cancellation."""
        if result.message == NO_OP:
            return "not cloned: the relation is there already, or is not in the state"
        if result.status == "skipped":
            return skip_reason(uid, self._unsuccessful, self._nodes)
        killed = self._listener.is_cancelled and CANCELLED not in result.message
        if killed and node_failed(result.status):
            return f"{CANCELLED} ({one_line(result.message)})"
        return result.message

    def _note_failure(self, message: NodeBegan | NodeCompiled | NodeEnded) -> None:
        """Remember an ephemeral model that failed: it has no records, but its children are skipped."""
        if not isinstance(message, NodeEnded):
            return
        self.completed += 1
        if message.result.status not in MADE and self._nodes.knows(message.unique_id):
            label = self._nodes.label(message.unique_id)
            self._unsuccessful[message.unique_id] = label
            if node_failed(message.result.status):
                self.errors.append(f"{label}: {one_line(message.result.message)}")


def stops_children(status: str, node: Node) -> bool:
    """Tell whether dbt skips the children of a node that ended so."""
    return node_failed(status) or (status == "skipped" and node.test is None)


def skip_reason(unique_id: str, unsuccessful: Mapping[str, str], nodes: Nodes) -> str:
    """Name the parents, and their tests, that did not succeed; `unsuccessful` has labels by unique id."""
    parents = set(nodes.parents(unique_id))
    causes = [
        label
        for other, label in unsuccessful.items()
        if other in parents or ("test." in other and parents & set(nodes.parents(other)))
    ]
    return f"skipped because {', '.join(causes) or 'a node upstream'} did not succeed"


def errors_of_operations(results: Iterable[Any]) -> list[str]:
    """Return the errors of hooks such as on-run-start, which have no records of their own."""
    failed = (result for result in results if node_failed(result.status))
    return [one_line(result.message) for result in failed if result.node.resource_type == "operation"]
