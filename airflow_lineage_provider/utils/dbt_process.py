"""dbt in an interpreter of its own: the same records as `DbtRun`, from a process that dies with the task."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import threading
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt import child, records
from airflow_lineage_provider.dbt.project import ENV_VAR, source_files
from airflow_lineage_provider.dbt.records import DbtError, InvocationFinished, NodeFinished, NodeStarted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from airflow_lineage_provider.dbt.command import Command
    from airflow_lineage_provider.dbt.listener import CheckNode
    from airflow_lineage_provider.dbt.recorder import FindTables
    from airflow_lineage_provider.dbt.records import Record

SILENT_SECONDS = 300.0
"""The child sends a record at least every 0.2 s, `Idle` if nothing happens; after this time it hangs."""
END_SECONDS = 20.0
LONGEST_LINE = 64 << 20
_KINDS = {kind.__name__: kind for kind in records.Record.__args__}
_TAIL = 4_000
_NEEDED = re.compile(
    r"(PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|SSL_CERT_\w+|\w+_CA_BUNDLE"
    r"|(?i:https?|no|all)_(?i:proxy)|(DBT|LINEAGE_PROFILE|AWS|GOOGLE|AZURE|SNOWFLAKE|DATABRICKS|PG)\w*)"
)


class DbtProcess:
    """One dbt invocation in another interpreter: iterate over it once; `cancel` stops dbt and its queries."""

    def __init__(
        self, python: str, command: Command, find_tables: FindTables, check_node: CheckNode | None = None
    ) -> None:
        """`find_tables` and `check_node` are those of `DbtRun`; they are called in this process."""
        self.command = command
        self._check_node = check_node
        self._python = python
        self._find_tables = find_tables
        self._process: subprocess.Popen[bytes] | None = None
        self._open: dict[str, NodeStarted] = {}
        self._stderr = bytearray()

    def __iter__(self) -> Iterator[Record]:
        """Run dbt and yield its records; the last is an `InvocationFinished`. Raises DbtError."""
        self._process = process = self._started()
        drain = threading.Thread(target=self._drain, args=(process.stderr,), daemon=True)
        drain.start()
        finished: InvocationFinished | None = None
        try:
            self._send(process, {"command": asdict(self.command), "checks": self._check_node is not None})
            try:
                for record in self._records(process):
                    if isinstance(record, InvocationFinished):
                        finished = record
                        break
                    yield record
            except _BrokenError as error:
                finished = InvocationFinished(success=False, error=str(error))
            self._end(process)
            drain.join(END_SECONDS)
            finished = finished or InvocationFinished(success=False, error=self._death(process))
            for started in self._open.values():
                yield _failed(started, finished.error or "dbt ended without the end of this node")
            yield finished
        finally:
            if process.poll() is None:
                self.cancel()
                self._end(process)
            process.stdout.close()  # type: ignore[union-attr]

    def cancel(self) -> None:
        """Stop: running queries are cancelled, nodes that have not begun fail at once."""
        if self._process:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def _started(self) -> subprocess.Popen[bytes]:
        environment = needed_environment(self.command)
        try:
            return subprocess.Popen(  # noqa: S603 - the interpreter is the DAG author's
                [self._python, "-I", child.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise DbtError(
                f"{self._python} cannot be run: {error.strerror}; set python to an interpreter that has dbt"
            ) from None

    def _records(self, process: subprocess.Popen[bytes]) -> Iterator[Record]:
        import msgspec

        for line in _lines(process):
            try:
                kind, fields = json.loads(line)
                if kind in {"FindTables", "CheckNode"}:
                    self._send(process, self._answer(kind, *fields))
                    continue
                record: Any = msgspec.convert(fields, _KINDS[kind])
            except (ValueError, TypeError, LookupError, RecursionError):
                shown = line[:100].decode("utf-8", "replace")
                process.kill()
                raise _BrokenError(f"{self._python} sent what is no record of dbt's: {shown!r}") from None
            if isinstance(record, NodeStarted):
                self._open[record.node.unique_id] = record
            elif isinstance(record, NodeFinished):
                self._open.pop(record.node.unique_id, None)
            yield record

    def _answer(self, kind: str, *asked: Any) -> Any:
        """Return the answer to a question of the child: the tables that SQL names, or why not to run it."""
        import msgspec

        if kind == "FindTables":
            node, sql, invocation = asked
            node, invocation = (
                msgspec.convert(node, records.Node),
                msgspec.convert(invocation, records.Invocation),
            )
            return [asdict(one) for one in self._find_tables(node, str(sql), invocation)]
        if self._check_node is None:
            return None
        try:
            return {"error": self._check_node(*asked)}
        except Exception as problem:  # noqa: BLE001 - a check that cannot be made never fails the models
            return {"problem": f"{type(problem).__name__}: {' '.join(str(problem).split())}"}

    @staticmethod
    def _send(process: subprocess.Popen[bytes], data: Any) -> None:
        with suppress(BrokenPipeError):  # it is dead, which the end of its stdout shows
            process.stdin.write(json.dumps(data, default=child._plain).encode() + b"\n")  # type: ignore[union-attr]  # noqa: SLF001
            process.stdin.flush()  # type: ignore[union-attr]

    def _drain(self, stderr: Any) -> None:
        """Keep the end of what the child prints."""
        with suppress(ValueError):  # closed
            while chunk := stderr.read1(65_536):
                self._stderr += chunk
                del self._stderr[:-_TAIL]

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of the child, and kill it with all that it started if it does not come."""
        if process.stdin and not process.stdin.closed:
            with suppress(BrokenPipeError):
                process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _death(self, process: subprocess.Popen[bytes]) -> str:
        status = process.returncode
        last = self._stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        if status < 0:
            name = signal.Signals(-status).name
            why = "; it may have run out of memory" if name == "SIGKILL" else ""
            return f"dbt's process ({self._python}) was ended by the signal {name}{why}"
        return f"dbt's process ({self._python}) ended with status {status} before dbt did: {last[:300]}"


class _BrokenError(Exception):
    """The child does not speak as it should; the message is one line."""


def needed_environment(command: Command) -> dict[str, str]:
    """Return the variables that dbt's process gets.

    The system's, those of dbt and of the warehouses' clients, and those that the project or its profile names
    in `env_var`; none of Airflow's.
    """
    named = set()
    files = [file for file in source_files(command.project_dir) if file.suffix != ".csv"]
    files += [Path(folder, "profiles.yml") for folder in _profile_folders(command)]
    for file in filter(Path.is_file, files):
        named |= set(ENV_VAR.findall(file.read_text(encoding="utf-8", errors="replace")))
    allowed: Mapping[str, str] = os.environ
    return {key: value for key, value in allowed.items() if key in named or _NEEDED.fullmatch(key)}


def _profile_folders(command: Command) -> list[Path]:
    """Return the folders in which dbt may find the profile."""
    if command.profiles_dir:
        return [Path(command.profiles_dir)]
    return [Path(os.environ.get("DBT_PROFILES_DIR") or "."), Path("~/.dbt").expanduser()]


def _lines(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the lines of stdout. Raises _BrokenError for one too long, and where none comes in time."""
    pending = bytearray()
    stdout: Any = process.stdout
    with selectors.DefaultSelector() as selector:
        selector.register(stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(SILENT_SECONDS):
                process.kill()
                raise _BrokenError(f"dbt's process hangs: nothing came from it for {SILENT_SECONDS:.0f} s")
            chunk = os.read(stdout.fileno(), 65_536)
            if not chunk:
                return
            pending += chunk
            *complete, rest = pending.split(b"\n") if b"\n" in chunk else (pending,)
            pending = bytearray(rest)
            yield from map(bytes, complete)
            if len(pending) > LONGEST_LINE:
                process.kill()
                raise _BrokenError(f"dbt's process sent a line of more than {LONGEST_LINE} bytes")


def _failed(started: NodeStarted, reason: str) -> NodeFinished:
    now = datetime.now(UTC)
    return NodeFinished(started.node, started.at, max(now, started.at), "error", reason, started.sql)
