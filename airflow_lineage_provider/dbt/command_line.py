"""A command from the words of dbt's own command line: `build --select silver --target prod`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args

from airflow_lineage_provider.dbt.command import RUNS_NOTHING, Command, Verb
from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Options that `Command` has fields for.
FIELDS = ("profiles_dir", "profile", "target", "vars", "select", "exclude", "full_refresh", "threads")
# Options that dbt also reads from the environment, where the runner finds them, too.
BY_VARIABLE = {"target_path": "DBT_TARGET_PATH", "log_path": "DBT_LOG_PATH"}
# The runner receives dbt's log, and prints it at the level info.
OF_THE_LOG = ("debug", "log_format", "log_level", "quiet", "use_colors", "write_json")


def command_of_words(words: Sequence[str]) -> Command:
    """Return the command that these words are to dbt.

    Raises DbtError for a dbt command that is not run here, and click's UsageError for options that the
    installed dbt does not accept.
    """
    verb, rest = _verb(list(words))
    given = _given(verb, rest)
    for name, variable in BY_VARIABLE.items():
        if name in given:
            os.environ[variable] = str(given.pop(name))
    for name in OF_THE_LOG:
        given.pop(name, None)
    fields = {name: given.pop(name) for name in FIELDS if name in given}
    return Command(
        project_dir=str(given.pop("project_dir")),
        verb=verb,  # type: ignore[arg-type] # checked by Command
        operation=given.pop("macro", None),
        operation_args=given.pop("args", {}),
        options={name: _plain(value) for name, value in given.items()},
        **fields,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, os.PathLike) else value


def _verb(words: list[str]) -> tuple[str, list[str]]:
    if words[:2] == ["source", "freshness"]:
        return "freshness", words[2:]
    verbs = [verb for verb in get_args(Verb) if verb not in RUNS_NOTHING]
    if not words or words[0] not in {*verbs} - {"freshness"}:
        known = ", ".join("source freshness" if verb == "freshness" else verb for verb in verbs)
        raise DbtError(
            f"dbt {words[0] if words else ''} has no lineage; use dbt itself for it. Commands are: {known}"
        )
    return words[0], words[1:]


def _given(verb: str, given: list[str]) -> dict[str, Any]:
    """Return the options on the command line by dbt's names; `project_dir` in any case."""
    from click.core import ParameterSource
    from dbt.cli.main import cli

    groups: Any = cli
    command = groups.commands["source"].commands[verb] if verb == "freshness" else groups.commands[verb]
    context = command.make_context(f"dbt {verb}", given)
    # `Command` and `option_words` know an option by its long form, which may differ from its parameter.
    long = {
        param.name: next((o for o in param.opts if o[:2] == "--"), param.name) for param in command.params
    }
    found = {
        long[name].strip("-").replace("-", "_"): value
        for name, value in context.params.items()
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    }
    return {"project_dir": context.params["project_dir"], **found}
