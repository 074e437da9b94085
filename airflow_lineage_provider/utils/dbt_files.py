"""The files that a dbt task takes over from earlier runs, and keeps for later ones.

`state` is what dbt compares with and defers to: the manifest and results of another run. `artifacts` is where
a task keeps its own. The results of a try that failed are where `dbt retry` starts.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from airflow.sdk import ObjectStoragePath
from fsspec.implementations.local import LocalFileSystem

from airflow_lineage_provider.dbt.profile import project_settings
from airflow_lineage_provider.dbt.records import node_failed
from airflow_lineage_provider.errors import InputError, LineageError
from airflow_lineage_provider.readers.artifact_files import file_reader
from airflow_lineage_provider.reports.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Context

    from airflow_lineage_provider.dbt.command import Command

log = logging.getLogger(__name__)

LAST_SUCCESS = "last_success"
"""The value of `state` that means the artifacts of the last successful run of this task."""
XCOM_KEY = "dbt_artifacts"
RETRIED = {"run", "build", "test", "seed", "snapshot", "clone", "compile", "run-operation"}
"""The verbs that `dbt retry` repeats."""
MANIFEST, RESULTS, TRY = "manifest.json", "run_results.json", "try.json"
OF_STATE = (MANIFEST, RESULTS, "sources.json")
# dbt compares with it as with a project that has nothing in it: every node is new.
NOTHING = {
    MANIFEST: {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json"},
        **{kind: {} for kind in ("nodes", "sources", "macros", "docs", "exposures", "metrics", "groups")},
        **{kind: {} for kind in ("selectors", "disabled", "parent_map", "child_map", "group_map")},
        **{kind: {} for kind in ("saved_queries", "semantic_models", "unit_tests")},
    },
    RESULTS: {
        "metadata": {"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"},
        "results": [],
        "elapsed_time": 0.0,
        "args": {},
    },
}


class StateUnreadableError(LineageError):
    """The object store of `state` does not answer; the task is retried."""

    unreachable = True


@dataclass
class DbtFiles:
    """The files of one try of a task."""

    context: Context
    command: Command
    artifacts: ObjectStoragePath | None
    """The folder in which this task keeps its artifacts."""
    retries: bool
    """Whether a retry runs only what failed."""
    folder: Path
    """For this try alone."""
    updated: dict[str, Any] = field(default_factory=dict)
    """What an earlier try, which this one continues, had made."""

    @property
    def _kept(self) -> ObjectStoragePath | None:
        """Return the folder in which the results outlive this try; with no artifacts, one of the target's."""
        if self.artifacts or not self.retries:
            return self.artifacts
        ti: Any = self.context["ti"]
        key = sha256(repr((ti.dag_id, ti.run_id, ti.task_id, ti.map_index)).encode()).hexdigest()[:32]
        return ObjectStoragePath(str(target_folder(self.command.project_dir) / "retries" / key))

    def with_state(self, state: str | None) -> DbtFiles:
        """Return the same files, with a command that compares with and defers to `state`.

        Raises InputError where there is no manifest, StateUnreadableError where the store does not answer.
        """
        if not state:
            return self
        folder = self.folder / "state"
        folder.mkdir()
        if state != LAST_SUCCESS:
            _copy(_location("state", state), folder)
        elif found := self._last_success():
            _copy(ObjectStoragePath(found), folder)
        else:
            log.info("No earlier run of this task succeeded: there is no state, and every node is new")
            for name, content in NOTHING.items():
                (folder / name).write_text(json.dumps(content), encoding="utf-8")
        options = {**self.command.options, "state": str(folder)}
        return replace(self, command=replace(self.command, options=options))

    def _last_success(self) -> str | None:
        if not self.artifacts:
            raise InputError(
                f"state={LAST_SUCCESS!r} needs artifacts: the folder in which each run keeps its own"
            )
        ti: Any = self.context["ti"]
        found = ti.xcom_pull(ti.task_id, key=XCOM_KEY, include_prior_dates=True, map_indexes=ti.map_index)
        return str(found) if found else None

    def of_retry(self) -> DbtFiles:
        """Return the files with a command that, in a retry, runs only what failed in the try before."""
        command, kept = self.command, self._kept
        if not self.retries or not kept:
            return self
        if command.verb not in RETRIED:
            raise InputError(f"retry_failed_only: `dbt retry` cannot repeat dbt {command.verb}")
        before = self._failed_try(kept)
        if not before:
            return self
        results, last = before
        if "state" in results["args"]:  # it was in the folder of the earlier try
            results["args"]["state"] = command.options.get("state")
        if command.full_refresh:
            # dbt would make the table anew from the batches that failed, without those that did not.
            results["results"] = [one | {"batch_results": None} for one in results["results"]]
        folder = self.folder / "retry"
        folder.mkdir()
        (folder / RESULTS).write_text(json.dumps(results), encoding="utf-8")
        options = {
            key: value for key, value in command.options.items() if key.replace("-", "_") == "warn_error"
        }
        retried = replace(
            command, verb="retry", select=(), exclude=(), options={**options, "state": str(folder)}
        )
        return replace(self, command=retried, updated=last["updated"])

    def _failed_try(self, kept: ObjectStoragePath) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the results of the try before and what it noted, if anything of it can be retried.

        Clearing a task is no retry: the data that it reads may have changed since, so all of it runs.
        """
        if self.context["ti"].try_number < 2:  # noqa: PLR2004 - the first
            return None
        try:
            read = file_reader(kept.fs, kept.path)
            last = json.loads(read(TRY) or b"{}")
            results = json.loads(read(RESULTS) or b"{}")
            failed = [one for one in results.get("results", ()) if _retryable(one, results)]
        except (LineageError, ValueError, LookupError, TypeError, AttributeError) as error:
            log.warning(
                "The results of the try before cannot be read: %s; all of it runs", one_line(str(error))
            )
            return None
        if last.get("clear_number") != _clear_number(self.context):
            failed = []
        if not failed:
            log.info("The try before left no results that could be retried: all of it runs")
            return None
        log.info("Retrying the %s nodes that failed or were skipped in the try before", len(failed))
        return results, last

    def keep(self, updated: dict[str, Any]) -> None:
        """Keep what dbt wrote, whether it failed or not. A store that fails does not fail the task."""
        kept = self._kept
        if not kept:
            return
        note = {"clear_number": _clear_number(self.context), "updated": updated}
        written = Path(str(self.command.artifacts_dir))
        try:
            if isinstance(kept.fs, LocalFileSystem):
                kept.fs.makedirs(kept.path, exist_ok=True)
            (kept / TRY).write_text(json.dumps(note))
            for file in written.iterdir() if written.is_dir() else ():
                (kept / file.name).write_bytes(file.read_bytes())
        except Exception as error:  # noqa: BLE001 - each file system has errors of its own
            log.error("The artifacts are not kept in %s: %s", kept, one_line(str(error)))  # noqa: TRY400

    def succeeded(self) -> None:
        """Name the artifacts as those of the last successful run, and forget what was kept for a retry."""
        kept = self._kept
        if self.artifacts:
            self.context["ti"].xcom_push(key=XCOM_KEY, value=str(self.artifacts))
        elif kept and kept.exists():
            kept.fs.rm(kept.path, recursive=True)


@contextmanager
def dbt_files(
    context: Context, command: Command, artifacts: str | None, state: str | None, *, retries: bool
) -> Iterator[DbtFiles]:
    """Yield the files of this try, with the command to run; its folder is removed afterwards.

    The parameters are those of `DbtLayerOperator`. Raises InputError for ones that do not go together.
    """
    with TemporaryDirectory(prefix="dbt-files-") as name:
        ti: Any = context["ti"]
        kept = _location("artifacts", artifacts) / ti.task_id if artifacts else None
        if kept and ti.map_index >= 0:
            kept = kept / str(ti.map_index)
        if "state" in command.options:
            raise InputError("dbt_options: 'state' has an argument of its own: state='s3://bucket/state'")
        if artifacts or retries:
            written = str(Path(name, "written"))
            command = replace(command, artifacts_dir=written, writes_manifest=bool(artifacts))
        yield DbtFiles(context, command, kept, retries, Path(name)).with_state(state).of_retry()


def target_folder(project_dir: str) -> Path:
    """Return dbt's target folder of a project."""
    named = os.environ.get("DBT_TARGET_PATH") or project_settings(project_dir).get("target-path")
    return Path(project_dir, str(named or "target")).absolute()


def _location(name: str, place: str) -> ObjectStoragePath:
    try:
        return ObjectStoragePath(place)
    except (ValueError, ImportError) as error:
        raise InputError(f"{name}: {place} cannot be opened: {one_line(str(error))}") from None


def _copy(source: ObjectStoragePath, folder: Path) -> None:
    try:
        read = file_reader(source.fs, source.path)
        found = {name: read(name) for name in OF_STATE}
    except InputError as error:
        raise StateUnreadableError(f"state: {error}") from None
    if not found[MANIFEST]:
        raise InputError(f"state: there is no {MANIFEST} in {source}")
    for name, content in found.items():
        if content:
            (folder / name).write_bytes(content)


def _retryable(result: dict[str, Any], results: dict[str, Any]) -> bool:
    """Tell whether `dbt retry` runs a node again: not a hook, whose error is no node's."""
    is_hook = result["unique_id"].startswith("operation.") and results["args"]["which"] != "run-operation"
    return not is_hook and (node_failed(result["status"]) or result["status"] == "skipped")


def _clear_number(context: Context) -> int:
    dag_run: Any = context["dag_run"]
    return int(getattr(dag_run, "clear_number", 0) or 0)
