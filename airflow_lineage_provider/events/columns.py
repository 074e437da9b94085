"""The column lineage of a node's compiled SQL, as OpenLineage's facet.

https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet, version 1-2-0. The deprecated
`transformationType` and `transformationDescription` are filled too: Marquez and OpenMetadata read no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from openlineage.client.facet_v2 import column_lineage_dataset

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.events.context import PRODUCER
from airflow_lineage_provider.events.naming import DatasetName, dataset_name, each_file, files
from airflow_lineage_provider.events.snapshots import snapshot_columns
from airflow_lineage_provider.events.sql_tables import as_relation, identities

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_lineage_provider.dbt.records import Node, Relation, Warehouse
    from airflow_lineage_provider.sql import Lineage, OutputColumn, Source, Table


@dataclass(frozen=True, slots=True)
class NodeLineage:
    """The column lineage of a node's statement, and the parts of it that are not known."""

    facet: column_lineage_dataset.ColumnLineageDatasetFacet | None = None
    also_read: tuple[Relation, ...] = ()
    """Tables in the SQL that no `ref` or `source` made, so that dbt does not know them."""
    problems: tuple[str, ...] = ()


def node_lineage(
    node: Node, sql: str | None, warehouse: Warehouse, mask: Callable[[str], str] = str
) -> NodeLineage:
    """Return the column lineage of the relation that `node` makes. Never raises: see `problems`.

    `mask` masks secrets in the expressions of columns.
    """
    if node.relation is None:
        return NodeLineage()
    if node.resource_type == "seed":
        return _seed_lineage(node, warehouse)
    if node.language != "sql":
        return NodeLineage(problems=(f"{node.label} is written in {node.language}: it has no SQL to read",))
    if not sql:
        return NodeLineage(problems=(f"{node.label} was not compiled: it has no SQL to read",))
    found = _lineage_of(sql, node, node.relation, warehouse)
    if node.snapshot and not found.error:
        found = replace(found, columns=(*found.columns, *snapshot_columns(node.snapshot, found.columns)))
    return _Statement(node, node.relation, warehouse, mask, found).lineage()


def _lineage_of(sql: str, node: Node, own: Relation, warehouse: Warehouse) -> Lineage:
    from airflow_lineage_provider.sql import Schema, Subject, column_lineage

    known = [*(one for relation in node.inputs for one in each_file(relation)), own]
    tables = {
        key: {c.name: c.data_type or "" for c in r.columns} for r in known if r.columns for key in _keys(r)
    }
    read = partial(
        column_lineage,
        dialect=sql_dialect(warehouse.type),
        schema=Schema(tables),
        default_database=own.database,
        default_schema=own.schema,
    )
    found = read(sql)
    if own.columns and any(problem.subject is Subject.STAR for problem in found.problems):
        # Columns whose names are data, as those of a dynamic PIVOT: the table that was made has them.
        names = ", ".join(_quoted(column.name) for column in own.columns)
        named = read(f"select {names} from (\n{sql.rstrip().rstrip(';')}\n) as made")  # noqa: S608 - it is only parsed
        if not named.problems:
            return replace(named, indirect=found.indirect)
    return found


class _Statement:
    """Matches the tables of one statement to the relations of its node."""

    def __init__(
        self, node: Node, own: Relation, warehouse: Warehouse, mask: Callable[[str], str], found: Lineage
    ) -> None:
        self._own = own
        self._warehouse = warehouse
        self._mask = mask
        self._found = found
        inputs = [one for relation in node.inputs for one in each_file(relation)]
        self._known = {name: relation for relation in inputs for name in identities(relation)}
        self._label = node.label

    def lineage(self) -> NodeLineage:
        found = self._found
        problems = tuple(f"{self._label}: {problem}" for problem in found.problems)
        if found.error:
            return NodeLineage(problems=problems)
        names = {column.name.casefold(): column.name for column in self._own.columns}
        fields = {
            names.get(column.name.casefold(), column.name): self._field(column)
            for column in found.columns
            if not names or column.name.casefold() in names
        }
        facet = column_lineage_dataset.ColumnLineageDatasetFacet(
            fields=fields, dataset=self._inputs(found.indirect), producer=PRODUCER
        )
        also = (r for table in found.reads if (r := self._relation(table)) and r not in self._known.values())
        return NodeLineage(facet, tuple(also), problems)

    def _field(self, column: OutputColumn) -> column_lineage_dataset.Fields:
        masked = bool(column.sources) and all(source.masking for source in column.sources)
        expression = self._mask(column.expression) if column.expression else None
        identity = all(source.subtype == "IDENTITY" for source in column.sources)
        return column_lineage_dataset.Fields(
            inputFields=self._inputs(column.sources, expression),
            transformationDescription=expression,
            transformationType="MASKED" if masked else "IDENTITY" if identity and column.sources else None,
        )

    def _inputs(
        self, sources: Iterable[Source], expression: str | None = None
    ) -> list[column_lineage_dataset.InputField]:
        """Return each source column once, with all its transformations."""
        ways: dict[tuple[DatasetName, str], list[column_lineage_dataset.Transformation]] = {}
        for source in sources:
            relation = self._relation(source.table)
            if relation is None:  # an incremental model that reads its own table
                continue
            names = {column.name.casefold(): column.name for column in relation.columns}
            field = names.get(source.column.casefold(), source.column)
            ways.setdefault((dataset_name(relation, self._warehouse), field), []).append(
                column_lineage_dataset.Transformation(
                    type=source.type.value,
                    subtype=source.subtype.value,
                    description=expression or "",
                    masking=source.masking,
                )
            )
        return [
            column_lineage_dataset.InputField(
                namespace=dataset.namespace, name=dataset.name, field=field, transformations=transformations
            )
            for (dataset, field), transformations in ways.items()
        ]

    def _relation(self, table: Table) -> Relation | None:
        """Return the relation of a table in the SQL; None for the node's own."""
        relation = as_relation(table)
        (identity, *_) = identities(relation)
        if identity in identities(self._own):
            return None
        return self._known.get(identity, relation)


def _seed_lineage(node: Node, warehouse: Warehouse) -> NodeLineage:
    """Return the lineage of a seed: each column is the column of its file."""
    fields = {}
    for relation in node.inputs[:1]:
        file = dataset_name(relation, warehouse)
        identity = column_lineage_dataset.Transformation("DIRECT", "IDENTITY", "", masking=False)
        for column in relation.columns:
            source = column_lineage_dataset.InputField(file.namespace, file.name, column.name, [identity])
            fields[column.name] = column_lineage_dataset.Fields([source], column.name, "IDENTITY")
    return NodeLineage(column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, producer=PRODUCER))


def _keys(relation: Relation) -> list[str]:
    """Return a relation's names as keys of the SQL engine's schema: quoted parts joined by dots."""
    parts = (relation.database, relation.schema, relation.identifier)
    name = ".".join(_quoted(part) for part in parts if part)
    path = _path(relation)
    return [path, name] if path else [name]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _path(relation: Relation) -> str:
    return files(relation.location)[0] if relation.location else ""
