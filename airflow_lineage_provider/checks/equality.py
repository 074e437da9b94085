"""Equality of expressions and of types in a SQL dialect, for `compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Same = Callable[[str, str], bool]


def same_expression(dialect: str) -> Same:
    """Return the equality of expressions in a dialect; what is not SQL is compared as text."""

    def same(first: str, second: str) -> bool:
        if first == second:
            return True
        from airflow_lineage_provider.sql.expressions import same_expression as compare
        from airflow_lineage_provider.sql.limits import SqlError

        try:
            return compare(first, second, dialect)
        except SqlError:
            return _plain(first) == _plain(second)

    return same


def same_type(dialect: str) -> Same:
    """Return the equality of types in a dialect; what is not a SQL type is compared as text."""

    def same(first: str, second: str) -> bool:
        if first.casefold() == second.casefold():
            return True
        from airflow_lineage_provider.sql.datatypes import same_type as compare
        from airflow_lineage_provider.sql.limits import SqlError

        try:
            return compare(first, second, dialect)
        except SqlError:
            return _plain(first) == _plain(second)

    return same


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()


def converts(dialect: str) -> Callable[[str], bool]:
    """Return whether an expression casts every column it reads, so that their types do not matter."""

    def casts(expression: str) -> bool:
        import sqlglot
        from sqlglot import exp

        try:
            tree = sqlglot.parse_one(expression, dialect=dialect or None)
        except (sqlglot.errors.SqlglotError, ValueError):
            return False
        columns = list(tree.find_all(exp.Column))
        return bool(columns) and all(column.find_ancestor(exp.Cast, exp.TryCast) for column in columns)

    return casts
