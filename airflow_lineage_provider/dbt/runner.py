"""Runs dbt in this process and yields each record while it runs.

dbt runs on a thread of its own. Its worker threads call the listener, which puts messages on a queue and
returns. The caller's thread takes the messages off, reads columns from the warehouse, and yields records.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.catalog import ColumnCatalog
from airflow_lineage_provider.dbt.command import SELECTING
from airflow_lineage_provider.dbt.listener import CANCELLED, Listener
from airflow_lineage_provider.dbt.messages import (
    AdapterReady,
    Message,
    NodeBegan,
    NodeCompiled,
    NodeEnded,
    NodeResult,
)
from airflow_lineage_provider.dbt.nodes import REPORTED, Nodes
from airflow_lineage_provider.dbt.project import (
    fingerprint,
    known_manifest,
    layers,
    manifest_of_retry,
    one_line,
    remember,
)
from airflow_lineage_provider.dbt.records import (
    DbtError,
    Invocation,
    InvocationFinished,
    LogLine,
    NodeFinished,
    NodeStarted,
    Record,
    node_failed,
)
from airflow_lineage_provider.dbt.warehouse import warehouse_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dbt.contracts.graph.manifest import Manifest

    from airflow_lineage_provider.dbt.command import Command

POLL_SECONDS = 0.2
JOIN_SECONDS = 10
# A microbatch model of which some batches failed has still made its table.
MADE = {"success", "partial success"}


class DbtRun:
    """One dbt invocation: iterate over it once for its records; `cancel` stops dbt and its queries."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._messages: Queue[Message] = Queue()
        self._listener = Listener(self._messages)
        self._nodes: Nodes | None = None
        self._catalog: ColumnCatalog | None = None
        self._started: dict[str, NodeBegan] = {}
        self._reported: set[str] = set()
        self._unsuccessful: dict[str, str] = {}
        self._errors: list[str] = []
        self._ended = False

    def __iter__(self) -> Iterator[Record]:
        """Run dbt and yield its records; the last is an `InvocationFinished`."""
        thread = threading.Thread(target=self._invoke, name="dbt", daemon=True)
        thread.start()
        try:
            while True:
                try:
                    message = self._messages.get(timeout=POLL_SECONDS)
                except Empty:
                    self._listener.cancel_queries_again()
                    continue
                try:
                    yield from self._records(message)
                finally:
                    self._messages.task_done()
                if self._ended:
                    return
        finally:
            if not self._ended:
                self.cancel()
            # dbt may still call this listener until the next invocation.
            self._listener.stop_waiting()
            for _ in range(int(JOIN_SECONDS / POLL_SECONDS)):
                thread.join(POLL_SECONDS)
                if not thread.is_alive():
                    break
                self._listener.cancel_queries_again()

    def cancel(self) -> None:
        """Stop: running queries are cancelled, nodes that have not begun fail at once."""
        self._listener.cancel()

    def _invoke(self) -> None:
        try:
            try:
                finished = self._run_dbt()
            finally:
                self._listener.close()
        except DbtError as error:
            finished = InvocationFinished(success=False, error=str(error), bad_input=True)
        except BaseException as error:  # noqa: BLE001 - it is reported by the iterating thread
            finished = InvocationFinished(success=False, error=one_line(error) or type(error).__name__)
        self._messages.put(finished)

    def _run_dbt(self) -> InvocationFinished:
        from dbt.cli.main import dbtRunner

        command, retrying = self.command, self.command.verb == "retry"
        made_of = fingerprint(command)
        self._listener.manifest = None if retrying else known_manifest(command)
        with manifest_of_retry(self._use) if retrying else nullcontext():
            # Without a manifest dbt parses the project first, and the listener picks up the manifest.
            outcome = dbtRunner(self._listener.manifest, callbacks=[self._listener]).invoke(command.argv())
        manifest = self._listener.manifest
        if manifest is None and outcome.exception and not retrying:
            raise DbtError(f"dbt could not parse {command.project_dir}: {one_line(outcome.exception)}")
        if manifest and not retrying:
            remember(command, made_of, manifest)
        return self._outcome(outcome)

    def _outcome(self, outcome: Any) -> InvocationFinished:
        self._keep(outcome.result)
        if outcome.exception:
            error = CANCELLED if self._listener.is_cancelled else one_line(outcome.exception)
            return InvocationFinished(success=False, error=error)
        selected = self._listener.selected
        if outcome.success and not selected and self.command.verb in SELECTING:
            self._refuse_empty_selection()
        self._errors += _of_operations(getattr(outcome.result, "results", ()))
        return InvocationFinished(success=bool(outcome.success), selected=selected)

    def _use(self, manifest: Manifest) -> None:
        self._listener.manifest = manifest

    def _keep(self, result: Any) -> None:
        """Write run_results.json, from which `dbt retry` starts."""
        target_path, write = self._listener.target_path, getattr(result, "write", None)
        if target_path and write:
            Path(target_path).mkdir(parents=True, exist_ok=True)
            write(str(Path(target_path, "run_results.json")))

    def _refuse_empty_selection(self) -> None:
        command, manifest = self.command, self._listener.manifest
        if not command.select and not command.exclude:
            return
        words = [f"{' '.join(command.select)!r}"] if command.select else []
        words += [f"less {' '.join(command.exclude)!r}"] if command.exclude else []
        raise DbtError(
            f"dbt {command.verb} found no node of {manifest.metadata.project_name} that matches "
            f"{' '.join(words)}; the project has the layers {', '.join(layers(manifest))}"
        )

    def _records(self, message: Message) -> Iterator[Record]:
        match message:
            case InvocationFinished():
                self._ended = True
                yield from self._problems()
                yield replace(message, error=message.error or "; ".join(self._errors) or None)
            case AdapterReady():
                yield self._begin(message)
            case LogLine():
                yield message
            case _ if self._nodes and message.unique_id.split(".")[0] in REPORTED:
                yield from self._node_records(message, self._nodes)

    def _begin(self, ready: AdapterReady) -> Invocation:
        adapter, manifest = ready.adapter, self._listener.manifest
        self._catalog = ColumnCatalog(manifest, adapter, ready.context)
        self._nodes = Nodes(manifest, self._catalog.columns)
        return Invocation(
            invocation_id=ready.invocation_id,
            dbt_version=manifest.metadata.dbt_version,
            project_name=str(manifest.metadata.project_name or ""),
            project_dir=str(Path(self.command.project_dir).resolve()),
            profile_name=adapter.config.profile_name,
            target=adapter.config.target_name,
            full_refresh=self.command.full_refresh,
            warehouse=warehouse_of(adapter),
        )

    def _node_records(self, message: NodeBegan | NodeCompiled | NodeEnded, nodes: Nodes) -> Iterator[Record]:
        uid = message.unique_id
        if isinstance(message, NodeBegan):
            self._started[uid] = message
            return
        began = self._started[uid]
        if nodes.is_ephemeral(uid):
            self._note_failure(message, nodes)
            return
        if uid not in self._reported:
            self._reported.add(uid)
            self._read_inputs(uid, nodes)
            yield NodeStarted(nodes.node(uid), began.at, nodes.compiled(uid))
        if isinstance(message, NodeEnded):
            yield self._finished(began, message, nodes)

    def _read_inputs(self, uid: str, nodes: Nodes) -> None:
        """Read the columns of a node's inputs, and those of all relations in their schemas with them."""
        catalog = self._catalog
        unknown = [r for r in nodes.node(uid).inputs if catalog and not catalog.exists(r.unique_id)]
        if catalog and unknown:
            catalog.read({r.unique_id for r in unknown} | nodes.beside(unknown))

    def _finished(self, began: NodeBegan, ended: NodeEnded, nodes: Nodes) -> NodeFinished:
        uid, result = ended.unique_id, ended.result
        made = nodes.node(uid).relation is not None and result.status in MADE
        if made and self._catalog:
            self._catalog.read([uid])
        node = nodes.node(uid)
        if node_failed(result.status) or (result.status == "skipped" and node.test is None):
            self._unsuccessful[uid] = node.label
        return NodeFinished(
            node=node,
            started_at=began.at,
            at=max(ended.at, began.at),
            status=result.status,
            message=self._message(uid, result, nodes),
            sql=nodes.compiled(uid) or nodes.last_batch(uid, self._listener.target_path or ""),
            rows=result.rows,
            failures=result.failures,
            query_id=result.query_id,
            created=(not began.existed) if made and began.existed is not None else None,
        )

    def _message(self, uid: str, result: NodeResult, nodes: Nodes) -> str:
        """Return dbt's message, or the reason of a skip or of a failure by cancellation."""
        if result.status == "skipped":
            return self._skip_reason(uid, nodes)
        killed = self._listener.is_cancelled and CANCELLED not in result.message
        if killed and node_failed(result.status):
            return f"{CANCELLED} ({one_line(result.message)})"
        return result.message

    def _note_failure(self, message: NodeCompiled | NodeEnded, nodes: Nodes) -> None:
        """Remember an ephemeral model that failed: it has no records, but its children are skipped."""
        if isinstance(message, NodeEnded) and message.result.status not in MADE:
            label = nodes.label(message.unique_id)
            self._unsuccessful[message.unique_id] = label
            if node_failed(message.result.status):
                self._errors.append(f"{label}: {one_line(message.result.message)}")

    def _skip_reason(self, uid: str, nodes: Nodes) -> str:
        """Name the parents, and their tests, that did not succeed."""
        parents = set(nodes.parents(uid))
        causes = [
            label
            for other, label in self._unsuccessful.items()
            if other in parents or ("test." in other and parents & set(nodes.parents(other)))
        ]
        return f"skipped because {', '.join(causes) or 'a node upstream'} did not succeed"

    def _problems(self) -> Iterator[Record]:
        for problem in self._catalog.problems if self._catalog else ():
            yield LogLine("warn", f"lineage: {problem}")


def _of_operations(results: Iterable[Any]) -> list[str]:
    """Return the errors of hooks such as on-run-start, which have no records of their own."""
    failed = (result for result in results if node_failed(result.status))
    return [one_line(result.message) for result in failed if result.node.resource_type == "operation"]
