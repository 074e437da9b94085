"""Runs dbt in this process and yields each record while it runs.

dbt runs on a thread of its own. Its callbacks come from its worker threads: they put what they heard on a
queue and return. The caller's thread takes it off, asks the warehouse for columns, and yields records.
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.catalog import Catalog
from airflow_lineage_provider.dbt.command import SELECTING
from airflow_lineage_provider.dbt.listener import CANCELLED, Heard, Listener, Result
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
# A microbatch model of which some batches failed has made its table all the same.
MADE = {"success", "partial success"}


class DbtRun:
    """One dbt invocation: iterate over it once for its records; `cancel` stops dbt and its queries."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._heard: Queue[Heard] = Queue()
        self._listener = Listener(self._heard)
        self._nodes: Nodes | None = None
        self._catalog: Catalog | None = None
        self._started: dict[str, Heard] = {}
        self._told: set[str] = set()
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
                    heard = self._heard.get(timeout=POLL_SECONDS)
                except Empty:
                    self._listener.cancel_queries_again()
                    continue
                try:
                    yield from self._records(heard)
                finally:
                    self._heard.task_done()
                if self._ended:
                    return
        finally:
            if not self._ended:
                self.cancel()
            # dbt may go on calling this listener until the next invocation brings another.
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
        except BaseException as error:  # noqa: BLE001 - it is reported, on the thread that can act on it
            finished = InvocationFinished(success=False, error=one_line(error) or type(error).__name__)
        self._heard.put(Heard("EndOfInvocation", finished=finished))

    def _run_dbt(self) -> InvocationFinished:
        from dbt.cli.main import dbtRunner

        command, retrying = self.command, self.command.verb == "retry"
        made_of = fingerprint(command)
        self._listener.manifest = None if retrying else known_manifest(command)
        with manifest_of_retry(self._use) if retrying else nullcontext():
            # Without a manifest dbt parses the project first, and the listener learns what it made of it.
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
        """Write the results of nodes where `dbt retry` begins."""
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

    def _records(self, heard: Heard) -> Iterator[Record]:
        if heard.name == "EndOfInvocation" and heard.finished:
            self._ended = True
            yield from self._problems()
            yield replace(heard.finished, error=heard.finished.error or "; ".join(self._errors) or None)
        elif heard.name == "Ready":
            yield self._begin(heard)
        elif heard.name == "Line":
            yield from (LogLine(heard.level, line) for line in heard.text.splitlines() if line.strip())
        elif heard.unique_id.split(".")[0] in REPORTED and self._nodes:
            yield from self._node_records(heard, self._nodes)

    def _begin(self, heard: Heard) -> Invocation:
        adapter, manifest = heard.adapter, self._listener.manifest
        self._catalog = Catalog(manifest, adapter, heard.context)
        self._nodes = Nodes(manifest, self._catalog)
        return Invocation(
            invocation_id=heard.text,
            dbt_version=manifest.metadata.dbt_version,
            project_name=str(manifest.metadata.project_name or ""),
            project_dir=str(Path(self.command.project_dir).resolve()),
            profile_name=adapter.config.profile_name,
            target=adapter.config.target_name,
            full_refresh=self.command.full_refresh,
            warehouse=warehouse_of(adapter),
        )

    def _node_records(self, heard: Heard, nodes: Nodes) -> Iterator[Record]:
        uid = heard.unique_id
        if heard.name == "NodeStart":
            self._started[uid] = heard
            return
        begun = self._started[uid]
        if nodes.is_ephemeral(uid):
            self._note_failure(heard, nodes)
            return
        if uid not in self._told:
            self._told.add(uid)
            self._read_inputs(uid, nodes)
            yield NodeStarted(nodes.node(uid), begun.at, nodes.compiled(uid))
        if heard.name == "NodeFinished":
            yield self._finished(begun, heard, nodes)

    def _read_inputs(self, uid: str, nodes: Nodes) -> None:
        """Read the columns of what a node reads when it begins; their neighbours come in the same query."""
        catalog = self._catalog
        unknown = [r for r in nodes.node(uid).inputs if catalog and not catalog.exists(r.unique_id)]
        if catalog and unknown:
            catalog.read({r.unique_id for r in unknown} | nodes.beside(unknown))

    def _finished(self, begun: Heard, heard: Heard, nodes: Nodes) -> NodeFinished:
        uid, result = heard.unique_id, heard.result
        made = nodes.node(uid).relation is not None and result.status in MADE
        if made and self._catalog:
            self._catalog.read([uid])
        node = nodes.node(uid)
        if node_failed(result.status) or (result.status == "skipped" and node.test is None):
            self._unsuccessful[uid] = node.label
        return NodeFinished(
            node=node,
            started_at=begun.at,
            at=max(heard.at, begun.at),
            status=result.status,
            message=self._message(uid, result, nodes),
            sql=nodes.compiled(uid) or nodes.last_batch(uid, self._listener.target_path or ""),
            rows=result.rows,
            failures=result.failures,
            query_id=result.query_id,
            created=(not begun.existed) if made and begun.existed is not None else None,
        )

    def _message(self, uid: str, result: Result, nodes: Nodes) -> str:
        """Say why a node did not run, or that it failed because dbt was told to stop."""
        if result.status == "skipped":
            return self._skip_reason(uid, nodes)
        killed = self._listener.is_cancelled and CANCELLED not in result.message
        if killed and node_failed(result.status):
            return f"{CANCELLED} ({one_line(result.message)})"
        return result.message

    def _note_failure(self, heard: Heard, nodes: Nodes) -> None:
        """Keep what became of an ephemeral model: it has no records of its own, and others are skipped."""
        if heard.name == "NodeFinished" and heard.result.status not in MADE:
            label = nodes.node(heard.unique_id).label
            self._unsuccessful[heard.unique_id] = label
            if node_failed(heard.result.status):
                self._errors.append(f"{label}: {one_line(heard.result.message)}")

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
    """Return the errors of hooks such as on-run-start, which are no nodes of the project's graph."""
    failed = (result for result in results if node_failed(result.status))
    return [one_line(result.message) for result in failed if result.node.resource_type == "operation"]
