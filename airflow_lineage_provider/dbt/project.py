"""A project's manifest, parsed once and used by every invocation of the process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from airflow_lineage_provider.dbt.command import QUIET, Command
from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dbt.contracts.graph.manifest import Manifest

SOURCE_SUFFIXES = {".sql", ".yml", ".yaml", ".md", ".py", ".csv"}
MADE_BY_DBT = {"target", "logs"}

Fingerprint = frozenset[tuple[str, int, int]]
_parsed: dict[tuple[str, ...], tuple[Fingerprint, Manifest]] = {}


def load_manifest(command: Command, on_event: Callable[[Any], None]) -> Manifest:
    """Return the manifest of `command`'s project, parsed anew only when a file or variable of it changed.

    Raises `DbtError` when dbt cannot parse the project.
    """
    before = _fingerprint(command)
    key = command.project_args
    known = _parsed.get(key)
    if known and known[0] == before and _same_environment(known[1]):
        return _uncompiled(known[1])
    manifest = _parse(command, on_event)
    _parsed[key] = (before, manifest)
    return manifest


def one_line(error: object) -> str:
    """Return an error's text on one line, as dbt's are indented over several."""
    return " ".join(str(error).split())


def _parse(command: Command, on_event: Callable[[Any], None]) -> Manifest:
    from dbt.cli.main import dbtRunner

    outcome = dbtRunner(callbacks=[on_event]).invoke([*QUIET, "parse", *command.project_args])
    if not outcome.success:
        raise DbtError(f"dbt could not parse {command.project_dir}: {one_line(outcome.exception)}")
    return cast("Manifest", outcome.result)


def _fingerprint(command: Command) -> Fingerprint:
    """Every source file of the project and its profile with size and time of change."""
    files = set()
    for folder, folders, names in os.walk(command.project_dir):
        folders[:] = [name for name in folders if name not in MADE_BY_DBT and not name.startswith(".")]
        files |= {Path(folder, name) for name in names if Path(name).suffix in SOURCE_SUFFIXES}
    if command.profiles_dir:
        files.add(Path(command.profiles_dir, "profiles.yml"))
    stats = ((str(path), path.stat()) for path in files if path.exists())
    return frozenset((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats)


def _same_environment(manifest: Manifest) -> bool:
    return all(os.environ.get(name, value) == value for name, value in manifest.env_vars.items())


def _uncompiled(manifest: Manifest) -> Manifest:
    """Forget what an earlier invocation compiled into the manifest.

    dbt marks a node whose ephemeral parents were injected and then skips injecting them, so that a second
    invocation on the same manifest would run `select ... from __dbt__cte__parent` without the CTE.
    """
    nodes: Iterable[Any] = manifest.nodes.values()
    for node in nodes:
        if getattr(node, "compiled", False):
            node.compiled = False
            node.compiled_code = None
            node.extra_ctes_injected = False
            node.extra_ctes = []
            node._pre_injected_sql = None  # noqa: SLF001
    return manifest
