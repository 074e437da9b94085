"""Text to statements, within bounds: no input may take the process down or hold it up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot.errors import ParseError, SqlglotError, TokenError

from airflow_lineage_provider.sql.compat import Token, TokenType

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect

MOST_CHARACTERS = 1_000_000
DEEPEST = 150  # brackets, or CASE, within each other
LONGEST_RUN = 60  # of one prefix word or sign: NOT NOT NOT ...
MOST_JOINS = 500

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_BINARY = re.compile("[\x00-\x08\x0e-\x1f\ufffd]")
_OPEN = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSE = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_MAY_REPEAT = frozenset({TokenType.SEMICOLON, TokenType.COMMA, TokenType.STRING, TokenType.NUMBER})


class SqlError(ValueError):
    """The text is no SQL that can be analysed. One line; says where and why."""


def parse(sql: str, dialect: Dialect) -> list[exp.Expr]:
    """Return the statements of a text, comments and empty ones left out.

    Raises `SqlError` for text that is too long, too deep, binary, an uncompiled template, or no SQL.
    """
    _refuse_unreadable(sql)
    try:
        tokens = dialect.tokenize(sql)
        _refuse_uncompiled(sql)
        _refuse_deep(tokens)
        return [s for s in dialect.parser().parse(tokens, sql) if s is not None]
    except RecursionError:
        raise SqlError("the statement is nested too deeply to be parsed") from None
    except (TokenError, ParseError) as error:
        _refuse_uncompiled(sql)
        raise SqlError(_one_line(error)) from None
    except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
        if isinstance(error, SqlError):
            raise
        raise SqlError(f"the parser gave up: {_first_line(str(error))}") from None


def _refuse_unreadable(sql: str) -> None:
    if len(sql) > MOST_CHARACTERS:
        raise SqlError(f"the statement has {len(sql):,} characters; at most {MOST_CHARACTERS:,} are analysed")
    found = _BINARY.search(sql)
    if found is not None:
        raise SqlError(f"this is no text: character {found.start()} is {found.group()!r}")


def _refuse_uncompiled(sql: str) -> None:
    if _TEMPLATE.search(sql) is None:
        return
    bare = re.sub(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL)
    found = _TEMPLATE.search(bare)
    if found is not None:
        line = bare.count("\n", 0, found.start()) + 1
        raise SqlError(f"line {line}: {found.group()} is a template: compile it first (dbt compile)")


def _refuse_deep(tokens: list[Token]) -> None:
    depth = joins = run = 0
    before = None
    for token in tokens:
        kind = token.token_type
        if kind in _OPEN:
            depth += 1
            if depth > DEEPEST:
                raise SqlError(f"line {token.line}: nested more than {DEEPEST} levels deep")
        elif kind in _CLOSE:
            depth = max(depth - 1, 0)
        elif kind is TokenType.JOIN:
            joins += 1
            if joins > MOST_JOINS:
                raise SqlError(f"line {token.line}: more than {MOST_JOINS} joins")
        elif kind is TokenType.SEMICOLON:
            joins = 0
        run = run + 1 if kind is before and kind not in _MAY_REPEAT else 0
        before = kind
        if run > LONGEST_RUN:
            raise SqlError(
                f"line {token.line}: {token.text!r} is repeated more than {LONGEST_RUN} times in a row"
            )


def _one_line(error: TokenError | ParseError) -> str:
    details = getattr(error, "errors", None)
    if details:
        first = details[0]
        near = " ".join(f"{first.get('highlight') or ''}".split())[:60]
        reason = _first_line(first.get("description") or str(error))
        return f"line {first.get('line')}, column {first.get('col')}: {reason} at {near!r}"
    return _first_line(str(error))


def _first_line(text: str) -> str:
    plain = re.sub(r"\x1b\[\d*m", "", text)
    return plain.strip().splitlines()[0][:200] if plain.strip() else "unknown error"
