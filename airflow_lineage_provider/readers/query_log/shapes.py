"""The shape of a statement: its text without literals and comments, so that equal work is analysed once."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

_LONGEST_COMMENT = 4_000
_LONGEST_NODE = 300
_SHOWN = 100
# In these a backslash escapes a quote, and in the second set "..." is a string too.
_BACKSLASH = frozenset({"snowflake", "bigquery", "mysql", "databricks", "spark", "hive", "clickhouse"})
_DOUBLE_QUOTED = frozenset({"bigquery", "mysql", "databricks", "spark", "hive"})
_FILE_WORDS = ("from", "join", "copy", "to", "into", "read_csv", "read_parquet", "read_json", "parquet_scan")
_LISTS = re.compile(r"\?(?:\s*,\s*\?)+")
_ROWS = re.compile(r"(?:\(\?\)\s*,\s*)+\(\?\)")
_PARAMETER = re.compile(r"\$\d+\b(?!\$)")
_NUMBERED = re.compile(r"(__dbt_(?:tmp|backup))_?\d+")


class Shape(NamedTuple):
    """`text` has `?` for each literal, except for names of files; `node` is dbt's id of the node."""

    text: str
    node: str


def shape_of(sql: str, dialect: str) -> Shape:
    """Return the shape of a statement. An unclosed literal or comment extends to the end of the text."""
    return _shape(sql, dialect, keep_files="'" in sql)


def shown(sql: str, dialect: str) -> str:
    """Return the start of a statement in one line, without literals and comments."""
    text = _shape(sql[: 20 * _SHOWN], dialect, keep_files=False).text
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _shape(sql: str, dialect: str, *, keep_files: bool) -> Shape:
    node = ""
    is_string = dialect in _DOUBLE_QUOTED

    def replaced(found: re.Match[str]) -> str:
        nonlocal node
        text = found[0]
        first = text[0]
        if first == "'":
            return text if keep_files and _names_file(sql, found.start()) else "?"
        if first == "`" or (first == '"' and not is_string):
            return text
        if first == "-" or text.startswith("/*"):
            if not node and '"app"' in text:
                node = _dbt_node(text)
            return " "
        return "?"

    text = " ".join(_pattern(dialect).sub(replaced, sql).split())
    if "?," in text or "? ," in text:
        text = _LISTS.sub("?", text)
    if "?)," in text or "?) ," in text:
        text = _ROWS.sub("(?)", text)
    return Shape(text, node)


def _names_file(sql: str, start: int) -> bool:
    """Whether the literal that starts here is where SQL has the name of a file: COPY t FROM 's3://...'."""
    before = sql[max(0, start - 40) : start].rstrip(" \t\r\n[(").lower()
    word = before[-20:].split()
    return bool(word) and word[-1].rpartition("(")[2].endswith(_FILE_WORDS)


def prepared(sql: str) -> str:
    """Return the statement as it is analysed.

    dbt's intermediate tables, which have a new number each run, get one name; a blank after each parameter
    keeps `$1,$2` from being read as the start of a dollar-quoted string.
    """
    if "__dbt_" in sql:
        sql = _NUMBERED.sub(r"\1", sql)
    return _PARAMETER.sub(r"\g<0> ", sql) if "$1" in sql else sql


@lru_cache(maxsize=64)
def _pattern(dialect: str) -> re.Pattern[str]:
    escaped = r"(?:[^'\\]|\\.|'')*" if dialect in _BACKSLASH else r"[^']*(?:''[^']*)*"
    return re.compile(
        r"(?=['\"`$\-/\d.eE])(?:"  # most characters start none of these
        rf"'{escaped}(?:'|\Z)"
        r'|"[^"]*(?:""[^"]*)*(?:"|\Z)|`[^`]*(?:`|\Z)'
        r"|\b[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)"
        r"|--[^\n]*|/\*.*?(?:\*/|\Z)"
        r"|(?<![\w$.])\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?"
        r"|\$(?P<tag>[A-Za-z_]?\w*)\$.*?(?:\$(?P=tag)\$|\Z))",
        re.DOTALL,
    )


def _dbt_node(comment: str) -> str:
    """Return the node's id in dbt's query comment; empty where it has none, as for dbt's own queries."""
    body = comment[2:].removesuffix("*/").strip()
    if len(body) > _LONGEST_COMMENT or not body.startswith("{"):
        return ""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict) or found.get("app") != "dbt":
        return ""
    node = found.get("node_id")
    return node if isinstance(node, str) and len(node) <= _LONGEST_NODE else ""
