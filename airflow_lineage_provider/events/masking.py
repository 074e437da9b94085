"""Keeps secrets out of events without touching the names that lineage is made of.

Names of jobs, datasets and fields, and the keys of every object, stay as they are: a secret that
happens to be part of a column's name must not break the lineage of the column. In all text, the
credentials of URIs, bearer tokens and private keys go; what else is secret, the caller's `redact` says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MASK = "***"

_NAMES = frozenset({"namespace", "name", "field", "column", "runId", "eventTime", "eventType", "dialect"})
_TELLTALE = (
    "(?:token|passw(?:or)?d|pwd|secret|signature|sig|credentials?"
    "|api[_-]?key|access[_-]?key|private[_-]?key|authorization)"
)
_SECRET_NAME = re.compile(rf"{_TELLTALE}$", re.IGNORECASE)
_IN_TEXT = (
    # a password between the user and the host
    (re.compile(r"(://[^\s/:@'\"]*):[^\s/@'\"]+@"), rf"\1:{MASK}@"),
    # a token in the place of the user, as in https://token@github.com
    (re.compile(r"(\bhttps?://)[^\s/:@'\"]+@", re.IGNORECASE), rf"\1{MASK}@"),
    # a query's or a DSN's parameter: ?motherduck_token=..., &sig=..., ;PWD=...
    (re.compile(rf"([?&;][\w.-]*{_TELLTALE})=[^&;\s'\")]+", re.IGNORECASE), rf"\1={MASK}"),
    (re.compile(r"\b(Bearer|Basic) +[A-Za-z0-9._~+/-]{8,}=*"), rf"\1 {MASK}"),
    (re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|$)", re.DOTALL), MASK),
)
_HINT = re.compile(r"://|[?&;]|Bearer|Basic|-----BEGIN")


def mask_event(
    event: Mapping[str, Any],
    redact: Callable[[str], str] | None = None,
    *,
    literals: bool = False,
) -> dict[str, Any]:
    """Return the event without secrets; the one that is given stays as it is.

    `redact` is applied to all text but names; Airflow's secrets masker is meant. With `literals`,
    the literals of the `sql` facet go too.
    """
    masked: dict[str, Any] = _mask(event, "", redact)
    facets = masked.get("job", {}).get("facets") or {} if isinstance(masked.get("job"), dict) else {}
    sql = facets.get("sql") if isinstance(facets, dict) else None
    if literals and isinstance(sql, dict) and isinstance(sql.get("query"), str):
        sql["query"] = mask_literals(sql["query"], sql.get("dialect"))
    return masked


def mask_text(text: str) -> str:
    """Return text without the credentials of URIs, bearer tokens and private keys."""
    if _HINT.search(text):
        for pattern, replacement in _IN_TEXT:
            text = pattern.sub(replacement, text)
    return text


def mask_literals(sql: str, dialect: str | None = None) -> str:
    """Return a statement with `?` for each string and number; all of it masked where it cannot be read."""
    import sqlglot
    from sqlglot.errors import SqlglotError

    literal = {kind for kind in sqlglot.TokenType if kind.name == "NUMBER" or kind.name.endswith("STRING")}
    try:
        tokens = sqlglot.tokenize(sql, read=dialect)
    except (SqlglotError, ValueError):
        return MASK
    parts, done = [], 0
    for token in tokens:
        if token.token_type in literal:
            parts += [sql[done : token.start], "?"]
            done = token.end + 1
    return "".join([*parts, sql[done:]])


def _mask(value: Any, key: str, redact: Callable[[str], str] | None) -> Any:
    if isinstance(value, str):
        text = mask_text(value)
        return redact(text) if redact and key not in _NAMES else text
    if isinstance(value, dict):
        label = value.get("name", value.get("key"))
        secret = isinstance(label, str) and isinstance(value.get("value"), str) and _SECRET_NAME.search(label)
        return {
            name: MASK if secret and name == "value" else _mask(inner, name, redact)
            for name, inner in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_mask(inner, key, redact) for inner in value]
    return value
