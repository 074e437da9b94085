"""MATCH_RECOGNIZE: rows that match a pattern, and the measures over them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from airflow_lineage_provider.sql.edge_kinds import CONDITIONAL, TRANSFORMATION
from airflow_lineage_provider.sql.model import Subtype
from airflow_lineage_provider.sql.rowsets import Edges, Field, Rest, Rowset, add
from airflow_lineage_provider.sql.sources import field_of, sources

if TYPE_CHECKING:
    from airflow_lineage_provider.sql.scope import Scope


def read_match_recognize(match: exp.MatchRecognize, scope: Scope) -> None:
    """Replace the matched table in the scope by the columns that MATCH_RECOGNIZE returns."""
    names = scope.analysis.names
    matched = scope.items[-1]
    for variable in _variables(match):
        scope.add(matched.rowset, (names.key(variable),)).hidden = True
    partition = match.args.get("partition_by") or []
    for nodes, subtype in (
        (partition, Subtype.GROUP_BY),
        ([match.args.get("order")], Subtype.SORT),
        ([d.this for d in match.args.get("define") or ()], Subtype.FILTER),
    ):
        for node in nodes:
            if node is not None:
                scope.analysis.decides(sources(node, scope, CONDITIONAL), subtype)
    rows = match.args.get("rows")
    every_row = isinstance(rows, exp.Var) and rows.name.upper().startswith("ALL ROWS")
    kept = matched.rowset.fields if every_row else [_named(node, scope) for node in partition]
    measured = []
    for measure in match.args.get("measures") or ():
        alias = measure.this.args["alias"]
        edges: Edges = {}
        add(edges, sources(measure.this.this, scope), TRANSFORMATION)
        measured.append(Field(names.spelling(alias), names.key(alias), edges))
    del scope.items[scope.items.index(matched) :]
    rest = ((Rest(matched.rowset),),) if every_row and not matched.rowset.complete else ()
    alias = match.args.get("alias")
    name = (names.key(alias.this),) if isinstance(alias, exp.TableAlias) and alias.this else matched.name
    scope.add(Rowset([*kept, *measured], rest), name)


def _variables(match: exp.MatchRecognize) -> list[exp.Identifier]:
    """Return the pattern variables. MEASURES and DEFINE use them to qualify columns."""
    words = re.findall(r'"[^"]+"|[A-Za-z_]\w*', match.text("pattern"))
    return [exp.to_identifier(word.strip('"'), quoted=word.startswith('"')) for word in dict.fromkeys(words)]


def _named(node: exp.Expr, scope: Scope) -> Field:
    names = scope.analysis.names
    return field_of(node, scope, node.name, names.fold(node.name))
