"""The manifest of a project: parsed once, then shared by all invocations in the process."""

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

# An environment variable in the project's settings or its profile.
ENV_VAR = re.compile(r"""env_var\(\s*['"]+(\w+)""")  # YAML doubles a quote within quotes

Fingerprint = frozenset[tuple[object, ...]]
_parsed: dict[tuple[str, ...], tuple[Fingerprint, Manifest]] = {}


def known_manifest(command: Command) -> Manifest | None:
    """Return the manifest that an earlier invocation parsed; None if the project has changed since."""
    known = _parsed.get(_key(command))
    if known and known[0] == fingerprint(command) and _same_environment(known[1]):
        return _uncompiled(known[1])
    return None


def remember(command: Command, made_of: Fingerprint, manifest: Manifest) -> None:
    """Keep a manifest for the next invocation; `made_of` is the fingerprint taken before parsing."""
    _parsed[_key(command)] = (made_of, manifest)


def _key(command: Command) -> tuple[str, ...]:
    """Return the options of a manifest; the profile counts by its text, not by its folder."""
    return replace(command, profiles_dir=None).project_args


def one_line(error: object) -> str:
    """Return an error's text on one line; dbt's errors are indented over several."""
    return " ".join(str(error).split())


@contextmanager
def manifest_of_retry(on_parsed: Callable[[Manifest], None]) -> Iterator[None]:
    """Call `on_parsed` with the manifest that `dbt retry` parses, which it does not hand out.

    A retry with `warn_error` adds to dbt's own set of statuses, for all later retries of this process: it is
    restored.
    """
    retry: Any = import_module("dbt.task.retry")
    parse, retryable = retry.parse_manifest, set(retry.RETRYABLE_STATUSES)

    def parse_and_notify(*args: Any) -> Manifest:
        manifest: Manifest = parse(*args)
        on_parsed(manifest)
        return manifest

    retry.parse_manifest = parse_and_notify
    try:
        yield
    finally:
        retry.parse_manifest = parse
        retry.RETRYABLE_STATUSES.intersection_update(retryable)


def package_dirs(config: Any) -> dict[str, str]:
    """Return the folders of the project and of its packages by name, from dbt's runtime configuration."""
    return {name: str(project.project_root) for name, project in config.load_dependencies().items()}


def layers(manifest: Manifest) -> list[str]:
    """Return the folders of the project's models: the values for `layer` and for dbt's selectors."""
    models = (node for node in manifest.nodes.values() if str(node.resource_type) == "model")
    own = (node.fqn for node in models if node.package_name == manifest.metadata.project_name)
    return sorted({folder for _, folder, *inside in own if inside})


def fingerprint(command: Command) -> Fingerprint:
    """Return everything that the parsed manifest depends on.

    Each source file with its size and modification time, the profile's text, and the environment variables
    of both. The profile's folder is left out: one made from a connection is in a new folder each time.

    Raises DbtError where the project's settings are no YAML.
    """
    from dbt.cli.resolvers import default_profiles_dir

    profiles_dir = command.profiles_dir or os.environ.get("DBT_PROFILES_DIR") or default_profiles_dir()
    profile = Path(profiles_dir, "profiles.yml")
    stats = ((str(path), path.stat()) for path in source_files(command.project_dir) if path.exists())
    times = {(path, stat.st_mtime_ns, stat.st_size) for path, stat in stats}
    settings, output = _text(Path(command.project_dir, "dbt_project.yml")), _text(profile)
    return frozenset(times | {("profiles.yml", output)} | _variables(settings + output))


def source_files(project_dir: str) -> Iterator[Path]:
    """Yield the files that dbt reads of a project and its packages, and none of those that dbt makes.

    Raises DbtError where the project's settings are no YAML.
    """
    made_by_dbt = {"target", "logs", project_settings(project_dir).get("target-path")}
    for folder, folders, names in os.walk(project_dir):
        folders[:] = [name for name in folders if name not in made_by_dbt and not name.startswith(".")]
        yield from (Path(folder, name) for name in names if Path(name).suffix in SOURCE_SUFFIXES)


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _variables(text: str) -> set[tuple[str, str | None]]:
    return {(name, os.environ.get(name)) for name in ENV_VAR.findall(text)}


def _same_environment(manifest: Manifest) -> bool:
    """Tell whether the models' variables are unchanged; dbt records a placeholder for an unset one."""
    from dbt.constants import DEFAULT_ENV_PLACEHOLDER

    return all(
        os.environ.get(name, DEFAULT_ENV_PLACEHOLDER) == value for name, value in manifest.env_vars.items()
    )


def _uncompiled(manifest: Manifest) -> Manifest:
    """Reset what an earlier invocation compiled into the manifest.

    dbt marks a node whose ephemeral parents were injected and does not inject them again, so a second
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
