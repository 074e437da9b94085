"""Scalar subqueries as DuckDB prints them: one table, no joins."""

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


def query(tokens: Tokens) -> str:
    """Read a query and its closing bracket. Raises `UnknownNameError` for a query of another form."""
    tokens.expect("select")
    distinct = "DISTINCT " * tokens.accept("distinct")
    parts = [f"SELECT {distinct}{_items(tokens)}"]
    if tokens.accept("from"):
        parts.append(f"FROM {_table(tokens)}")
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
        parts.append(text + _alias(tokens, {"from"}))
        if not tokens.accept(","):
            return ", ".join(parts)


def _table(tokens: Tokens) -> str:
    names = [quoted(tokens.take_name())]
    while tokens.accept("."):
        names.append(quoted(tokens.take_name()))
    return ".".join(names) + _alias(tokens, set(_CLAUSES))


def _alias(tokens: Tokens, clauses: set[str]) -> str:
    if tokens.accept("as") or tokens.word() not in {*clauses, ",", ")", ""}:
        return f" AS {quoted(tokens.take_name())}"
    return ""


def _expressions(tokens: Tokens) -> str:
    parts = [tokens.expression()]
    while tokens.accept(","):
        parts.append(tokens.expression())
    return ", ".join(parts)
