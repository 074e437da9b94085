"""SQL text to syntax trees. A statement that cannot be parsed does not affect the others."""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import TYPE_CHECKING

from sqlglot.dialects.tsql import TSQL
from sqlglot.errors import ParseError, SqlglotError, TokenError

from airflow_lineage_provider.sql.compat import TokenType
from airflow_lineage_provider.sql.limits import SqlError, refuse_deep, refuse_uncompiled, refuse_unreadable
from airflow_lineage_provider.sql.model import Problem, Subject
from airflow_lineage_provider.sql.procedures import without_bodies
from airflow_lineage_provider.sql.rewrite import reparsed, simplified, with_function_calls
from airflow_lineage_provider.sql.source_text import record_source_text
from airflow_lineage_provider.sql.tsql import prepared, restore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect

    from airflow_lineage_provider.sql.compat import Token

# Silences the parser's log: unsupported statements are reported as problems.
_parsing = ContextVar("_parsing", default=False)
logging.getLogger("sqlglot").addFilter(lambda _: not _parsing.get())
_BYTE_ORDER_MARK = re.compile("^\ufeff", re.MULTILINE)  # also in the middle of concatenated files


def parse(sql: str, dialect: Dialect) -> tuple[list[exp.Expr], list[Problem]]:
    """Return the statements of a text, and a problem for each that could not be parsed.

    Raises `SqlError` for text that is too long, too deep, binary, or an uncompiled template.
    """
    sql = _BYTE_ORDER_MARK.sub(" ", sql)
    refuse_unreadable(sql)
    quiet = _parsing.set(True)
    try:
        tokens = _tokens(sql, dialect)
        refuse_uncompiled(sql)
        refuse_deep(tokens)
        tokens, kinds = without_bodies(tokens, type(dialect).__name__.lower())
        reasons = dict.fromkeys(f"the body of a {kind} is not analysed" for kind in kinds)
        bodies = [Problem(Subject.STATEMENT, reason) for reason in reasons]
        try:
            return _statements(tokens, sql, dialect), bodies
        except SqlError as error:
            statements, problems = _one_by_one(tokens, sql, dialect, error)
            return statements, [*bodies, *problems]
    finally:
        _parsing.reset(quiet)


def statement_tokens(sql: str, dialect: Dialect) -> list[list[Token]]:
    """Return the tokens of each statement, without parsing. Raises `SqlError` as `parse` does."""
    sql = _BYTE_ORDER_MARK.sub(" ", sql)
    refuse_unreadable(sql)
    tokens = _tokens(sql, dialect)
    refuse_uncompiled(sql)
    return list(_split(tokens))


def _tokens(sql: str, dialect: Dialect) -> list[Token]:
    try:
        return dialect.tokenize(sql)
    except TokenError as error:
        refuse_uncompiled(sql)
        cause = str(error.__context__ or "")
        missing = re.match(r"Missing (.+) from \d+:\d+", cause)
        raise SqlError(f"{missing[1] if missing else 'a comment'} is not closed") from None


def _statements(tokens: list[Token], sql: str, dialect: Dialect) -> list[exp.Expr]:
    try:
        kept, removed = prepared(tokens, sql) if isinstance(dialect, TSQL) else (tokens, None)
        parsed = dialect.parser().parse(kept, sql)
        found = [reparsed(s, dialect) for s in parsed if s is not None]
        record_source_text(found, kept, sql, type(dialect).__name__.lower())
        if removed is not None:
            for statement in found:
                restore(statement, removed, dialect)
        return [with_function_calls(s, sql, dialect) for s in found]
    except RecursionError:
        raise SqlError("the statement is nested too deeply to be parsed") from None
    except ParseError as error:
        raise SqlError(_one_line(error)) from None
    except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
        raise SqlError(f"the parser failed: {_plain(str(error))}") from None


def _one_by_one(
    tokens: list[Token], sql: str, dialect: Dialect, error: SqlError
) -> tuple[list[exp.Expr], list[Problem]]:
    """Parse each statement of a script on its own, so that an invalid one does not affect the others."""
    parts = list(_split(tokens))
    statements: list[exp.Expr] = []
    problems = []
    for part in parts:
        try:
            if len(parts) == 1:
                raise error
            statements += _statements(part, sql, dialect)
        except SqlError as its_own:
            simpler = simplified(sql[part[0].start : part[-1].end + 1], dialect)
            if simpler is None:
                problems.append(Problem(Subject.SYNTAX, str(its_own)))
            else:
                statements.append(simpler)
    return statements, problems


def _split(tokens: list[Token]) -> Iterator[list[Token]]:
    part: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            if part:
                yield part
            part = []
        else:
            part.append(token)
    if part:
        yield part


def _one_line(error: ParseError) -> str:
    if not error.errors:
        return _plain(str(error))
    first = error.errors[0]
    near = " ".join(f"{first.get('highlight') or ''}".split())[:60]
    reason = _plain(first.get("description") or str(error))
    return f"line {first.get('line')}, column {first.get('col')}, at {near!r}: {reason}"


def _plain(text: str) -> str:
    """Return a parser message in one line, without class names."""
    text = re.sub(r"\x1b\[\d*m", "", text).strip()
    text = text.splitlines()[0] if text else "no reason given"
    missing = re.match(r"Required keyword: '(\w+)' missing for <class '[\w.]+\.(\w+)'>", text)
    if missing:
        return f"something is missing in {missing[2].upper()}"
    return text.split(" but got <Token")[0][:200]
