"""A dbt manifest as a graph: what the project would do, before anything runs.

https://schemas.getdbt.com/dbt/manifest/v12.json; only what lineage needs of it is decoded. Ephemeral models
are looked through. Columns and their edges come from the compiled SQL, and types from the project's YAML.
"""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.dbt.reads import owners, relations_read
from airflow_lineage_provider.errors import LineageError
from airflow_lineage_provider.graph import (
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
    Transformation,
)
from airflow_lineage_provider.readers.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_lineage_provider.lineage_map import Bindings
    from airflow_lineage_provider.sql import Lineage, Table

MAX_BYTES = 128 * 1024 * 1024

_RELATIONS = frozenset({"model", "seed", "snapshot", "source"})
_EXPOSURES = {"ml": "model"}


class ManifestError(LineageError):
    """A manifest that cannot be read."""


class _Column(msgspec.Struct):
    name: str = ""
    data_type: str | None = None
    description: str | None = None


class _Depends(msgspec.Struct):
    nodes: list[str] = []


class _Config(msgspec.Struct):
    materialized: str | None = None
    meta: dict[str, Any] = {}
    group: str | None = None


class _Owner(msgspec.Struct):
    name: str | None = None
    email: str | None = None


class _Group(msgspec.Struct):
    name: str
    owner: _Owner = msgspec.field(default_factory=_Owner)


class _Test(msgspec.Struct):
    name: str = ""


class ManifestNode(msgspec.Struct):
    """A model, seed, snapshot, test, source or function, with what lineage needs of it."""

    unique_id: str
    name: str
    resource_type: str
    database: str | None = None
    schema: str | None = None
    alias: str | None = None
    identifier: str | None = None
    description: str | None = None
    original_file_path: str = ""
    columns: dict[str, _Column] = {}
    depends_on: _Depends = msgspec.field(default_factory=_Depends)
    config: _Config = msgspec.field(default_factory=_Config)
    meta: dict[str, Any] = {}
    source_meta: dict[str, Any] = {}
    compiled_code: str | None = None
    language: str = "sql"
    attached_node: str | None = None
    column_name: str | None = None
    test_metadata: _Test | None = None

    @property
    def table(self) -> str:
        """Return the name of the node's relation, without database and schema."""
        return self.identifier or self.alias or self.name


class _Exposure(msgspec.Struct):
    name: str
    type: str = ""
    label: str | None = None
    description: str | None = None
    original_file_path: str = ""
    owner: _Owner | None = None
    depends_on: _Depends = msgspec.field(default_factory=_Depends)
    config: _Config = msgspec.field(default_factory=_Config)
    meta: dict[str, Any] = {}


class _Metadata(msgspec.Struct):
    adapter_type: str | None = None
    generated_at: str = ""


class Manifest(msgspec.Struct):
    """The part of a manifest that says where data flows."""

    nodes: dict[str, ManifestNode]
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)
    sources: dict[str, ManifestNode] = {}
    functions: dict[str, ManifestNode] = {}
    groups: dict[str, _Group] = {}
    exposures: dict[str, _Exposure] = {}


def load_manifest(path: str | Path) -> Manifest:
    """Read a manifest.json. Raises ManifestError."""
    try:
        with Path(path).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: cannot be read: {error.strerror}; run `dbt compile` first") from None
    return parse_manifest(content, str(path))


def parse_manifest(content: bytes, name: str) -> Manifest:
    """Decode the content of the manifest `name`. Raises ManifestError."""
    if len(content) > MAX_BYTES:
        raise ManifestError(f"{name}: larger than {MAX_BYTES >> 20} MiB")
    try:
        return msgspec.json.decode(content, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"{name}: not a dbt manifest: {error}") from None


def read_manifest(manifest: Manifest, bindings: Bindings, cache: Path | None = None) -> Evidence:
    """Return the graph of a project by the logical names that the bindings give its relations.

    `cache` is a SQLite file that keeps the column lineage of each statement, so that an unchanged model is
    not analysed again. Its content is trusted. Raises ManifestError for a cycle.
    """
    return _Project(manifest, bindings).read(cache)


class _Project:
    def __init__(self, manifest: Manifest, bindings: Bindings) -> None:
        self.manifest = manifest
        self.relations = {
            key: node
            for key, node in (*manifest.nodes.items(), *manifest.sources.items())
            if node.resource_type in _RELATIONS
        }
        self.readable = self.relations | manifest.functions
        self.names = {key: logical_name(node, bindings) for key, node in self.relations.items()}
        physical = {self.names[key]: _physical(node) for key, node in self.relations.items()}
        self.folding = {name for name, table in physical.items() if bindings.folds_name(table)}
        self.dialect = sql_dialect(manifest.metadata.adapter_type or "")
        self.problems: list[str] = []
        self.by_table = {
            _identity(node.database, node.schema, node.table): k for k, node in self.relations.items()
        }

    def read(self, cache: Path | None) -> Evidence:
        datasets: list[Dataset] = []
        edges: list[Edge] = []
        column_edges: list[ColumnEdge] = []
        order = [key for key in self.ordered() if self.relations[key].config.materialized != "ephemeral"]
        lineage = self.lineage(order, cache)
        for key in order:
            node = self.relations[key]
            found = lineage.get(key)
            datasets.append(self.dataset(key, found))
            provenance = _provenance(node.original_file_path)
            target = self.names[key]
            sources = dict.fromkeys(self.names[parent] for parent in self.parents(node.depends_on.nodes))
            edges += (
                Edge(name, target, job=target, provenance=provenance) for name in sources if name != target
            )
            column_edges += self.column_edges(target, found, provenance)
        for exposure in self.manifest.exposures.values():
            datasets.append(_consumer(exposure))
            edges += self.exposure_edges(exposure)
        made = {name for key, name in self.names.items() if self.relations[key].resource_type != "source"}
        return Evidence(
            Graph(self.with_checks(datasets), edges, column_edges),
            only_read=frozenset(self.names.values()) - made,
            lists_consumers=bool(self.manifest.exposures),
            is_plan=True,
            dialect=self.dialect,
            problems=tuple(self.problems),
        )

    def ordered(self) -> list[str]:
        """Return parents before children, and of a table that is both model and source the model first."""
        graph = {k: [p for p in n.depends_on.nodes if p in self.relations] for k, n in self.relations.items()}
        try:
            order = list(TopologicalSorter(graph).static_order())
        except CycleError as error:
            raise ManifestError(f"the manifest has a cycle: {' -> '.join(error.args[1])}") from None
        return sorted(order, key=lambda key: self.relations[key].resource_type == "source")

    def parents(self, keys: Iterable[str]) -> Iterator[str]:
        """Yield the ids of the relations that are really read."""
        return (node.unique_id for node in relations_read(keys, self.readable.get))

    def lineage(self, order: Sequence[str], cache: Path | None) -> dict[str, Lineage]:
        """Return what each model's compiled SQL says of columns, and note what it does not say."""
        from airflow_lineage_provider.sql.project import Model, project_lineage

        models, outside = [], {}
        # A source that a model of the project makes is read after that model.
        maker = {self.physical(key): key for key in order if self.relations[key].resource_type != "source"}
        for key in order:
            node, name = self.relations[key], self.physical(key)
            if node.resource_type in {"model", "snapshot"} and node.language == "sql" and node.compiled_code:
                read = dict.fromkeys(self.physical(p) for p in self.parents(node.depends_on.nodes))
                parents = tuple(maker[table] for table in read if table in maker and table != name)
                models.append(Model(key, node.compiled_code, name, parents))
                continue
            outside[name] = [c.name or column for column, c in node.columns.items()]
            if node.resource_type in {"model", "snapshot"} and node.language == "sql":
                self.problems.append(
                    f"{name} is not compiled, so its columns are not known; run `dbt compile`"
                )
        made = {model.table for model in models}
        schema = {table: columns for table, columns in outside.items() if columns and table not in made}
        lineage = dict(project_lineage(models, dialect=self.dialect, schema=schema, cache=cache))
        for model in models:
            self.problems += (f"{model.table}: {problem}" for problem in lineage[model.id].problems)
        return {key: found for key, found in lineage.items() if not found.error}

    def physical(self, key: str) -> str:
        node = self.relations[key]
        return _identity(node.database, node.schema, node.table)

    def dataset(self, key: str, found: Lineage | None) -> Dataset:
        node = self.relations[key]
        described = {(c.name or k).casefold(): c for k, c in node.columns.items()}
        names = [c.name for c in found.columns] if found and not found.problems else None
        provenance = _provenance(node.original_file_path)
        made = {c.name for c in found.columns} if found else set()
        gap = "" if node.resource_type not in {"model", "snapshot"} else "its SQL does not tell"
        columns = {}
        for name in names or [c.name or k for k, c in node.columns.items()]:
            column = described.get(name.casefold(), _Column())
            kind, description = column.data_type or "", column.description or ""
            shown = self.column(self.names[key], name)
            columns[shown] = Column(shown, kind, description, provenance[0], "" if name in made else gap)
        return Dataset(
            self.names[key],
            kind=node.resource_type if node.resource_type in {"seed", "snapshot"} else "table",
            description=node.description or "",
            owners=owners(node, self.manifest.groups),
            columns=columns,
            provenance=provenance,
        )

    def column_edges(
        self, target: str, found: Lineage | None, provenance: tuple[Provenance, ...]
    ) -> Iterator[ColumnEdge]:
        for column in found.columns if found else ():
            for source in column.sources:
                name = self.table_name(source.table)
                if name and name != target:
                    how = Transformation(
                        source.type, source.subtype, column.expression or "", masking=source.masking
                    )
                    ref = ColumnRef(name, self.column(name, source.column))
                    made = ColumnRef(target, self.column(target, column.name))
                    yield ColumnEdge(ref, made, (how,), job=target, provenance=provenance)

    def column(self, dataset: str, name: str) -> str:
        """Return a column's name as a map writes it."""
        return name.lower() if dataset in self.folding else name

    def table_name(self, table: Table) -> str | None:
        key = self.by_table.get(_identity(table.database, table.schema, table.name))
        return self.names[key] if key else None

    def exposure_edges(self, exposure: _Exposure) -> Iterator[Edge]:
        """Yield what a consumer is made from; `meta.upstream` names the exposures that lie between."""
        provenance, target = _provenance(exposure.original_file_path), exposure.label or exposure.name
        known = {e.name: e.label or e.name for e in self.manifest.exposures.values()}
        between = (exposure.meta | exposure.config.meta).get("upstream")
        if isinstance(between, list) and between:
            yield from (Edge(known.get(str(n), str(n)), target, provenance=provenance) for n in between)
            return
        for parent in self.parents(exposure.depends_on.nodes):
            yield Edge(self.names[parent], target, provenance=provenance)

    def with_checks(self, datasets: Iterable[Dataset]) -> Iterator[Dataset]:
        checks: dict[str, list[str]] = {}
        for node in self.manifest.nodes.values():
            if node.resource_type == "test" and node.attached_node in self.names and node.test_metadata:
                about = f" of {node.column_name}" if node.column_name else ""
                checks.setdefault(self.names[node.attached_node], []).append(
                    f"{node.test_metadata.name}{about}"
                )
        return (replace(d, checks=tuple(dict.fromkeys(checks.get(d.name, ())))) for d in datasets)


def _physical(node: ManifestNode) -> str:
    return ".".join(part for part in (node.database, node.schema, node.table) if part)


def logical_name(node: ManifestNode, bindings: Bindings) -> str:
    """Return the map's name of a node's relation, or `schema.table` where no binding fits."""
    return bindings.logical_of_name(_physical(node)) or f"{node.schema or ''}.{node.table}".lstrip(".")


def _identity(*parts: str | None) -> str:
    return ".".join(part.casefold() for part in parts if part)


def _consumer(exposure: _Exposure) -> Dataset:
    owner = exposure.owner
    return Dataset(
        exposure.label or exposure.name,
        kind=_EXPOSURES.get(exposure.type, exposure.type),
        description=exposure.description or "",
        owners=tuple(filter(None, (owner.name or owner.email,))) if owner else (),
        provenance=_provenance(exposure.original_file_path),
    )


def _provenance(file: str) -> tuple[Provenance, ...]:
    return (Provenance("manifest", file=file),)
