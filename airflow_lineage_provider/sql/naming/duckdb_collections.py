"""Lists, structs, maps and lambdas as DuckDB prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.naming.duckdb_calls import call
from airflow_lineage_provider.sql.naming.duckdb_queries import query
from airflow_lineage_provider.sql.naming.tokens import Tokens, quoted

if TYPE_CHECKING:
    from collections.abc import Callable


def array(tokens: Tokens) -> str:
    """Read a list, or a list comprehension, after its opening bracket."""
    parts: list[str] = []
    while not tokens.accept("]"):
        if len(parts) == 1 and tokens.accept("for"):
            return _comprehension(tokens, parts[0])
        if parts:
            tokens.expect(",")
        parts.append(tokens.expression())
    return f"list_value({', '.join(parts)})"


def _comprehension(tokens: Tokens, made: str) -> str:
    name = quoted(tokens.take_name())
    tokens.expect("in")
    values = tokens.expression()
    condition = tokens.expression() if tokens.accept("if") else None
    tokens.expect("]")
    if condition is None:
        return f"list_apply({values}, (lambda {name}: {made}))"
    pairs = f'list_apply({values}, (lambda {name}: struct_pack("filter" := {condition}, result := {made})))'
    kept = f"list_filter({pairs}, (lambda elem: struct_extract(elem, 'filter')))"
    return f"list_apply({kept}, (lambda elem: struct_extract(elem, 'result')))"


def array_keyword(tokens: Tokens) -> str:
    """Read what follows ARRAY: a list or a query."""
    if tokens.accept("("):
        rows = "array_agg(#1)"
        empty = f"CASE  WHEN (({rows} IS NULL)) THEN (list_value()) ELSE {rows} END"
        return f"(SELECT {empty} FROM ({query(tokens)}))"  # noqa: S608 - a name, never run
    tokens.expect("[")
    return f"(ARRAY[{', '.join(tokens.expressions(']'))}])"


def struct(tokens: Tokens) -> str:
    """Read a struct after its opening brace."""
    pairs = [f"{quoted(key)} := {value}" for key, value in _pairs(tokens, Tokens.take)]
    return f"struct_pack({', '.join(pairs)})"


def map_value(tokens: Tokens) -> str:
    """Read what follows MAP."""
    if tokens.accept("("):
        return call(tokens, "map")
    tokens.expect("{")
    pairs = _pairs(tokens, Tokens.expression)
    keys, values = (", ".join(one[at] for one in pairs) for at in (0, 1))
    return f'"map"(list_value({keys}), list_value({values}))'


def _pairs(tokens: Tokens, read_key: Callable[[Tokens], str]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    while not tokens.accept("}"):
        if pairs:
            tokens.expect(",")
        key = read_key(tokens)
        tokens.expect(":")
        pairs.append((key, tokens.expression()))
    return pairs


def lambda_value(tokens: Tokens) -> str:
    """Read what follows LAMBDA."""
    names = [quoted(tokens.take_name())]
    while tokens.accept(","):
        names.append(quoted(tokens.take_name()))
    tokens.expect(":")
    return f"(lambda {', '.join(names)}: {tokens.expression()})"
