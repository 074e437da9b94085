"""Rewrites of SQL that the parser does not support: clauses without lineage, DuckDB's method calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_lineage_provider.sql.source_text import keep_source_text

if TYPE_CHECKING:
    from sqlglot.dialects.dialect import Dialect

_NO_LINEAGE = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), replacement)
    for pattern, replacement in (
        # Postgres
        (r"\bON\s+COMMIT\s+(DROP|DELETE\s+ROWS|PRESERVE\s+ROWS)\b", ""),
        (r"\bWITH\s+(NO\s+)?DATA\s*;?\s*$", ""),
        (r"\bTABLESPACE\s+\w+", ""),
        (r"^CREATE\s+UNLOGGED\s", "CREATE "),
        # MySQL: REPLACE deletes the old row and inserts
        (r"^REPLACE\s+(LOW_PRIORITY\s+|DELAYED\s+)?(INTO\s+)?", "INSERT INTO "),
        # Databricks, Oracle
        (r"^MERGE\s+WITH\s+SCHEMA\s+EVOLUTION\b", "MERGE"),
        (r"(?<=\s)DELETE\s+WHERE\b(?:(?!\bWHEN\b).)*(?=\bWHEN\b|$)", ""),
        # T-SQL
        (r"^((BEGIN|END)\s+(TRY|CATCH)\b\s*)+(BEGIN\s+TRAN\w*\s*)?", ""),
        # BigQuery's and Snowflake's scripts: the beginning of a block
        (r"^IF\b.*?\bTHEN\s+", ""),
        (r"^(BEGIN|ELSE|LOOP|DO)\s+", ""),
    )
)
_METHOD_CALL = re.compile(r"\.\s*\w+\s*\(")
_SCHEMAS = frozenset({"main", "system", "temp", "pg_catalog", "information_schema"})  # of DuckDB
_UNLOAD = re.compile(r"^UNLOAD\s*\(\s*'((?:[^']|'')*)'\s*\)\s*TO\s*'([^']+)'", re.IGNORECASE | re.DOTALL)


def with_function_calls(statement: exp.Expr, sql: str, dialect: Dialect) -> exp.Expr:
    """Return the statement with DuckDB's `x.f(y)` as `f(x, y)`, unless x is a schema.

    The parser turns the columns of x into bare identifiers, so the call is generated and parsed again.
    """
    if type(dialect).__name__ != "DuckDB" or _METHOD_CALL.search(sql) is None:
        return statement
    trees = [statement]
    while trees:
        for dot in [node for node in trees.pop().walk(prune=_is_method_call) if _is_method_call(node)]:
            parsed = _parsed(f"SELECT {_nested_calls(dot, dialect)}", dialect)
            if isinstance(parsed, exp.Select):
                for identifier in parsed.find_all(exp.Identifier):
                    identifier.meta.pop("line", None)
                trees.append(parsed.expressions[0])
                keep_source_text(dot, parsed.expressions[0])
                dot.replace(parsed.expressions[0])
    return statement


def _is_method_call(node: exp.Expr) -> bool:
    if not isinstance(node, exp.Dot) or not isinstance(node.expression, exp.Anonymous):
        return False
    return not isinstance(node.this, exp.Identifier) or node.this.name not in _SCHEMAS


def _nested_calls(node: exp.Expr, dialect: Dialect) -> str:
    """Return `g(f(x), y)` for `x.f().g(y)`."""
    calls = []
    while _is_method_call(node):
        calls.append(node.expression)
        node = node.this
    text = node.sql(dialect)
    for call in reversed(calls):
        text = f"{call.name}({', '.join([text, *(one.sql(dialect) for one in call.expressions)])})"
    return text


def reparsed(statement: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Return the statement; an unsupported one is parsed again without such clauses where that works."""
    if not isinstance(statement, exp.Command):
        return statement
    rest = statement.args.get("expression")
    text = f"{statement.name} {(rest.name if isinstance(rest, exp.Expr) else str(rest or '')).strip()}"
    unload = _UNLOAD.match(text)
    if unload is not None:
        query = _parsed(unload[1].replace("''", "'"), dialect)
        if isinstance(query, exp.Query):
            return exp.Copy(this=query.subquery(), kind=False, files=[exp.Literal.string(unload[2])])
    return simplified(text, dialect) or statement


def simplified(text: str, dialect: Dialect) -> exp.Expr | None:
    """Return the statement parsed without such clauses; None where it has none, or still fails to parse."""
    changed = text
    for pattern, replacement in _NO_LINEAGE:
        changed = pattern.sub(replacement, changed)
    return _parsed(changed, dialect) if changed != text else None


def _parsed(text: str, dialect: Dialect) -> exp.Expr | None:
    try:
        found = [one for one in dialect.parse(text) if one is not None]
    except (SqlglotError, RecursionError):
        return None
    return found[0] if len(found) == 1 else None
