"""Limits on input, checked before parsing, so that no text can exhaust time, memory or the stack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.sql.compat import TokenType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.sql.compat import Token

MOST_CHARACTERS = 1_000_000
DEEPEST = 150  # brackets, or CASE, within each other
LONGEST_RUN = 60  # of one word or sign: NOT NOT NOT ...
MOST_JOINS = 500  # in one statement
MOST_STATEMENTS = 10_000  # in one script
MOST_STAR_COLUMNS = 500_000  # of all stars in one script
MOST_RECURSIVE_EDGES = 2_000_000  # over all iterations of a recursive query
MOST_EXPANSIONS = 40_000  # of columns by their definitions, in one script

_TEMPLATE = re.compile(r"\{\{|\{%|\{#")
_LITERALS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_BINARY = re.compile("[\x00-\x08\x0e-\x1f\ufffd]")
_OPEN = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE})
_CLOSE = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END})
_MAY_REPEAT = _OPEN | _CLOSE | {TokenType.SEMICOLON, TokenType.COMMA, TokenType.STRING}


class SqlError(LineageError):
    """The text is not SQL that can be analysed; the message says where and why."""


def refuse_unreadable(sql: str) -> None:
    """Raise `SqlError` for binary data, or text that is too long."""
    if len(sql) > MOST_CHARACTERS:
        raise SqlError(f"the statement has {len(sql):,} characters; at most {MOST_CHARACTERS:,} are analysed")
    found = _BINARY.search(sql)
    if found is not None:
        raise SqlError(f"not text: character {found.start()} is {found.group()!r}")


def refuse_uncompiled(sql: str) -> None:
    """Raise `SqlError` for a Jinja template. Braces in literals and comments are ignored."""
    if _TEMPLATE.search(sql) is None:
        return
    bare = _LITERALS.sub(lambda found: "\n" * found.group().count("\n"), sql)
    found = _TEMPLATE.search(bare)
    if found is not None:
        line = bare.count("\n", 0, found.start()) + 1
        raise SqlError(f"line {line}: {found.group()} is a template: compile it first (dbt compile)")


def refuse_deep(tokens: Iterable[Token]) -> None:
    """Raise `SqlError` for statements that would exhaust the parser's stack, and for too many of them."""
    depth = joins = run = statements = 0
    before = None
    for token in tokens:
        kind = token.token_type
        if kind in _OPEN:
            depth += 1
        elif kind in _CLOSE:
            depth = max(depth - 1, 0)
        elif kind is TokenType.JOIN:
            joins += 1
        elif kind is TokenType.SEMICOLON:
            joins = 0
            statements += before is not TokenType.SEMICOLON
        run = run + 1 if kind is before and kind not in _MAY_REPEAT else 0
        before = kind
        if depth > DEEPEST:
            raise SqlError(f"line {token.line}: nested more than {DEEPEST} levels deep")
        if joins > MOST_JOINS:
            raise SqlError(f"line {token.line}: more than {MOST_JOINS} joins")
        if statements > MOST_STATEMENTS:
            raise SqlError(f"line {token.line}: more than {MOST_STATEMENTS:,} statements")
        if run > LONGEST_RUN:
            raise SqlError(
                f"line {token.line}: {token.text!r} is repeated more than {LONGEST_RUN} times in a row"
            )
