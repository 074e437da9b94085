"""Runs dbt in this process and yields each record while it runs.

dbt runs on a thread of its own. Its worker threads call the listener, which puts messages on a queue and
returns. The caller's thread takes the messages off, reads columns from the warehouse, and yields records.
"""

from __future__ import annotations

import shutil
import threading
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.command import SELECTING
from airflow_lineage_provider.dbt.garbage import fewer_collections
from airflow_lineage_provider.dbt.listener import CANCELLED, Listener
from airflow_lineage_provider.dbt.messages import AdapterReady, Message, NodeEnded
from airflow_lineage_provider.dbt.packages import install_packages
from airflow_lineage_provider.dbt.project import (
    fingerprint,
    known_manifest,
    layers,
    manifest_of_retry,
    one_line,
    remember,
)
from airflow_lineage_provider.dbt.recorder import Recorder, errors_of_operations
from airflow_lineage_provider.dbt.records import DbtError, Idle, InvocationFinished, LogLine, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dbt.contracts.graph.manifest import Manifest

    from airflow_lineage_provider.dbt.command import Command
    from airflow_lineage_provider.dbt.listener import CheckNode
    from airflow_lineage_provider.dbt.recorder import FindTables

POLL_SECONDS = 0.2
JOIN_SECONDS = 10
RESULTS = {"freshness": "sources.json", "docs": "catalog.json"}
"""The file of a verb's results, where it is not run_results.json."""


class DbtRun:
    """One dbt invocation: iterate over it once for its records; `cancel` stops dbt and its queries."""

    def __init__(
        self, command: Command, find_tables: FindTables | None = None, check_node: CheckNode | None = None
    ) -> None:
        """`find_tables` returns the tables that a node's SQL names without `ref` or `source`.

        `check_node` is called on dbt's threads once a node is compiled and before its SQL is sent. The text
        that it returns becomes the error of the node, which does not run; nodes downstream are skipped.
        """
        self.command = command
        self._find_tables = find_tables
        self._messages: Queue[Message] = Queue()
        self._listener = Listener(self._messages, check_node)
        self._recorder: Recorder | None = None
        self._errors: list[str] = []
        self._ended = False

    def __iter__(self) -> Iterator[Record]:
        """Run dbt and yield its records; the last is an `InvocationFinished`."""
        thread = threading.Thread(target=self._invoke, name="dbt", daemon=True)
        thread.start()
        try:
            while not self._ended:
                yield from self._next()
        finally:
            if not self._ended:
                self.cancel()
            if self._recorder:
                self._recorder.close()
            # dbt may still call this listener until the next invocation.
            self._listener.stop_waiting()
            for _ in range(int(JOIN_SECONDS / POLL_SECONDS)):
                thread.join(POLL_SECONDS)
                if not thread.is_alive():
                    break
                self._listener.cancel_queries_again()

    def _next(self) -> Iterator[Record]:
        """Yield the records of the next message; after the last message, what has waited long enough."""
        try:
            message = self._messages.get(timeout=POLL_SECONDS)
        except Empty:
            self._listener.cancel_queries_again()
            yield from self._recorder.due() if self._recorder else ()
        else:
            yield from self._records(message)
            if not isinstance(message, NodeEnded):
                self._messages.task_done()
        if self._messages.empty() and not self._ended:
            yield Idle()
        if self._recorder:
            self._mark_done(self._recorder)
        self._listener.handled()

    def _mark_done(self, recorder: Recorder) -> None:
        """Let dbt go on to its end once the records of all nodes that ended are yielded."""
        for _ in range(recorder.completed):
            self._messages.task_done()
        recorder.completed = 0

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
        from dbt.cli.exceptions import DbtUsageException
        from dbt.cli.main import dbtRunner

        command, retrying = self.command, self.command.verb == "retry"
        if command.install_deps:
            install_packages(command, self._listener.log)
        made_of = fingerprint(command)
        self._listener.manifest = None if retrying else known_manifest(command)
        with fewer_collections(), manifest_of_retry(self._use) if retrying else nullcontext():
            # Without a manifest dbt parses the project first, and the listener picks up the manifest.
            outcome = dbtRunner(self._listener.manifest, callbacks=[self._listener]).invoke(command.argv())
        if isinstance(outcome.exception, DbtUsageException):
            raise DbtError(f"dbt {command.verb}: {one_line(outcome.exception)}")
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
        if outcome.success and not (selected or self.command.allows_empty) and self.command.verb in SELECTING:
            self._refuse_empty_selection()
        self._errors += errors_of_operations(getattr(outcome.result, "results", ()))
        return InvocationFinished(success=bool(outcome.success), selected=selected)

    def _use(self, manifest: Manifest) -> None:
        self._listener.manifest = manifest

    def _keep(self, result: Any) -> None:
        """Write dbt's results: of most verbs run_results.json, from which `dbt retry` starts."""
        command = self.command
        for one in getattr(result, "results", ()):
            if getattr(getattr(getattr(one, "node", None), "config", None), "full_refresh", None):
                # `dbt retry` would make the table anew from the batches that failed, without the others.
                one.batch_results = None
        for folder in (self._listener.target_path, command.artifacts_dir):
            if folder and hasattr(result, "write"):
                Path(folder).mkdir(parents=True, exist_ok=True)
                result.write(str(Path(folder, RESULTS.get(command.verb, "run_results.json"))))
        if command.artifacts_dir and command.writes_manifest and self._listener.manifest:
            self._listener.manifest.write(str(Path(command.artifacts_dir, "manifest.json")))
            for page in Path(self._listener.target_path or "").glob("*index.html"):
                if command.verb == "docs":
                    shutil.copy(page, command.artifacts_dir)

    def _refuse_empty_selection(self) -> None:
        command, manifest = self.command, self._listener.manifest
        selector = command.options.get("selector")
        if not (command.select or command.exclude or selector):
            return
        words = [f"{' '.join(command.select)!r}"] if command.select else []
        words += [f"the selector {selector!r}"] if selector else []
        words += [f"less {' '.join(command.exclude)!r}"] if command.exclude else []
        raise DbtError(
            f"dbt {command.verb} found no node of {manifest.metadata.project_name} that matches "
            f"{' '.join(words)}; the project has the layers {', '.join(layers(manifest))}"
        )

    def _records(self, message: Message) -> Iterator[Record]:
        match message:
            case InvocationFinished():
                errors = list(self._errors)
                if self._recorder:
                    yield from self._recorder.end()
                    errors = self._recorder.errors + errors
                self._ended = True
                yield replace(message, error=message.error or "; ".join(errors) or None)
            case AdapterReady():
                self._recorder = Recorder(self.command, self._listener, message, self._find_tables)
                yield self._recorder.invocation
            case LogLine():
                yield message
            case _ if self._recorder:
                yield from self._recorder.records(message)
