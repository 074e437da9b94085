"""Tables that hooks write: pre- and post-hooks of nodes, on-run-start and on-run-end.

Each written table is a job of its own, because it is not made from the inputs of the node: of the type HOOK,
named `<job of the node>.hook.<schema>.<table>`, such as `silver.stg_orders.hook.audit.loads`, or after dbt's
name of the hook, `shop.on-run-end.0.audit.loads`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.dbt.records import Node, NodeFinished, node_failed
from airflow_lineage_provider.events.sql_tables import as_relation, identities

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.dbt.records import HooksFinished, Invocation, Relation


def hook_writes(record: HooksFinished, invocation: Invocation) -> Iterator[NodeFinished]:
    """Yield a record for each table that the hooks write, as if a node made it."""
    from airflow_lineage_provider.sql import script_lineage

    owner = record.node.relation if record.node else None
    seen = set()
    for sql in record.statements:
        writes = script_lineage(
            sql,
            dialect=sql_dialect(invocation.warehouse.type),
            schema={},
            default_database=invocation.database,
            default_schema=invocation.schema,
        )
        for found in writes:
            made = as_relation(found.writes) if found.writes else None
            if made is None or identities(made)[0] in seen or (owner and _is_own(made, owner)):
                continue
            seen.add(identities(made)[0])
            read = {identities(as_relation(table))[0] for table in found.reads}
            inputs = (owner,) if owner and identities(owner)[0] in read else ()
            yield _finished(record, invocation, made, inputs, sql)


def _is_own(made: Relation, owner: Relation) -> bool:
    """Tell whether a statement writes the node's own relation, or a temporary one of dbt's beside it."""
    same_schema = identities(made)[0][:-1] == identities(owner)[0][:-1]
    name, own = made.identifier.casefold(), owner.identifier.casefold()
    return name == own or (name.startswith(f"{own}__dbt") and (same_schema or not made.schema))


def _finished(
    record: HooksFinished, invocation: Invocation, made: Relation, inputs: tuple[Relation, ...], sql: str
) -> NodeFinished:
    table = ".".join(part for part in (made.schema, made.identifier) if part)
    node = Node(
        unique_id=f"{record.unique_id}.hook.{table}",
        label=f"{record.label}.hook.{table}" if record.node else f"{record.label}.{table}",
        resource_type="hook",
        name=table,
        path=record.node.path if record.node else "dbt_project.yml",
        package=record.node.package if record.node else invocation.project_name,
        language="sql",
        database=made.database,
        schema=made.schema,
        alias=made.identifier,
        relation=made,
        inputs=inputs,
    )
    failed = node_failed(record.status)
    status, message = ("error", "the node or its hook failed") if failed else ("success", "")
    return NodeFinished(node, record.started_at, record.at, status, message, sql)
