"""Keeps secrets out of events without changing the names that lineage is made of.

The event store masks every event that it stores, emitted or received. Names of jobs, datasets and fields, and
the keys of objects, stay as they are: a secret that happens to be part of a column's name must not break the
lineage of the column. Secrets of the forms in `secret_patterns` are masked in all text. Other secrets are
known by value, and `redact` replaces them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.events.secret_patterns import (
    COMMENT,
    HINTS,
    IN_COMMENT,
    MASK,
    PATTERNS,
    SECRET_NAME,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMES = frozenset({"namespace", "name", "field", "column", "runId", "eventTime", "eventType", "dialect"})
_NEVER_SECRET = frozenset({"eventTime", "eventType", "runId", "processingType", "integration"})
_SHORT = 256  # characters: names, types, URIs, which are the same in many events
_DIRECTORIES = frozenset({"PWD", "OLDPWD"})
_SHORTEST_SECRET = 6
_HINTS = tuple(hint.encode() for hint in HINTS)
_STRING = re.compile(r"'(?:[^'\n]|''){1,400}'")


def mask_event(event: Mapping[str, Any], redact: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Return the event without secrets; the given one is not changed.

    `redact` is applied to all text but names: Airflow's secrets masker, or `redact_values`.
    """
    if redact is None and not _may_hold_secrets(event):
        return dict(event)
    masked: dict[str, Any] = _mask(event, "", redact)
    return masked


def _may_hold_secrets(event: Mapping[str, Any]) -> bool:
    """Return whether a hint is anywhere in the event: much faster than to visit each of its values."""
    try:
        text = msgspec.json.encode(event, enc_hook=str).lower()
    except (UnicodeEncodeError, TypeError, RecursionError):
        return True
    return any(hint in text for hint in _HINTS)


def mask_text(text: str) -> str:
    """Return text with secrets of the known forms replaced by `***`."""
    return _mask_short(text) if len(text) <= _SHORT else _apply(text)


def secret_values(named: Mapping[str, object]) -> set[str]:
    """Return the values whose names say secret (`DB_PASSWORD`); a short one could be part of any word.

    A shell's `PWD` is the working directory.
    """
    return {
        value
        for name, value in named.items()
        if isinstance(value, str)
        and len(value) >= _SHORTEST_SECRET
        and SECRET_NAME.match(name)
        and name not in _DIRECTORIES
    }


def redact_values(secrets: set[str]) -> Callable[[str], str] | None:
    """Return a function that replaces these values in text; None without any."""
    if not secrets:
        return None
    longest_first = sorted(secrets, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return lambda text: pattern.sub(MASK, text)


def mask_event_literals(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event without the literals of its SQL, in the statement and in the error message."""
    facets = _mapping(_mapping(event.get("job")).get("facets"))
    sql, run_facets = _mapping(facets.get("sql")), _mapping(_mapping(event.get("run")).get("facets"))
    error = _mapping(run_facets.get("errorMessage"))
    masked = dict(event)
    query, dialect = sql.get("query"), sql.get("dialect")
    if isinstance(query, str):
        plain = sql | {"query": mask_literals(query, dialect)}
        masked["job"] = event["job"] | {"facets": facets | {"sql": plain}}
    if error:
        found = literals_of(query, dialect) if isinstance(query, str) else set()
        plain = {
            key: _mask_quoted(value, found) if key in {"message", "stackTrace"} else value
            for key, value in error.items()
        }
        masked["run"] = event["run"] | {"facets": run_facets | {"errorMessage": plain}}
    return masked


def mask_literals(sql: str, dialect: str | None = None) -> str:
    """Return a statement with `?` for each string and number; all of it masked if it cannot be read."""
    spans = _literal_spans(sql, dialect)
    if spans is None:
        return MASK
    parts, done = [], 0
    for start, end in spans:
        parts += [sql[done:start], "?"]
        done = end
    return "".join([*parts, sql[done:]])


def literals_of(sql: str, dialect: str | None = None) -> set[str]:
    """Return the strings and numbers of a statement, without their quotes."""
    return {sql[start:end].strip("'\"$") for start, end in _literal_spans(sql, dialect) or ()}


def _literal_spans(sql: str, dialect: str | None) -> list[tuple[int, int]] | None:
    import sqlglot
    from sqlglot.errors import SqlglotError

    literal = {kind for kind in sqlglot.TokenType if kind.name == "NUMBER" or kind.name.endswith("STRING")}
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except (SqlglotError, ValueError):
        return None
    return [(token.start, token.end + 1) for token in tokens if token.token_type in literal]


def _mask_quoted(text: Any, literals: set[str]) -> Any:
    if not isinstance(text, str):
        return text
    text = _STRING.sub("?", text)
    for literal in sorted((one for one in literals if len(one) > 1), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(literal)}(?!\w)", "?", text)
    return text


def _mask(value: Any, key: str, redact: Callable[[str], str] | None) -> Any:
    if isinstance(value, str):
        text = _mask_short(value) if len(value) <= _SHORT else _apply(value)
        return redact(text) if redact and key not in _NAMES else text
    if isinstance(value, dict):
        return _mask_object(value, redact)
    if isinstance(value, (list, tuple)):
        return [_mask(inner, key, redact) for inner in value]
    return value


def _mask_object(value: dict[Any, Any], redact: Callable[[str], str] | None) -> dict[Any, Any]:
    """Mask values under a secret's name, and beside one: {"name": "DB_PASSWORD", "value": "x"}."""
    masked = {
        name: inner if name in _NEVER_SECRET else _mask(inner, name, redact) for name, inner in value.items()
    }
    for name, inner in value.items():
        if _says_secret(name) and name not in _NAMES and _is_plain(inner):
            masked[name] = MASK
    label = value.get("name", value.get("key"))
    if isinstance(label, str) and _is_plain(value.get("value")) and _says_secret(label):
        masked["value"] = MASK
    return masked


def _is_plain(value: Any) -> bool:
    """Return whether a value can be a secret: an object under the name of a column is lineage."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(inner, str) for inner in value)
    return isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != ""


@lru_cache(maxsize=4096)
def _says_secret(name: Any) -> bool:
    return isinstance(name, str) and SECRET_NAME.match(name) is not None


@lru_cache(maxsize=4096)
def _mask_short(text: str) -> str:
    return _apply(text)


def _apply(text: str) -> str:
    lowered = text.lower()
    if any(hint in lowered for hint in HINTS):
        for pattern, replacement in PATTERNS:
            text = pattern.sub(replacement, text)
        text = COMMENT.sub(_mask_comment, text)
    return text


def _mask_comment(comment: re.Match[str]) -> str:
    return IN_COMMENT.sub(rf"\1{MASK}", comment[0])


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
