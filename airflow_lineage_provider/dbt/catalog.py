"""The columns and types that the warehouse has, read through dbt's own adapter.

dbt's event stream has no types, so they are read from the warehouse: one query for a schema when the
invocation begins, one for each relation that a node has just made. The adapter of the running process makes
the queries, because DuckDB lets no second process open its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.nodes import external_location
from airflow_lineage_provider.dbt.reads import IS_RELATION, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextvars import Context

    from dbt.contracts.graph.manifest import Manifest

Key = tuple[str, str, str]


class ColumnCatalog:
    """Columns by dbt unique id. Used by one thread of ours; dbt's threads never call it."""

    def __init__(self, manifest: Manifest, adapter: Any, context: Context) -> None:
        self._manifest = manifest
        self._context = context
        self._adapter = adapter
        self._columns: dict[str, tuple[tuple[str, str], ...]] = {}
        self.problems: list[str] = []

    def columns(self, unique_id: str) -> tuple[tuple[str, str], ...]:
        """Return (name, type) in the relation's order; empty when the relation is not there."""
        return self._columns.get(unique_id, ())

    def exists(self, unique_id: str) -> bool:
        """Tell whether the relation was there when it was last read."""
        return unique_id in self._columns

    def read(self, unique_ids: Iterable[str]) -> None:
        """Ask the warehouse for the columns of these nodes' relations."""
        nodes = [node for uid in unique_ids if (node := self._node(uid)) is not None]
        # A table can be both a model and a source, where one layer is the source of another.
        tables: dict[Key, list[Any]] = {}
        for node in nodes:
            if not external_location(node):
                tables.setdefault(_key_of(node), []).append(node)
        if tables:
            self._context.run(self._read_catalog, tables)
        for node in nodes:
            if external_location(node):
                self._context.run(self._describe, node)

    def _node(self, unique_id: str) -> Any:
        node = self._manifest.nodes.get(unique_id) or self._manifest.sources.get(unique_id)
        return node if node and node.resource_type in IS_RELATION else None

    def _read_catalog(self, tables: dict[Key, list[Any]]) -> None:
        relation = self._adapter.Relation
        nodes = [same[0] for same in tables.values()]
        relations = {relation.create_from(self._adapter.config, node) for node in nodes}
        schemas = frozenset((r.database, r.schema) for r in relations)
        table, errors = self._adapter.get_filtered_catalog(nodes, schemas, relations)
        self.problems += [f"columns could not be read from the catalog: {_one_line(e)}" for e in errors]
        found: dict[Key, list[tuple[int, str, str]]] = {}
        for row in table:
            key = _key(row["table_database"], row["table_schema"], row["table_name"])
            found.setdefault(key, []).append(
                (int(row["column_index"]), str(row["column_name"]), str(row["column_type"]))
            )
        for key, rows in found.items():
            for node in tables.get(key, ()):
                self._columns[node.unique_id] = tuple((name, kind) for _, name, kind in sorted(rows))

    def _describe(self, node: Any) -> None:
        """Read the columns of an external file by a query of no rows: it is in no catalog."""
        relation = self._adapter.Relation.create_from(self._adapter.config, node)
        try:
            with self._adapter.connection_named("lineage"):
                columns = self._adapter.get_column_schema_from_query(f"select * from {relation} limit 0")  # noqa: S608
        except Exception as error:  # noqa: BLE001 - lineage never fails the run; what is missing is logged
            self.problems.append(f"columns of {node.unique_id} could not be read: {_one_line(error)}")
            return
        self._columns[node.unique_id] = tuple((c.column, c.data_type) for c in columns)


def _key_of(node: Any) -> Key:
    return _key(node.database, node.schema, identifier(node))


def _key(database: str | None, schema: str | None, identifier: str) -> Key:
    return ((database or "").casefold(), (schema or "").casefold(), identifier.casefold())


def _one_line(error: object) -> str:
    return " ".join(str(error).split())
