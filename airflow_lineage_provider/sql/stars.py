"""`*`, `t.*` and COLUMNS(...), with EXCEPT, REPLACE, RENAME and patterns."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.limits import MOST_STAR_COLUMNS, SqlError
from airflow_lineage_provider.sql.model import Subject
from airflow_lineage_provider.sql.rowsets import Field, Function, Rest, Rowset, merged
from airflow_lineage_provider.sql.sources import field_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.sql.scope import Scope

_MATCHERS = (exp.Like, exp.ILike, exp.SimilarTo, exp.RegexpLike, exp.Glob)


def is_star(node: exp.Expr) -> bool:
    """Tell whether a select item is a star, with or without a pattern."""
    return _star_of(node) is not None


def _star_of(node: exp.Expr) -> exp.Star | None:
    while isinstance(node, (exp.Not, exp.Paren, *_MATCHERS)):
        node = node.this
    if isinstance(node, exp.Column):
        node = node.this
    elif isinstance(node, exp.Dot):
        node = node.expression
    return node if isinstance(node, exp.Star) else None


def expand(node: exp.Expr, scope: Scope) -> tuple[list[Field], tuple[Rest, ...]]:
    """Return the fields of a star, and the rowsets whose columns are not known."""
    star = _star_of(node)
    fields, rest = _starred(node, scope)
    scope.analysis.catalog.star_columns += len(fields)
    if scope.analysis.catalog.star_columns > MOST_STAR_COLUMNS:
        raise SqlError(f"the stars stand for more than {MOST_STAR_COLUMNS:,} columns")
    if star is not None:
        fields, rest = _changed(star, fields, rest, scope)
    matches = _pattern(node)
    return ([f for f in fields if matches(f.name or "")], rest) if matches else (fields, rest)


def _starred(node: exp.Expr, scope: Scope) -> tuple[list[Field], tuple[Rest, ...]]:
    if isinstance(node, exp.Dot):
        return _parts_of(node.this, scope)
    column = next((n for n in (node, *node.find_all(exp.Column)) if isinstance(n, exp.Column)), None)
    path = [p for p in column.parts if isinstance(p, exp.Identifier)] if column is not None else []
    if column is None or not isinstance(column.this, exp.Star):
        return _everything(scope)
    rowset = scope.rowset(tuple(scope.analysis.names.key(p) for p in path))
    if rowset is not None:
        return list(rowset.fields), _rest_of(rowset)
    value = field_of(exp.column(*reversed(path)), scope)
    row = value.row or Function([], edges=value.edges)
    return list(row.fields), _rest_of(row)


def _parts_of(node: exp.Expr, scope: Scope) -> tuple[list[Field], tuple[Rest, ...]]:
    """Expand `(x.record).*` and `(f(x)).*`; the fields of a function's result are not known."""
    value = field_of(node.unnest(), scope)
    row = value.row or Function([], edges=value.edges)
    return list(row.fields), _rest_of(row)


def _everything(scope: Scope) -> tuple[list[Field], tuple[Rest, ...]]:
    fields: list[Field] = []
    rest: list[Rest] = []
    emitted: set[str] = set()
    for item in scope.items:
        if item.hidden:
            continue
        for one in item.rowset.fields:
            if one.key in scope.using:
                if one.key not in emitted:
                    emitted.add(one.key)
                    fields.append(merged(scope.using[one.key]).renamed(one.name or "", one.key))
            else:
                fields.append(one)
        rest += _rest_of(item.rowset)
    return fields, tuple(rest)


def _rest_of(rowset: Rowset) -> tuple[Rest, ...]:
    return () if rowset.complete else (Rest(rowset),)


def _keys(nodes: object, scope: Scope) -> set[str]:
    items = nodes if isinstance(nodes, list) else [nodes] if nodes else []
    return {scope.analysis.names.fold(n.name, quoted=_quoted(n)) for n in items}


def _quoted(node: exp.Expr) -> bool:
    identifier = node.this if isinstance(node, exp.Column) else node
    return bool(identifier.args.get("quoted"))


def _changed(
    star: exp.Star, fields: list[Field], rest: tuple[Rest, ...], scope: Scope
) -> tuple[list[Field], tuple[Rest, ...]]:
    names = scope.analysis.names
    dropped = _keys(star.args.get("except_") or star.args.get("except"), scope)
    replaced = {
        names.fold(a.alias, quoted=_quoted(a.args["alias"])): field_of(a.this, scope)
        for a in star.args.get("replace") or ()
    }
    renamed = {
        names.fold(a.this.name, quoted=_quoted(a.this)): a.args["alias"]
        for a in star.args.get("rename") or ()
    }
    result = []
    for one in fields:
        if one.key in dropped:
            continue
        if one.key in replaced:
            result.append(replaced.pop(one.key).renamed(one.name or "", one.key))
        elif one.key in renamed:
            alias = renamed.pop(one.key)
            result.append(one.renamed(names.spelling(alias), names.key(alias)))
        else:
            result.append(one)
    if rest:
        result += [one.renamed(key, key) for key, one in replaced.items()]
        for key, alias in renamed.items():
            found = scope.unqualified(key)
            if found is not None:
                result.append(found.renamed(names.spelling(alias), names.key(alias)))
    hidden = frozenset(dropped | replaced.keys() | renamed.keys())
    return result, tuple(Rest(r.rowset, r.hidden | hidden) for r in rest)


def _pattern(node: exp.Expr) -> Callable[[str], bool] | None:
    """Return the filter of `* LIKE 'x%'` or Snowflake's `* ILIKE 'x%'`."""
    negated = False
    while isinstance(node, (exp.Not, exp.Paren)):
        negated ^= isinstance(node, exp.Not)
        node = node.this
    star = _star_of(node)
    if isinstance(node, _MATCHERS):
        regex = _regex(node)
    elif star is not None and star.args.get("ilike") is not None:
        regex = re.compile(_like(star.args["ilike"].name), re.IGNORECASE)
    else:
        return None
    return lambda name: (regex.fullmatch(name) is not None) != negated


def _regex(node: exp.Expr) -> re.Pattern[str]:
    text = node.expression.name
    if isinstance(node, exp.Glob):
        return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."))
    if isinstance(node, (exp.Like, exp.ILike)):
        return re.compile(_like(text), re.IGNORECASE if isinstance(node, exp.ILike) else 0)
    return re.compile(text)


def _like(pattern: str) -> str:
    return "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)


# ---- DuckDB's COLUMNS ----------------------------------------------------------------------------


def columns_call(node: exp.Expr) -> exp.Expr | None:
    """Return the COLUMNS(...) inside a select item, or None."""
    if isinstance(node, exp.Columns):
        return node
    if not isinstance(node, (exp.Column, exp.Literal)):
        for part in node.iter_expressions():
            if not isinstance(part, exp.Query) and (found := columns_call(part)) is not None:
                return found
    return None


def for_each_column(node: exp.Expr, call: exp.Expr, scope: Scope) -> Iterator[Field]:
    """Yield one field for each column that COLUMNS(...) matches."""
    matches = _selected(call.this, scope)
    source, rest = expand(call.this, scope) if is_star(call.this) else _everything(scope)
    if rest:
        tables = ", ".join(name for r in rest for name in r.rowset.unknown())
        scope.analysis.problem(
            Subject.STAR, f"COLUMNS(...) needs the columns of {tables}, which are not known"
        )
    for one in source:
        if matches(one):
            scope.matched = one
            made = field_of(node, scope)
            scope.matched = None
            yield made.renamed(one.name or "", one.key or "") if node is not call else one


def _selected(pattern: exp.Expr, scope: Scope) -> Callable[[Field], bool]:
    if isinstance(pattern, exp.Literal):
        regex = re.compile(pattern.name)
        return lambda one: regex.search(one.name or "") is not None
    if isinstance(pattern, (exp.Array, exp.Tuple)):
        wanted = {scope.analysis.names.fold(p.name) for p in pattern.expressions}
        return lambda one: one.key in wanted
    if isinstance(pattern, exp.Lambda) and isinstance(pattern.this, _MATCHERS):
        regex = _regex(pattern.this)
        return lambda one: regex.fullmatch(one.name or "") is not None
    if not is_star(pattern):
        scope.analysis.problem(Subject.STAR, f"COLUMNS({pattern.sql()}) cannot be evaluated here")
        return lambda _: False
    return lambda _: True
