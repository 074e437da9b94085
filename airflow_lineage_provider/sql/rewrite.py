"""Statements that the parser gives up on for a clause that has nothing to do with lineage."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp
from sqlglot.errors import SqlglotError

if TYPE_CHECKING:
    from sqlglot.dialects.dialect import Dialect

_NO_LINEAGE = (
    # Postgres
    (r"\bON\s+COMMIT\s+(DROP|DELETE\s+ROWS|PRESERVE\s+ROWS)\b", ""),
    (r"\bWITH\s+(NO\s+)?DATA\s*;?\s*$", ""),
    (r"\bTABLESPACE\s+\w+", ""),
    (r"^CREATE\s+UNLOGGED\s", "CREATE "),
    # MySQL: REPLACE deletes the old row and inserts
    (r"^REPLACE\s+(LOW_PRIORITY\s+|DELAYED\s+)?(INTO\s+)?", "INSERT INTO "),
)


def understood(statement: exp.Expr, dialect: Dialect) -> exp.Expr:
    """Return the statement parsed without such a clause, or as it was."""
    if not isinstance(statement, exp.Command):
        return statement
    expression = statement.args.get("expression")
    rest = expression.name if isinstance(expression, exp.Expr) else str(expression or "")
    text = changed = f"{statement.name} {rest.strip()}"
    for pattern, replacement in _NO_LINEAGE:
        changed = re.sub(pattern, replacement, changed, flags=re.IGNORECASE)
    if changed == text:
        return statement
    try:
        parsed = [one for one in dialect.parse(changed) if one is not None]
    except (SqlglotError, RecursionError):
        return statement
    return parsed[0] if len(parsed) == 1 else statement
