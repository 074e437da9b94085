"""The tables that a node's SQL names without `ref` or `source`, so that dbt does not know them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.dbt.records import Relation
from airflow_lineage_provider.events.naming import each_file, files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.dbt.records import Invocation, Node
    from airflow_lineage_provider.sql import Table

_AFTER_FROM = re.compile(
    r"\b(?:from|join|using|into)\s+(?![\s(])(\S+)|\bfrom\s+\S+(?:\s+(?:as\s+)?\w+)?\s*,", re.IGNORECASE
)
_CTE = re.compile(r"\b(\w+)[\"`]?\s*(?:\([^()]*\)\s*)?as\s+(?:(?:not\s+)?materialized\s+)?\(", re.IGNORECASE)
_QUOTES = str.maketrans("", "", '"`[]')
_DATA_FILE = re.compile(r"\.(?:csv|tsv|parquet|json|jsonl|ndjson|xlsx)(?:\.\w+)?$", re.IGNORECASE)


def tables_named(node: Node, sql: str, invocation: Invocation) -> tuple[Relation, ...]:
    """Return the tables and files that a node's SQL reads besides its inputs.

    Generic tests and unit tests are left out: dbt writes their SQL.
    """
    if node.language != "sql" or not (node.relation or (node.test and node.test.kind == "custom_sql")):
        return ()
    inputs = [one for relation in node.inputs for one in each_file(relation)]
    own = [node.relation] if node.relation else []
    if not _may_name_others(sql, [*inputs, *own]):
        return ()
    from airflow_lineage_provider.sql import column_lineage

    about = node.relation or (node.inputs[0] if node.inputs else None)
    found = column_lineage(
        sql,
        dialect=sql_dialect(invocation.warehouse.type),
        schema={},
        default_database=about.database if about else invocation.database,
        default_schema=about.schema if about else invocation.schema,
    )
    known = {identity for relation in (*inputs, *own) for identity in identities(relation)}
    named = map(as_relation, found.reads)
    return tuple(relation for relation in named if identities(relation)[0] not in known)


def as_relation(table: Table) -> Relation:
    """Return a relation for a table in the SQL that dbt does not know."""
    if "/" in table.name or (table.schema is None and _DATA_FILE.search(table.name)):
        return Relation(unique_id="", database=None, schema=None, identifier=table.name, location=table.name)
    exact = frozenset({"database", "schema", "identifier"})  # the SQL engine has folded the names
    return Relation("", table.database, table.schema, table.name, quoted=exact)


def identities(relation: Relation) -> list[tuple[str, ...]]:
    """Return the names of a relation in SQL: of a file its path, of an external model also its view."""
    parts = (relation.database, relation.schema, relation.identifier)
    path = files(relation.location)[0] if relation.location else ""
    return [*([(path,)] if path else []), tuple((part or "").casefold() for part in parts)]


def _may_name_others(sql: str, known: Iterable[Relation]) -> bool:
    """Tell whether FROM and JOIN name more than CTEs and known relations, without parsing."""
    names = {name.casefold() for name in _CTE.findall(sql)}
    for relation in known:
        parts = [
            part.casefold() for part in (relation.database, relation.schema, relation.identifier) if part
        ]
        names |= {".".join(parts[start:]) for start in range(len(parts))}
    found = (match[1] for match in _AFTER_FROM.finditer(sql))
    return any(
        name is None or name.rstrip("),;").translate(_QUOTES).casefold() not in names for name in found
    )
