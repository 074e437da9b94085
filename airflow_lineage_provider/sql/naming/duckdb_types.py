"""Types, and literals with a type or a unit, as DuckDB prints them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.sql.compat import TokenType
from airflow_lineage_provider.sql.naming.duckdb_words import PLURALS, TYPES, UNITS
from airflow_lineage_provider.sql.naming.tokens import quoted, string

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.naming.tokens import Tokens

_UNQUOTED = frozenset({"text", "double", "enum"})  # keywords that are printed plain as types


def type_name(tokens: Tokens) -> str:
    """Read a type."""
    if tokens.word() in {"struct", "map", "union"} and tokens.word(1) == "(":
        text = _nested(tokens)
    else:
        text = _plain(tokens)
    while tokens.accept("["):
        size = "" if tokens.word() == "]" else tokens.take_source()
        tokens.expect("]")
        text = f"{text}[{size}]"
    return text


def _nested(tokens: Tokens) -> str:
    kind = tokens.take_word()
    tokens.skip()
    parts = []
    while True:
        name = "" if kind == "map" else f"{quoted(tokens.take_name())} "
        parts.append(f"{name}{type_name(tokens)}")
        if tokens.accept(")"):
            return f"{kind.upper()}({', '.join(parts)})"
        tokens.expect(",")


def _plain(tokens: Tokens) -> str:
    for length in (4, 2, 1):
        words = " ".join(tokens.word(ahead) for ahead in range(length))
        if words in TYPES:
            tokens.skip(length)
            return f"{TYPES[words]}{_arguments(tokens)}"
    name = tokens.take_name()
    return (name if name.lower() in _UNQUOTED else quoted(name)) + _arguments(tokens)


def _arguments(tokens: Tokens) -> str:
    return f"({', '.join(tokens.expressions(')'))})" if tokens.accept("(") else ""


def typed_literal(tokens: Tokens) -> str:
    """Read `date '2020-01-01'`."""
    kind = type_name(tokens)
    return f"CAST({string(tokens.take())} AS {kind})"


def interval(tokens: Tokens) -> str:
    """Read what follows INTERVAL: `1 day`, `(a + 1) day`, `'1 day'`."""
    if tokens.accept("("):
        value = tokens.expression()
        tokens.expect(")")
    elif tokens.kind() is TokenType.STRING:
        value = string(tokens.take())
    else:
        value = tokens.take_source()
    unit = PLURALS.get(tokens.word(), tokens.word())
    if unit not in UNITS:
        return f"CAST({value} AS INTERVAL)"
    tokens.skip()
    plural = next(many for many, one in PLURALS.items() if one == unit)
    number = f"CAST({value} AS DOUBLE)"
    return f"to_{plural}({number if UNITS[unit] == 'DOUBLE' else f'CAST(trunc({number}) AS {UNITS[unit]})'})"


def extract(tokens: Tokens) -> str:
    """Read what follows EXTRACT."""
    tokens.expect("(")
    unit = PLURALS.get(tokens.word(), tokens.word())
    text = tokens.take()
    tokens.expect("from")
    value = tokens.expression()
    tokens.expect(")")
    return f"date_part({string(unit.upper() if unit in UNITS else text)}, {value})"


def cast(tokens: Tokens) -> str:
    """Read what follows CAST, from its opening bracket."""
    tokens.expect("(")
    value = tokens.expression()
    tokens.expect("as")
    kind = type_name(tokens)
    tokens.expect(")")
    return f"CAST({value} AS {kind})"
