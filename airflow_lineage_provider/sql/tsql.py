"""T-SQL that the parser does not support: `SET a += b`, and OUTPUT ... INTO a table with columns.

Tokens are removed before parsing, and what they mean is put into the syntax tree afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

from airflow_lineage_provider.sql.compat import TokenType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlglot.dialects.dialect import Dialect

    from airflow_lineage_provider.sql.compat import Token

_OPERATORS: dict[str, type[exp.Binary]] = {
    "+": exp.Add,
    "-": exp.Sub,
    "*": exp.Mul,
    "/": exp.Div,
    "%": exp.Mod,
    "&": exp.BitwiseAnd,
    "|": exp.BitwiseOr,
    "^": exp.BitwiseXor,
}
_END_OF_OUTPUT = frozenset(
    ["SELECT", "VALUES", "WHERE", "FROM", "EXEC", "EXECUTE", "DEFAULT", "OPTION", "WITH"]
)


@dataclass(slots=True)
class Removed:
    """Removed tokens, by their position in the text."""

    assignments: dict[int, str] = field(default_factory=dict)  # end of the assigned column: operator
    targets: dict[int, str] = field(default_factory=dict)  # start of OUTPUT: text of the INTO target


def prepared(tokens: Sequence[Token], sql: str) -> tuple[list[Token], Removed]:
    """Return the tokens without compound assignment operators and OUTPUT's INTO targets."""
    removed = Removed()
    kept: list[Token] = []
    position = 0
    output = -1  # start of the OUTPUT clause, while within one
    while position < len(tokens):
        token = tokens[position]
        following = tokens[position + 1] if position + 1 < len(tokens) else None
        word = token.text.upper()
        compound = following is not None and following.token_type is TokenType.EQ
        if compound and word in _OPERATORS and following and following.start == token.end + 1 and kept:
            removed.assignments[kept[-1].end] = word
        elif word == "INTO" and output >= 0:
            end = _target_end(tokens, position + 1)
            removed.targets[output] = sql[tokens[position + 1].start : tokens[end - 1].end + 1]
            position, output = end, -1
            continue
        elif word == "FROM" and kept and kept[-1].text.upper() == "DELETE" and _has_output(tokens, position):
            pass  # DELETE t OUTPUT ... is parsed, DELETE FROM t OUTPUT ... is not
        else:
            if word == "OUTPUT" and following is not None and following.text not in {",", ")"}:
                output = token.start
            elif word in _END_OF_OUTPUT or token.token_type is TokenType.SEMICOLON:
                output = -1
            kept.append(token)
        position += 1
    return kept, removed


def _has_output(tokens: Sequence[Token], position: int) -> bool:
    end = _target_end(tokens, position + 1)
    return end < len(tokens) and tokens[end].text.upper() == "OUTPUT"


def _target_end(tokens: Sequence[Token], position: int) -> int:
    """Return the position after a dotted name and its column list."""
    while position < len(tokens):
        position += 1 if tokens[position].text not in {"@", "#"} else 2
        if position >= len(tokens) or tokens[position].token_type is not TokenType.DOT:
            break
        position += 1
    if position < len(tokens) and tokens[position].token_type is TokenType.L_PAREN:
        while position < len(tokens) and tokens[position].token_type is not TokenType.R_PAREN:
            position += 1
        position += 1
    return min(position, len(tokens))


def restore(statement: exp.Expr, removed: Removed, dialect: Dialect) -> None:
    """Put the meaning of removed tokens into a statement."""
    if removed.assignments:
        for assignment in statement.find_all(exp.EQ):
            column = assignment.this
            name = column.this if isinstance(column, exp.Column) else column
            operator = removed.assignments.get(name.meta.get("end", -1))
            if operator is not None:
                value = exp.Paren(this=assignment.expression)
                current = exp.column(name.copy(), table=_updated(assignment))
                assignment.set("expression", _OPERATORS[operator](this=current, expression=value))
    for returning in statement.find_all(exp.Returning) if removed.targets else ():
        starts = [i.meta["start"] for i in returning.find_all(exp.Identifier) if "start" in i.meta]
        before = [start for start in removed.targets if starts and start < min(starts)]
        if before:
            returning.set("into", _target(removed.targets.pop(max(before)), dialect))


def _updated(assignment: exp.Expr) -> str | None:
    """Return the name of the table that an assignment of UPDATE or MERGE changes."""
    owner = assignment.find_ancestor(exp.Merge) or assignment.find_ancestor(exp.Update)
    return owner.this.alias_or_name if owner is not None and isinstance(owner.this, exp.Table) else None


def _target(text: str, dialect: Dialect) -> exp.Expr | None:
    try:
        found = dialect.parse(f"INSERT INTO {text} SELECT 1")
    except SqlglotError:
        return None
    target: exp.Expr | None = found[0].this if found and isinstance(found[0], exp.Insert) else None
    return target
