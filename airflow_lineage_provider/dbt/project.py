"""A project's manifest, parsed once and used by every invocation of the process."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.profile import project_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from dbt.contracts.graph.manifest import Manifest

    from airflow_lineage_provider.dbt.command import Command

SOURCE_SUFFIXES = {".sql", ".yml", ".yaml", ".md", ".py", ".csv"}

# A variable of the environment that the project's settings or its profile ask for.
ENV_VAR = re.compile(r"""env_var\(\s*['"]+(\w+)""")  # YAML doubles a quote within quotes

Fingerprint = frozenset[tuple[object, ...]]
_parsed: dict[tuple[str, ...], tuple[Fingerprint, Manifest]] = {}


def known_manifest(command: Command) -> Manifest | None:
    """Return the manifest of `command`'s project as it was parsed before; None when that no longer holds."""
    known = _parsed.get(_key(command))
    if known and known[0] == fingerprint(command) and _same_environment(known[1]):
        return _uncompiled(known[1])
    return None


def remember(command: Command, made_of: Fingerprint, manifest: Manifest) -> None:
    """Keep a manifest for the next invocation; `made_of` is the fingerprint from before it was parsed."""
    _parsed[_key(command)] = (made_of, manifest)


def _key(command: Command) -> tuple[str, ...]:
    """Return the options that a manifest is made for; of the profile its text counts, wherever it lies."""
    return replace(command, profiles_dir=None).project_args


def one_line(error: object) -> str:
    """Return an error's text on one line, as dbt's are indented over several."""
    return " ".join(str(error).split())


@contextmanager
def manifest_of_retry(on_parsed: Callable[[Manifest], None]) -> Iterator[None]:
    """Learn the manifest that `dbt retry` uses: it parses the project itself and keeps it to itself."""
    retry: Any = import_module("dbt.task.retry")
    parse = retry.parse_manifest

    def parse_and_tell(*args: Any) -> Manifest:
        manifest: Manifest = parse(*args)
        on_parsed(manifest)
        return manifest

    retry.parse_manifest = parse_and_tell
    try:
        yield
    finally:
        retry.parse_manifest = parse


def layers(manifest: Manifest) -> list[str]:
    """Return the folders of models, which is what `layer` and dbt's selectors know them by."""
    models = (node for node in manifest.nodes.values() if str(node.resource_type) == "model")
    own = (node.fqn for node in models if node.package_name == manifest.metadata.project_name)
    return sorted({folder for _, folder, *inside in own if inside})


def fingerprint(command: Command) -> Fingerprint:
    """Every source file of the project with size and time of change, its profile's text, their variables.

    A profile that is made from a connection lies in another folder each time; what it says is the same.

    Raises DbtError where the project's settings are no YAML.
    """
    from dbt.cli.resolvers import default_profiles_dir

    made_by_dbt = {"target", "logs", project_settings(command.project_dir).get("target-path")}
    files = set()
    for folder, folders, names in os.walk(command.project_dir):
        folders[:] = [name for name in folders if name not in made_by_dbt and not name.startswith(".")]
        files |= {Path(folder, name) for name in names if Path(name).suffix in SOURCE_SUFFIXES}
    profiles_dir = command.profiles_dir or os.environ.get("DBT_PROFILES_DIR") or default_profiles_dir()
    profile = Path(profiles_dir, "profiles.yml")
    stats = ((str(path), path.stat()) for path in files if path.exists())
    times = {(path, stat.st_mtime_ns, stat.st_size) for path, stat in stats}
    settings, output = _text(Path(command.project_dir, "dbt_project.yml")), _text(profile)
    return frozenset(times | {("profiles.yml", output)} | _variables(settings + output))


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _variables(text: str) -> set[tuple[str, str | None]]:
    return {(name, os.environ.get(name)) for name in ENV_VAR.findall(text)}


def _same_environment(manifest: Manifest) -> bool:
    """Tell whether the models' variables are as they were; dbt notes a default where one was not set."""
    from dbt.constants import DEFAULT_ENV_PLACEHOLDER

    return all(
        os.environ.get(name, DEFAULT_ENV_PLACEHOLDER) == value for name, value in manifest.env_vars.items()
    )


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
