"""Names of output columns, and the SQL text of the expressions that define them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from airflow_lineage_provider.sql.catalog import Expansions
from airflow_lineage_provider.sql.edge_kinds import COPY
from airflow_lineage_provider.sql.naming.duckdb import duckdb_name
from airflow_lineage_provider.sql.naming.postgres import UNNAMED, postgres_name
from airflow_lineage_provider.sql.source_text import source_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlglot.generator import Generator

    from airflow_lineage_provider.sql.rowsets import Definition, Field
    from airflow_lineage_provider.sql.scope import Analysis

_POSTGRES = frozenset({"postgres", "redshift"})
_MOST_EXPANSIONS = 150  # of columns by their definitions, in one expression


def output_name(item: exp.Expr, analysis: Analysis) -> tuple[str | None, str | None]:
    """Return (spelling, key) of a select item; (None, None) where its generated name is not known."""
    identifier = item.args.get("alias") if isinstance(item, exp.Alias) else None
    node = item
    while identifier is None and isinstance(node, (exp.Paren, exp.Cast, exp.Dot, exp.Column)):
        if isinstance(node, exp.Column):
            identifier = node.this
        elif isinstance(node, exp.Dot):
            if analysis.dialect != "duckdb" or _is_path(node):
                identifier = node.expression
            break
        elif isinstance(node, exp.Cast) and analysis.dialect not in {"postgres", "redshift"}:
            break
        node = node.this
    if isinstance(identifier, exp.Identifier):
        return analysis.names.spelling(identifier), analysis.names.key(identifier)
    if (
        analysis.dialect != "duckdb"
        and isinstance(item, exp.Subquery)
        and isinstance(item.this, exp.Select)
        and len(item.this.expressions) == 1
    ):
        return output_name(item.this.expressions[0], analysis)
    name = _engine_name(item, analysis.dialect)
    if name is None or name == UNNAMED:
        return None, None
    return name, analysis.names.fold(name, quoted=True)


def _is_path(node: exp.Expr) -> bool:
    """Tell whether it is a column and fields in it: `c.f.g`, not `(c).f`."""
    while isinstance(node, exp.Dot):
        node = node.this
    return isinstance(node, (exp.Column, exp.Identifier))


def shown_name(field: Field, position: int, dialect: str) -> str:
    """Return the name of an output column in the result."""
    if field.name is not None:
        return field.name
    if field.definitions:
        return _made_up(field.definitions[0].node, dialect)
    return f"column{position}"


def _made_up(node: exp.Expr, dialect: str) -> str:
    """Return the name that a warehouse generates; the SQL of the expression where it is not known."""
    name = _engine_name(node, dialect)
    if name is None:
        return UNNAMED if dialect in _POSTGRES else _generated(node, dialect)
    return name


def _engine_name(node: exp.Expr, dialect: str) -> str | None:
    text = source_text(node)
    if text is not None and dialect == "duckdb":
        return duckdb_name(text, _windows(node))
    if text is not None and dialect in _POSTGRES:
        return postgres_name(text, Dialect.get_or_raise(dialect))
    return None


def _windows(item: exp.Expr) -> dict[str, str]:
    """Return the WINDOW clause beside a select item: the definitions by name."""
    select = item.find_ancestor(exp.Select)
    windows = select.args.get("windows") if select is not None else None
    texts = [_generated(one, "duckdb").partition(" AS ") for one in windows or ()]
    return {name.lower(): definition for name, _, definition in texts}


def expression(field: Field, dialect: str, expansions: Expansions) -> str | None:
    """Return the SQL that defines a field, in terms of base columns.

    None where several branches define it, or where it would be too long.
    """
    if not field.definitions and list(field.edges.values()) == [COPY]:
        return _generated(exp.column(next(iter(field.edges)).column, quoted=None), dialect)
    texts = {_text(one, dialect, expansions) for one in field.definitions}
    return texts.pop() if len(texts) == 1 else None


def _text(definition: Definition, dialect: str, expansions: Expansions) -> str | None:
    budget = Expansions(min(_MOST_EXPANSIONS, expansions.left))
    before = budget.left
    node, _ = _written_out(definition.node, definition.resolved, budget)
    expansions.left -= before - max(budget.left, 0)
    return _generated(node, dialect) if budget.left >= 0 else None


def _generated(node: exp.Expr, dialect: str) -> str:
    """Generate SQL. Queries are copied first, because generating can change them in place."""
    try:
        return _generator(dialect).generate(node, copy=node.find(exp.Query) is not None)
    except (SqlglotError, ValueError, AttributeError, RecursionError):  # sqlglot has no generator for it
        return node.key


@cache
def _generator(dialect: str) -> Generator:
    return Dialect.get_or_raise(dialect or None).generator(
        comments=False, unsupported_level=ErrorLevel.IGNORE
    )


def _written_out(node: exp.Expr, resolved: Mapping[int, Field], budget: Expansions) -> tuple[exp.Expr, bool]:
    """Return the node with columns of CTEs and subqueries replaced by their definitions.

    The second value tells whether it is a copy. The work is bounded by the budget, which is then negative.
    """
    if isinstance(node, exp.Column):
        return _definition(node, resolved, budget)
    changes: dict[int, tuple[exp.Expr, bool]] = {}
    for column in node.find_all(exp.Column):
        if isinstance(column.this, exp.Identifier):
            made = _definition(column, resolved, budget)
            if made[0] is not column:
                changes[id(column)] = made
    return (_replaced(node, changes), True) if changes else (node, False)


def _definition(
    column: exp.Column, resolved: Mapping[int, Field], budget: Expansions
) -> tuple[exp.Expr, bool]:
    found = resolved.get(id(column))
    if found is None or len(found.definitions) != 1 or found.definitions[0].node is column:
        return column, False
    budget.left -= 1
    if budget.left < 0:
        return column, False
    made = found.definitions[0]
    return _written_out(made.node, made.resolved, budget)


def _replaced(node: exp.Expr, changes: dict[int, tuple[exp.Expr, bool]]) -> exp.Expr:
    """Return a copy of the node with the columns in `changes` replaced."""
    originals = list(node.find_all(exp.Column))
    copy = node.copy()
    for original, twin in zip(originals, list(copy.find_all(exp.Column)), strict=True):
        made = changes.get(id(original))
        if made is not None:
            fresh = made[0] if made[1] else made[0].copy()
            twin.replace(exp.Paren(this=fresh) if _binds_looser(fresh, twin.parent) else fresh)
    return copy


def _binds_looser(fresh: exp.Expr, parent: exp.Expr | None) -> bool:
    """Tell whether an operator needs parentheses under this parent."""
    closed = (exp.Func, exp.Paren, exp.Alias, exp.Tuple, exp.Ordered)
    return isinstance(fresh, (exp.Binary, exp.Unary)) and not (
        isinstance(parent, closed) and not isinstance(parent, (exp.Cast, exp.Binary))
    )
