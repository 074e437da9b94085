"""A manifest's nodes as records: what each reads, makes and asserts."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.catalog import TableRef
from airflow_lineage_provider.dbt.job_names import JobParts, job_names
from airflow_lineage_provider.dbt.reads import (
    IS_RELATION,
    MAKES_RELATION,
    identifier,
    is_ephemeral,
    owners,
    relations_read,
    seed_file,
)
from airflow_lineage_provider.dbt.records import Exposure, Node, Relation, RelationColumn, Snapshot, Test

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from dbt.contracts.graph.manifest import Manifest

    from airflow_lineage_provider.dbt.catalog import Columns


class Nodes:
    """The nodes of one manifest as records.

    `columns_of` returns the (name, type) pairs of a table that are known so far.
    """

    def __init__(
        self, manifest: Manifest, columns_of: Callable[[TableRef], Columns], *, clones: bool = False
    ) -> None:
        """`clones`: each node is a copy of its relation in the state, whatever its own SQL reads."""
        self._manifest = manifest
        self._clones = clones
        # dbt 1.10 has no functions.
        self._functions: Mapping[str, Any] = getattr(manifest, "functions", {})
        self._columns_of = columns_of
        self._exposures = _exposures_by_model(manifest)
        self._labels: dict[str, str] = {}

    def compiled(self, unique_id: str) -> str | None:
        """Return the node's compiled SQL; None before dbt compiled it."""
        if self._clones:
            cloned = getattr(self._find(unique_id), "defer_relation", None)
            return f"select * from {cloned.relation_name}" if cloned else None  # noqa: S608 - it is never sent
        return getattr(self._find(unique_id), "compiled_code", None)

    def last_batch(self, unique_id: str, target_path: str) -> str | None:
        """Return the SQL of a microbatch model's last batch; dbt compiles each batch to a file of its own."""
        node: Any = self._manifest.nodes.get(unique_id)
        if getattr(getattr(node, "config", None), "incremental_strategy", None) != "microbatch":
            return None
        folder = Path(target_path, "compiled", node.package_name, node.original_file_path).with_suffix("")
        batches = sorted(folder.glob("*.sql"), key=lambda file: file.stat().st_mtime_ns)
        return batches[-1].read_text(encoding="utf-8") if batches else None

    def node(self, unique_id: str, also_read: Iterable[Relation] = ()) -> Node:
        """Return the node's record, with the columns that are known so far.

        `also_read` are tables that its SQL names without `ref` or `source`.
        """
        node = self._find(unique_id)
        resource_type = str(node.resource_type)
        return Node(
            unique_id=unique_id,
            label=self.label(unique_id),
            resource_type=resource_type,
            name=node.name,
            path=node.original_file_path,
            package=node.package_name,
            language=str(getattr(node, "language", "sql")),
            database=getattr(node, "database", None),
            schema=node.schema,
            alias=identifier(node),
            relation=self._relation(node, _table(node)) if _has_output(node) else None,
            inputs=self._seed_file(node)
            if resource_type == "seed"
            else (*self._inputs(node), *map(self._with_columns, also_read)),
            test=_test(node),
            snapshot=_snapshot(node),
            exposures=self._exposures.get(unique_id, ()),
            description=node.description or "",
            owners=owners(node, self._manifest.groups),
            tags=tuple(node.tags),
        )

    @cached_property
    def _by_table(self) -> dict[tuple[str, ...], Any]:
        everything: Iterable[Any] = (*self._manifest.nodes.values(), *self._manifest.sources.values())
        return {_table(n).key: n for n in everything if _makes_relation(n) or n.resource_type == "source"}

    def label(self, unique_id: str) -> str:
        """Return the name of the node's job."""
        if not self._labels:
            manifest = self._manifest
            kinds = (manifest.nodes, manifest.sources, manifest.unit_tests, self._functions)
            everything = (node for nodes in kinds for node in nodes.values())
            self._labels = job_names(map(self._job_parts, everything))
        return self._labels[unique_id]

    def _job_parts(self, node: Any) -> JobParts:
        makes = _makes_relation(node)
        about = node if makes else next(self._read_by(node), node)
        name = identifier(node) if makes else node.name
        return JobParts(
            node.unique_id,
            str(node.resource_type),
            getattr(about, "database", None),
            about.schema,
            f"{identifier(node)}.freshness" if node.resource_type == "source" else name,
            makes,
        )

    def is_ephemeral(self, unique_id: str) -> bool:
        """Tell whether the node is only ever part of another node's statement."""
        return is_ephemeral(self._find(unique_id))

    def parents(self, unique_id: str) -> list[str]:
        """Return the ids of the nodes that this one depends on in dbt's graph."""
        parents: list[str] = self._manifest.parent_map.get(unique_id, [])
        return parents

    def knows(self, unique_id: str) -> bool:
        """Tell whether the manifest has the node."""
        return unique_id in self._manifest.nodes

    def input_tables(self, unique_id: str, also_read: Iterable[Relation] = ()) -> list[TableRef]:
        """Return the tables that a node reads."""
        node = self._find(unique_id)
        read = (self._table_read(node, parent) for parent in self._read_by(node))
        return [*read, *map(_table_of, also_read)]

    def output_table(self, unique_id: str) -> TableRef | None:
        """Return the table that a node makes."""
        node = self._find(unique_id)
        return _table(node) if _has_output(node) else None

    def beside(self, tables: Iterable[TableRef]) -> list[TableRef]:
        """Return the tables of all nodes in the schemas of these tables."""
        schemas = {table.key[:2] for table in tables if not table.location}
        everything = (*self._manifest.nodes.values(), *self._manifest.sources.values())
        relations = (_table(node) for node in everything if node.resource_type in IS_RELATION)
        return [table for table in relations if not table.location and table.key[:2] in schemas]

    def _find(self, unique_id: str) -> Any:
        manifest = self._manifest
        return self._parent(unique_id) or manifest.unit_tests[unique_id]

    def _read_by(self, node: Any) -> Iterator[Any]:
        """Yield the nodes of the relations that `node` reads; a source is read by its freshness check."""
        if self._clones:
            return iter((node,) if getattr(node, "defer_relation", None) else ())
        if node.resource_type == "source":
            return iter((node,))
        if node.resource_type == "unit_test":
            # It reads its own rows and is about its model, which is no dataset if it is ephemeral.
            found = map(self._parent, node.depends_on.nodes)
            return (parent for parent in found if parent and not is_ephemeral(parent))
        parents = getattr(node.depends_on, "nodes", ())  # a seed depends on macros alone
        if attached := getattr(node, "attached_node", None):
            # A relationships test depends on two relations; the one that it is about comes first.
            parents = sorted(parents, key=lambda parent: parent != attached)
        return relations_read(parents, self._parent, {node.unique_id})

    def _parent(self, unique_id: str) -> Any:
        manifest = self._manifest
        found = manifest.nodes.get(unique_id) or manifest.sources.get(unique_id)
        return found or self._functions.get(unique_id)

    def _inputs(self, node: Any) -> Iterator[Relation]:
        return (self._relation(parent, self._table_read(node, parent)) for parent in self._read_by(node))

    def _table_read(self, node: Any, parent: Any) -> TableRef:
        """Return the table of `parent` that the SQL of `node` reads: with `--defer`, perhaps another."""
        deferred = getattr(parent, "defer_relation", None)
        sql = self.compiled(node.unique_id) or ""
        if deferred and _names(sql, deferred.relation_name) and not _names(sql, parent.relation_name):
            return TableRef(deferred.database, deferred.schema, deferred.alias)
        return _table(parent)

    def _seed_file(self, node: Any) -> tuple[Relation, ...]:
        """Return the CSV file of a seed as a relation with the seed's columns."""
        path = seed_file(node)
        table = self._relation(node, _table(node))
        file = Relation("", None, None, path, location=path, columns=table.columns)
        return (file,)

    def _with_columns(self, relation: Relation) -> Relation:
        """Return a table that SQL names: as the project knows it, or with the warehouse's columns alone."""
        table = _table_of(relation)
        if known := self._by_table.get(table.key):
            return self._relation(known, table)
        columns = tuple(RelationColumn(name, kind) for name, kind in self._columns_of(table))
        return replace(relation, columns=columns)

    def _relation(self, node: Any, table: TableRef) -> Relation:
        described = {name.casefold(): column for name, column in node.columns.items()}
        found = self._columns_of(table)
        columns = tuple(_column(name, data_type, described.get(name.casefold())) for name, data_type in found)
        return Relation(
            unique_id=node.unique_id,
            database=table.database,
            schema=table.schema,
            identifier=table.identifier,
            materialized=_materialized(node),
            location=external_location(node),
            columns=columns,
            description=node.description or "",
            owners=owners(node, self._manifest.groups),
            tags=tuple(node.tags),
            quoted=_quoted(node),
        )


def _table(node: Any) -> TableRef:
    """Return the table of a node. dbt-duckdb makes a view for an external model, which has its columns."""
    location = external_location(node) if node.resource_type == "source" else None
    return TableRef(node.database, node.schema, identifier(node), location)


def _names(sql: str, relation_name: str | None) -> bool:
    """Tell whether the SQL has the rendered name of a relation, and not as a part of a longer name."""
    name = re.escape(relation_name or "")
    return bool(name and re.search(rf'(?<![\w"`.]){name}(?![\w"`.])', sql, re.IGNORECASE))


def _table_of(relation: Relation) -> TableRef:
    return TableRef(relation.database, relation.schema, relation.identifier, relation.location)


def _makes_relation(node: Any) -> bool:
    return node.resource_type in MAKES_RELATION and not is_ephemeral(node)


def _has_output(node: Any) -> bool:
    """Tell whether the node makes a table: a test does so where it stores the rows that fail."""
    return _makes_relation(node) or (node.resource_type == "test" and node.should_store_failures)


def _materialized(node: Any) -> str | None:
    if node.resource_type == "test":
        return node.config.store_failures_as or "table"
    materialized: str | None = getattr(node.config, "materialized", None)
    return materialized


def external_location(node: Any) -> str | None:
    """Return the location of a dbt-duckdb external source or model; None for a relation of the warehouse."""
    if node.resource_type == "source":
        settings = {**getattr(node, "source_meta", {}), **node.meta, **node.config._extra}  # noqa: SLF001
        own = ("name", "identifier", "schema", "database", "tags")
        return _formatted(settings, {name: getattr(node, name) for name in own} | settings)
    extra: Mapping[str, Any] = getattr(node.config, "_extra", {})
    return extra.get("location") if getattr(node.config, "materialized", "") == "external" else None


def _formatted(settings: Mapping[str, Any], names: Mapping[str, Any]) -> str | None:
    """Return dbt-duckdb's `external_location`, formatted as its `formatter` setting says."""
    location = settings.get("external_location")
    if not location:
        return None
    if settings.get("formatter") == "oldstyle":
        return str(location % names)
    if settings.get("formatter") == "template":
        return Template(location).substitute(names)
    return str(location).format_map(names)


def _column(name: str, data_type: str, described: Any) -> RelationColumn:
    description = described.description if described else ""
    return RelationColumn(name, data_type, description, tuple(described.tags) if described else ())


def _quoted(node: Any) -> frozenset[str]:
    """Return which parts of a relation's name dbt renders in quotes."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.]+', node.relation_name or "")
    fields = zip(("identifier", "schema", "database"), reversed(parts), strict=False)
    return frozenset(field for field, part in fields if part.startswith('"'))


def _test(node: Any) -> Test | None:
    if node.resource_type == "source":
        return Test("freshness", None, "error", _thresholds(node.freshness))
    if node.resource_type == "unit_test":
        return Test("unit_test", None, "error")
    if node.resource_type != "test":
        return None
    metadata = getattr(node, "test_metadata", None)
    arguments = metadata.kwargs if metadata else {}
    own = {"model", "column_name", "config"}
    shown = {key: str(value) for key, value in arguments.items() if key not in own}
    kind = metadata.name if metadata else "custom_sql"
    return Test(kind, getattr(node, "column_name", None), str(node.config.severity).lower(), shown)


def _snapshot(node: Any) -> Snapshot | None:
    if node.resource_type != "snapshot":
        return None
    config, check = node.config, node.config.check_cols
    is_timestamp = config.strategy == "timestamp"
    renamed = config.snapshot_meta_column_names
    return Snapshot(
        unique_key=(config.unique_key,) if isinstance(config.unique_key, str) else tuple(config.unique_key),
        updated_at=config.updated_at if is_timestamp else None,
        check_columns=() if is_timestamp or not isinstance(check, list) else tuple(check),
        checks_all=not is_timestamp and check == "all",
        names={key: name for key, name in (renamed.to_dict() if renamed else {}).items() if name},
    )


def _thresholds(freshness: Any) -> dict[str, str]:
    limits = {"warn_after": freshness.warn_after, "error_after": freshness.error_after} if freshness else {}
    return {name: f"{limit.count} {limit.period}" for name, limit in limits.items() if limit and limit.count}


def _exposures_by_model(manifest: Manifest) -> dict[str, tuple[Exposure, ...]]:
    found: dict[str, tuple[Exposure, ...]] = {}
    for exposure in manifest.exposures.values():
        consumer = Exposure(exposure.unique_id, exposure.name, str(exposure.type), exposure.url)
        for parent in exposure.depends_on.nodes:
            found[parent] = (*found.get(parent, ()), consumer)
    return found
