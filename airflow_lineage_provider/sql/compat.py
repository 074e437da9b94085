"""Differences between the supported versions of sqlglot (>=30.12,<31). No other module handles them."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.tokens import Token, TokenType  # type: ignore[attr-defined]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

VERSION = version("sqlglot")


def classes(*names: str) -> tuple[type[exp.Expr], ...]:
    """Return the named expression classes that this version has."""
    return tuple(getattr(exp, name) for name in names if hasattr(exp, name))


_BLOCKS = classes("Block", "IfBlock", "WhileBlock")


def drop_targets(drop: exp.Drop) -> list[exp.Table]:
    """Return the tables of a DROP: a list since 30.2x, one table before."""
    tables = drop.args.get("tables") or [drop.this]
    return [table for table in tables if isinstance(table, exp.Table)]


def block_statements(node: exp.Expr) -> Iterator[exp.Expr]:
    """Yield the statements of IF ... BEGIN ... END, where this version has a class for it."""
    if isinstance(node, _BLOCKS):
        parts = [*node.expressions, *(node.args.get(key) for key in ("true", "false", "body"))]
        for part in parts:
            if isinstance(part, exp.Expr):
                yield part


def group_items(group: exp.Group) -> Iterable[exp.Expr]:
    """Yield all expressions of a GROUP BY; older versions keep ROLLUP, CUBE and GROUPING SETS apart."""
    yield from group.expressions
    for key in ("rollup", "cube", "grouping_sets"):
        for item in group.args.get(key) or ():
            if isinstance(item, exp.Expr):
                yield item


def comprehension_variable(node: exp.Comprehension) -> str:
    """Return the loop variable of `[f(x) for x in xs]`: a column before 30.2x, an identifier now."""
    return str(node.expression.name)


def pivot_column(name: str) -> str:
    """Return a pivot's output column: older versions name it `'a' AS x_s` where it is `x_s`."""
    return re.sub(r"^'.*' AS ", "", name)


__all__ = [
    "VERSION",
    "Token",
    "TokenType",
    "block_statements",
    "classes",
    "comprehension_variable",
    "drop_targets",
    "group_items",
    "pivot_column",
]
