"""A dbt command as data, and as arguments of dbt's command line."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from airflow_lineage_provider.dbt.options import option_words
from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Mapping

Verb = Literal[
    "run",
    "build",
    "test",
    "seed",
    "snapshot",
    "freshness",
    "run-operation",
    "retry",
    "compile",
    "clone",
    "docs",
]

# The callback receives dbt's log; run_results.json is written by the runner.
QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-write-json", "--no-use-colors")
SELECTING = {"run", "build", "test", "seed", "snapshot", "freshness", "compile", "clone", "docs"}
REFRESHING = {"run", "build", "seed", "compile", "clone"}
RUNS_NOTHING = {"compile", "docs"}
"""Verbs that compile the nodes and do not run them: nothing flows."""
_PAIRS = {"freshness": ["source", "freshness"], "docs": ["docs", "generate"]}
"""Verbs that are two words on dbt's command line."""


@dataclass(frozen=True, slots=True)
class Command:
    """The options of one dbt invocation, named as dbt names them."""

    project_dir: str
    verb: Verb = "build"
    profiles_dir: str | None = None
    profile: str | None = None
    target: str | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False
    threads: int | None = None
    operation: str | None = None
    operation_args: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    """More options by dbt's names, such as `{"defer": True, "state": "/opt/state"}`."""
    install_deps: bool = False
    """Whether to install the project's packages first, if they have changed since."""
    allows_empty: bool = False
    """Whether a selection may match no node."""
    artifacts_dir: str | None = None
    """Where this invocation's artifacts are written, besides the target folder."""
    writes_manifest: bool = False
    """Whether manifest.json is one of them; writing it takes seconds in a large project."""

    def __post_init__(self) -> None:
        """Raise DbtError for a wrong command before dbt is imported."""
        if self.verb not in get_args(Verb):
            raise DbtError(f"dbt command {self.verb!r} is unknown; use one of {', '.join(get_args(Verb))}")
        if self.verb == "run-operation" and not self.operation:
            raise DbtError("dbt run-operation needs the name of a macro; set operation='my_macro'")
        if not (Path(self.project_dir) / "dbt_project.yml").is_file():
            raise DbtError(
                f"no dbt project at {self.project_dir}: there is no dbt_project.yml; "
                "set project_dir to the folder that holds it"
            )
        if self.profiles_dir and not (Path(self.profiles_dir) / "profiles.yml").is_file():
            raise DbtError(
                f"no dbt profile at {self.profiles_dir}: there is no profiles.yml; "
                "set profiles_dir to the folder that holds it, or name an Airflow connection"
            )

    @property
    def project_args(self) -> tuple[str, ...]:
        """The options on which the parsed manifest depends."""
        options: dict[str, str | None] = {
            "--project-dir": self.project_dir,
            "--profiles-dir": self.profiles_dir,
            "--profile": self.profile,
            "--target": self.target,
            "--vars": json.dumps(dict(self.vars), sort_keys=True) if self.vars else None,
        }
        return tuple(word for name, value in options.items() if value for word in (name, value))

    def argv(self) -> list[str]:
        """Return the arguments for `dbtRunner.invoke`. Raises DbtError for an unknown option."""
        verb = _PAIRS.get(self.verb, [self.verb])
        words = list(verb)
        if self.operation and self.verb == "run-operation":
            words += [self.operation, "--args", json.dumps(dict(self.operation_args))]
        words += self.project_args
        if self.verb in SELECTING:
            words += ["--select", *self.select] if self.select else []
            words += ["--exclude", *self.exclude] if self.exclude else []
        if self.full_refresh and self.verb in REFRESHING:
            words.append("--full-refresh")
        if self.threads:
            words += ["--threads", str(self.threads)]
        if self.options:
            words += option_words(verb, self.options)
        return [*QUIET, *words]
