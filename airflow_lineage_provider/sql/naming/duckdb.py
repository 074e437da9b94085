"""DuckDB's names of select items without an alias: the expression as the engine prints it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from airflow_lineage_provider.sql.compat import TokenType
from airflow_lineage_provider.sql.naming.duckdb_calls import call
from airflow_lineage_provider.sql.naming.duckdb_collections import (
    array,
    array_keyword,
    lambda_value,
    map_value,
    struct,
)
from airflow_lineage_provider.sql.naming.duckdb_queries import query
from airflow_lineage_provider.sql.naming.duckdb_types import cast, extract, interval, type_name, typed_literal
from airflow_lineage_provider.sql.naming.tokens import RANGE, Tokens, UnknownNameError, quoted, string

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Binding powers: a higher one binds tighter.
_ARROW, _OR, _AND, _NOT, _IS, _COMPARISON = range(1, RANGE)
_OTHER, _SUM, _PRODUCT, _POWER, _ZONE, _UNARY, _POSTFIX = range(RANGE + 1, RANGE + 8)
_OPERATORS = {
    **dict.fromkeys(("=", "==", "<", ">", "<=", ">=", "<>", "!="), _COMPARISON),
    **dict.fromkeys(("||", "&", "|", "<<", ">>", "->>", "~", "!~", "^@", "@>", "<@", "&&"), _OTHER),
    "->": _ARROW,
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "//": _PRODUCT,
    "%": _PRODUCT,
    "^": _POWER,
    "**": _POWER,
    "::": _POSTFIX,
    "[": _POSTFIX,
    ".": _POSTFIX,
    "and": _AND,
    "or": _OR,
    "is": _IS,
    "isnull": _IS,
    "notnull": _IS,
    "at": _ZONE,
    **dict.fromkeys(("in", "between", "like", "ilike", "glob", "similar to", "not"), RANGE),
}
_SPELLED = {"==": "=", "<>": "!="}
_PAIRS = frozenset({"<<", ">>", "!~"})  # two tokens
_NEGATED = frozenset({"in", "between", "like", "ilike", "glob", "similar to"})
_LIKE = {"like": "~~", "ilike": "~~*", "glob": "~~~"}
_UNTYPED = {
    "current_date",
    "current_timestamp",
    "current_time",
    "localtime",
    "localtimestamp",
    "current_user",
}
_PATH = re.compile(r'(?!\d)(\w+|"[^"]+")(\.(\w+|"[^"]+"))*')
_OVER = re.compile(r"\bover\s+(\w+)", re.IGNORECASE)
_LITERAL_TYPES = frozenset({"date", "timestamp", "time", "timestamptz", "json"})
_OPPOSITE = {"=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


class _Name(NamedTuple):
    """A printed expression, with the operands where it is an AND or OR: chains of one are printed flat."""

    text: str
    joined: tuple[str, ...] = ()
    operator: str = ""
    enclosed: bool = False  # in parentheses, which are not printed


def duckdb_name(text: str, windows: Mapping[str, str]) -> str | None:
    """Return the name of a select item by its source text; None where it is not known.

    `windows` are the definitions of the WINDOW clause, in parentheses, by name in lower case.
    """
    if windows:
        text = _OVER.sub(lambda found: f"over {windows.get(found[1].lower(), found[1])}", text)
    try:
        tokens = Tokens(text, Dialect.get_or_raise("duckdb").tokenize(text), expression)
        name = tokens.expression()
        tokens.expect_end()
    except (SqlglotError, UnknownNameError, RecursionError):
        return None
    return name


def expression(tokens: Tokens, power: int = 0) -> str:
    """Read an expression whose operators bind tighter than `power`, and return it as printed."""
    return _expression(tokens, power).text


def _expression(tokens: Tokens, power: int) -> _Name:
    left = _prefix(tokens)
    while True:
        pair = tokens.word() + tokens.word(1)
        operator = pair if pair in _PAIRS else tokens.word()
        binds = _OPERATORS.get(operator, 0)
        if binds <= power or (operator == "not" and tokens.word(1) not in _NEGATED):
            return left
        tokens.skip(2 if operator in _PAIRS else 1)
        left = _infix(tokens, left, operator, binds)


def _infix(tokens: Tokens, left: _Name, operator: str, binds: int) -> _Name:
    if operator in {"and", "or"}:
        return _chain(left, operator, _expression(tokens, binds))
    if operator == ".":
        return _Name(_member(tokens, left))
    if binds == RANGE:
        return _Name(_range(tokens, left.text, operator))
    special = _INFIX.get(operator)
    if special is not None:
        return _Name(special(tokens, left.text))
    return _Name(_binary(tokens, left.text, _SPELLED.get(operator, operator), binds))


def _chain(left: _Name, operator: str, right: _Name) -> _Name:
    parts: list[str] = []
    for one in (left, right):
        parts += one.joined if one.operator == operator else (one.text,)
    return _Name(f"({f' {operator.upper()} '.join(parts)})", tuple(parts), operator)


def _binary(tokens: Tokens, left: str, operator: str, binds: int) -> str:
    if binds == _COMPARISON and tokens.accept("all"):
        return _all(tokens, left, operator)
    right = expression(tokens, binds)
    if operator in {"~", "!~"}:
        matches = f"regexp_matches({left}, {right})"
        return matches if operator == "~" else f"(NOT {matches})"
    return f"({left} {operator} {right})"


def _all(tokens: Tokens, left: str, operator: str) -> str:
    tokens.expect("(")
    return f"(NOT ({left} {_OPPOSITE[operator]} ANY({query(tokens)})))"


def _range(tokens: Tokens, left: str, operator: str) -> str:
    negated = operator == "not"
    if negated:
        operator = tokens.take_word()
    if operator == "in":
        text = _in(tokens, left)
    elif operator == "between":
        low = expression(tokens, RANGE)
        tokens.expect("and")
        text = f"({left} BETWEEN {low} AND {expression(tokens, RANGE)})"
    elif operator == "similar to":
        text = f"regexp_full_match({left}, {expression(tokens, RANGE)})"
    else:
        pattern = expression(tokens, RANGE)
        if tokens.accept("escape"):
            text = f"{operator}_escape({left}, {pattern}, {expression(tokens, RANGE)})"
        elif negated and operator != "glob":
            return f"({left} !{_LIKE[operator]} {pattern})"
        else:
            text = f"({left} {_LIKE[operator]} {pattern})"
    return f"(NOT {text})" if negated else text


def _in(tokens: Tokens, left: str) -> str:
    if not tokens.accept("("):
        return f"contains({expression(tokens, RANGE)}, {left})"
    if tokens.at_query():
        return f"({left} = ANY({query(tokens)}))"
    return f"({left} IN ({', '.join(tokens.expressions(')'))}))"


def _is(tokens: Tokens, left: str) -> str:
    negated = tokens.accept("not")
    word = tokens.take_word()
    if word == "null":
        return f"({left} IS {'NOT ' * negated}NULL)"
    if word == "distinct":
        tokens.expect("from")
        return f"({left} IS {'NOT ' * negated}DISTINCT FROM {expression(tokens, _IS)})"
    if word in {"true", "false"}:
        return f"(CAST({left} AS BOOLEAN) IS {'NOT ' * (not negated)}DISTINCT FROM {word})"
    raise UnknownNameError


def _at_time_zone(tokens: Tokens, left: str) -> str:
    tokens.expect("time")
    tokens.expect("zone")
    return f"timezone({expression(tokens, _ZONE)}, {left})"


def _cast(tokens: Tokens, left: str) -> str:
    return f"CAST({left} AS {type_name(tokens)})"


def _subscript(tokens: Tokens, left: str) -> str:
    low = "" if tokens.word() == ":" else expression(tokens)
    if tokens.accept(":"):
        high = "" if tokens.word() == "]" else expression(tokens)
        low = f"{low}:{high}"
    tokens.expect("]")
    return f"{left}[{low}]"


def _member(tokens: Tokens, left: _Name) -> str:
    if tokens.accept("*"):
        return f"{left.text}.*"
    name = tokens.take_name()
    path = not left.enclosed and _PATH.fullmatch(left.text) is not None
    if tokens.accept("("):
        return f"{left.text}.{call(tokens, name)}" if path else _method(tokens, left.text, name)
    return f"{left.text if path else f'({left.text})'}.{quoted(name)}"


def _method(tokens: Tokens, left: str, name: str) -> str:
    """Read `left.name(...)` after its bracket, where `left` is not a column: it is printed as a call."""
    function, arguments = call(tokens, name).split("(", 1)
    return f"{function}({left}{'' if arguments.startswith(')') else ', '}{arguments}"


_INFIX: dict[str, Callable[[Tokens, str], str]] = {
    "is": _is,
    "isnull": lambda _, left: f"({left} IS NULL)",
    "notnull": lambda _, left: f"({left} IS NOT NULL)",
    "at": _at_time_zone,
    "::": _cast,
    "[": _subscript,
}


def _prefix(tokens: Tokens) -> _Name:
    if tokens.accept("("):
        return _parenthesised(tokens)
    return _Name(_operand(tokens))


def _parenthesised(tokens: Tokens) -> _Name:
    if tokens.at_query():
        return _Name(f"({query(tokens)})")
    inner = _expression(tokens, 0)
    if tokens.accept(")"):
        return inner._replace(enclosed=True)
    tokens.expect(",")
    return _Name(f'"row"({", ".join([inner.text, *tokens.expressions(")")])})')


def _operand(tokens: Tokens) -> str:
    word = tokens.word()
    kind = tokens.kind()
    if kind in {TokenType.STRING, TokenType.BYTE_STRING}:
        return string(tokens.take())
    if kind is TokenType.NUMBER or (word == "." and tokens.kind(1) is TokenType.NUMBER):
        return _number(tokens)
    special = _PREFIX.get(word)
    if special is not None and (word not in _CALLED or tokens.word(1) == "("):
        tokens.skip()
        return special(tokens)
    if tokens.kind(1) is TokenType.STRING and word in _LITERAL_TYPES:
        return typed_literal(tokens)
    if word in _UNTYPED and tokens.word(1) != "(":
        return tokens.take_source()
    name = tokens.take_name()
    return call(tokens, name) if tokens.accept("(") else quoted(name)


def _number(tokens: Tokens) -> str:
    return "." * tokens.accept(".") + tokens.take_source()


def _not(tokens: Tokens) -> str:
    return f"(NOT {expression(tokens, _NOT)})"


def _unary(operator: str) -> Callable[[Tokens], str]:
    def read(tokens: Tokens) -> str:
        if operator == "-" and tokens.kind() is TokenType.NUMBER and tokens.word(1) not in {"::", "[", "."}:
            return f"-{expression(tokens, _UNARY)}"
        return f"({operator}({expression(tokens, _UNARY)}))"

    return read


def _case(tokens: Tokens) -> str:
    subject = None if tokens.word() == "when" else expression(tokens)
    parts = []
    while tokens.accept("when"):
        condition = expression(tokens)
        condition = condition if subject is None else f"({subject} = {condition})"
        tokens.expect("then")
        parts.append(f"WHEN ({condition}) THEN ({expression(tokens)})")
    otherwise = expression(tokens) if tokens.accept("else") else "NULL"
    tokens.expect("end")
    return f"CASE  {' '.join(parts)} ELSE {otherwise} END"


def _exists(tokens: Tokens) -> str:
    tokens.expect("(")
    return f"EXISTS({query(tokens)})"


def _any(tokens: Tokens) -> str:
    tokens.expect("(")
    if tokens.at_query():
        return f"ANY({query(tokens)})"
    values = tokens.expression()
    tokens.expect(")")
    return f"ANY(SELECT unnest({values}))"


def _try_cast(tokens: Tokens) -> str:
    return f"TRY_{cast(tokens)}"


_PREFIX: dict[str, Callable[[Tokens], str]] = {
    "not": _not,
    "-": _unary("-"),
    "+": _unary("+"),
    "~": _unary("~"),
    "@": _unary("@"),
    "case": _case,
    "cast": cast,
    "try_cast": _try_cast,
    "interval": interval,
    "extract": extract,
    "[": array,
    "array": array_keyword,
    "{": struct,
    "map": map_value,
    "exists": _exists,
    "any": _any,
    "lambda": lambda_value,
    "true": lambda _: "true",
    "false": lambda _: "false",
    "null": lambda _: "NULL",
}
_CALLED = frozenset({"cast", "try_cast", "extract", "exists", "any"})  # names elsewhere
