"""Snowflake's protocol on 127.0.0.1, by fakesnow: fakesnow_server.py PORT, in the environment of fakesnow.

Three statements of dbt and of the movers that DuckDB, which is underneath, does not take as Snowflake does
are rewritten before they reach it.
"""

import sys

import uvicorn
from fakesnow import cursor
from fakesnow.server import app
from sqlglot import exp

HAPPENED = exp.select(exp.alias_(exp.Literal.string("Statement executed successfully."), "status"))


def rewritten(node):
    """Return what DuckDB takes in place of an expression of Snowflake's SQL."""
    if isinstance(node, exp.Transaction | exp.Commit | exp.Rollback):
        return HAPPENED.copy()  # it would span two attached databases: fakesnow's own is the second
    if isinstance(node, exp.Create):
        return _permanent(node)
    return _qualified(node) if isinstance(node, exp.Merge) else node


def _permanent(create):
    """A temporary table may have a full name in Snowflake only; whoever makes one drops or replaces it."""
    properties = create.args.get("properties")
    kept = (
        [p for p in properties.expressions if not isinstance(p, exp.TemporaryProperty)] if properties else []
    )
    if properties and len(kept) < len(properties.expressions):
        create.set("properties", exp.Properties(expressions=kept) if kept else None)
        create.set("replace", True)  # noqa: FBT003 - sqlglot's signature
    return create


def _qualified(merge):
    """`insert (a) values (a)` means the source's a in Snowflake, and is ambiguous in DuckDB."""
    source = merge.args["using"].alias_or_name
    for insert in merge.find_all(exp.Insert):
        values = insert.args.get("expression")
        for column in values.find_all(exp.Column) if values else ():
            if not column.table:
                column.set("table", exp.to_identifier(source))
    return merge


explode = cursor.FakeSnowflakeCursor._transform_explode  # the first to see a statement


def transform(self, expression):
    return explode(self, expression.transform(rewritten))


if __name__ == "__main__":
    cursor.FakeSnowflakeCursor._transform_explode = transform
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
