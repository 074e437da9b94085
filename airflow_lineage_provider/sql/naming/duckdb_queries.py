"""Scalar subqueries as DuckDB prints them: tables, subqueries and joins with a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.naming.duckdb_calls import order_items
from airflow_lineage_provider.sql.naming.tokens import quoted

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.naming.tokens import Tokens

_CLAUSES = {
    "where": "WHERE",
    "group by": "GROUP BY",
    "having": "HAVING",
    "order by": "ORDER BY",
    "limit": "LIMIT",
}

_AFTER_TABLE = frozenset(
    {*_CLAUSES, "on", "join", "inner", "left", "right", "full", "using", "union", "cross"}
)


def query(tokens: Tokens) -> str:
    """Read a query and its closing bracket. Raises `UnknownNameError` for a query of another form."""
    tokens.expect("select")
    distinct = "DISTINCT " * tokens.accept("distinct")
    parts = [f"SELECT {distinct}{_items(tokens)}"]
    if tokens.accept("from"):
        parts.append(f"FROM {_tables(tokens)}")
    for word, clause in _CLAUSES.items():
        if tokens.accept(word):
            inside = order_items(tokens) if word == "order by" else _expressions(tokens)
            parts.append(f"{clause} {inside}")
    tokens.expect(")")
    return " ".join(parts)


def _items(tokens: Tokens) -> str:
    parts = []
    while True:
        text = "*" if tokens.accept("*") else tokens.expression()
        parts.append(text + _alias(tokens, frozenset({"from"})))
        if not tokens.accept(","):
            return ", ".join(parts)


def _tables(tokens: Tokens) -> str:
    text = _table(tokens)
    while (kind := _join(tokens)) is not None:
        text = f"{text} {kind} JOIN {_table(tokens)}"
        tokens.expect("on")
        text = f"({text} ON ({tokens.expression()}))"
    return text


def _join(tokens: Tokens) -> str | None:
    """Read the words of a join with a condition."""
    for kind in ("inner", "left", "right", "full"):
        if tokens.accept(kind):
            tokens.accept("outer")
            tokens.expect("join")
            return kind.upper()
    return "INNER" if tokens.accept("join") else None


def _table(tokens: Tokens) -> str:
    if tokens.accept("("):
        return f"({query(tokens)}){_alias(tokens, _AFTER_TABLE)}"
    names = [quoted(tokens.take_name())]
    while tokens.accept("."):
        names.append(quoted(tokens.take_name()))
    return ".".join(names) + _alias(tokens, _AFTER_TABLE)


def _alias(tokens: Tokens, after: frozenset[str]) -> str:
    if tokens.accept("as") or tokens.word() not in {*after, ",", ")", ""}:
        return f" AS {quoted(tokens.take_name())}"
    return ""


def _expressions(tokens: Tokens) -> str:
    parts = [tokens.expression()]
    while tokens.accept(","):
        parts.append(tokens.expression())
    return ", ".join(parts)
