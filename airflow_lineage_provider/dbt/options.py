"""Options of a dbt command by dbt's own names, checked against the dbt that runs it."""

from __future__ import annotations

import difflib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.records import DbtError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# Set by arguments of their own, or needed by the runner as they are.
RESERVED = frozenset(
    {
        *("args", "exclude", "full_refresh", "profile", "profiles_dir", "project_dir", "select", "target"),
        *("threads", "vars", "log_level", "log_level_file", "log_path", "use_colors", "write_json"),
        *("target_path", "version"),
    }
)


def option_words(verb: Sequence[str], options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the words of dbt's command line for `{"indirect_selection": "cautious", "defer": True}`.

    True sets a flag and False its opposite; None leaves an option out; a list repeats it. A time may have a
    zone, which dbt's own options do not take. Raises DbtError for an option that this command of the
    installed dbt does not have, or that is set in another way.
    """
    known = _options_of(verb)
    for name, value in options.items():
        key = name.strip("-").replace("-", "_")
        if key in RESERVED:
            raise DbtError(f"dbt_options: {key!r} is set by the operator; use its own argument")
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(sorted(known))}"
            raise DbtError(f"dbt_options: dbt {' '.join(verb)} has no option {key!r}; {hint}")
        yield from _words(known[key], value)


def _options_of(verb: Sequence[str]) -> Mapping[str, Any]:
    """Return the options of a command by name, as click declares them."""
    from click import Option
    from dbt.cli.main import cli

    command: Any = cli
    for word in verb:
        command = command.commands[word]
    return {
        option.opts[0].strip("-").replace("-", "_"): option
        for option in command.params
        if isinstance(option, Option) and str(option.name) not in RESERVED
    }


def _words(option: Any, value: Any) -> Iterator[str]:
    if value is None:
        return
    if option.is_flag:
        names = option.opts if _is_true(option, value) else option.secondary_opts
        yield from names[:1]
        return
    for one in value if isinstance(value, list | tuple) else (value,):
        yield option.opts[0]
        yield _text(option, one)


def _text(option: Any, value: Any) -> str:
    from click import DateTime

    if isinstance(value, dict):
        return json.dumps(value, default=str)
    return _utc(option, value) if isinstance(option.type, DateTime) else str(value)


def _utc(option: Any, value: Any) -> str:
    """Return a time as dbt takes it: in UTC and without a zone."""
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip())
    except ValueError:
        raise DbtError(
            f"dbt_options: {option.name} is a time such as 2026-01-31T06:00:00+00:00, not {value!r:.60}"
        ) from None
    return f"{time.astimezone(UTC) if time.tzinfo else time:%Y-%m-%dT%H:%M:%S}"


def _is_true(option: Any, value: Any) -> bool:
    """Return a flag's value, which a template may have rendered as text."""
    text = str(value).strip().lower()
    if text not in {"true", "false"}:
        raise DbtError(f"dbt_options: {option.name} is a flag: true or false, not {value!r:.60}")
    return text == "true"
