"""A dbt manifest as a graph: what the project would do, before anything runs.

Ephemeral models are looked through. Columns and their edges come from the compiled SQL. The project's YAML is
documentation, which may be partial: it is evidence of columns and types only under an enforced contract.
"""

from __future__ import annotations

from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from airflow_lineage_provider.dbt.dialect import sql_dialect
from airflow_lineage_provider.dbt.reads import owners, relations_read, seed_file
from airflow_lineage_provider.events.naming import file_name
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
from airflow_lineage_provider.readers.evidence import Checked, Evidence
from airflow_lineage_provider.readers.manifest_file import ManifestColumn, ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from airflow_lineage_provider.lineage_map import Bindings
    from airflow_lineage_provider.readers.manifest_file import Manifest, ManifestExposure, ManifestNode
    from airflow_lineage_provider.sql import Lineage, Table
    from airflow_lineage_provider.sql.project import Model

_RELATIONS = frozenset({"model", "seed", "snapshot", "source"})
_EXPOSURES = {"ml": "model"}


def read_manifest(
    manifest: Manifest, bindings: Bindings, cache: Path | None = None, *, columns: bool = True
) -> Evidence:
    """Return the graph of a project by the logical names that the bindings give its relations.

    Without `columns` no SQL is analysed: the graph has tables only. `cache` is a SQLite file that keeps the
    column lineage of each statement, so that an unchanged model is not analysed again. Its content is
    trusted. Raises ManifestError for a cycle.
    """
    return _Project(manifest, bindings).read(cache, columns=columns)


def logical_names(manifest: Manifest, bindings: Bindings) -> Mapping[str, str]:
    """Return the name that `read_manifest` gives each relation, by unique id."""
    return _Project(manifest, bindings).names


class _Project:
    def __init__(self, manifest: Manifest, bindings: Bindings) -> None:
        self.manifest = manifest
        self.relations = {
            key: node
            for key, node in (*manifest.nodes.items(), *manifest.sources.items())
            if node.resource_type in _RELATIONS
        }
        self.readable = self.relations | manifest.functions
        self.bindings = bindings
        self.names = _logical_names(self.relations, bindings)
        physical = {self.names[key]: physical_name(node) for key, node in self.relations.items()}
        self.folding = {name for name, table in physical.items() if bindings.folds_name(table)}
        self.dialect = sql_dialect(manifest.metadata.adapter_type or "")
        self.problems: list[str] = []
        self.incomplete: set[str] = set()
        """The models whose columns are known only as far as the YAML describes what they read."""
        self.by_table = {
            _identity(node.database, node.schema, node.table): k for k, node in self.relations.items()
        }

    def read(self, cache: Path | None, *, columns: bool) -> Evidence:
        datasets: list[Dataset] = []
        edges: list[Edge] = []
        column_edges: list[ColumnEdge] = []
        files: list[str] = []
        order = [key for key in self.ordered() if self.relations[key].config.materialized != "ephemeral"]
        lineage = self.lineage(order, cache) if columns else {}
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
            if node.resource_type == "seed" and (file := self.documented_file(node)):
                files.append(file)
                datasets.append(Dataset(file, kind="file", provenance=provenance))
                edges.append(Edge(file, target, job=target, provenance=provenance))
        for exposure in self.manifest.exposures.values():
            datasets.append(_consumer(exposure))
            edges += self.exposure_edges(exposure)
        made = {name for key, name in self.names.items() if self.relations[key].resource_type != "source"}
        return Evidence(
            Graph(self.with_checks(datasets), edges, column_edges),
            only_read=frozenset(self.names.values()) - made | frozenset(files),
            lists_consumers=bool(self.manifest.exposures),
            checked=frozenset(self.checked()),
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
        """Return the column lineage of each compiled model, and add what is unknown to the problems.

        A model whose columns depend on what the YAML describes is read once more with that, for its edges.
        """
        from airflow_lineage_provider.sql.project import Model

        models: list[Model] = []
        described: dict[str, list[str]] = {}
        known: dict[str, list[str]] = {}
        # A source that a model of the project makes is read after that model.
        maker = {self.physical(key): key for key in order if self.relations[key].resource_type != "source"}
        for key in order:
            node, name = self.relations[key], self.physical(key)
            if node.resource_type in {"model", "snapshot"} and node.language == "sql" and node.compiled_code:
                read = dict.fromkeys(self.physical(p) for p in self.parents(node.depends_on.nodes))
                parents = tuple(maker[table] for table in read if table in maker and table != name)
                models.append(Model(key, node.compiled_code, name, parents))
                continue
            described[name] = node.column_names
            if node.has_contract:
                known[name] = node.column_names
            if node.resource_type in {"model", "snapshot"} and node.language == "sql":
                self.problems.append(
                    f"{name} is not compiled, so its columns are not known; run `dbt compile`"
                )
        made = {model.table for model in models}
        lineage = self.analysed(models, {t: c for t, c in known.items() if t not in made}, cache)
        self.incomplete = {key for key, found in lineage.items() if found.problems}
        more = {t: c for t, c in described.items() if c and t not in made}
        if self.incomplete and more:
            again = self.analysed(models, more, cache)
            lineage |= {key: again[key] for key in self.incomplete}
        for model in models:
            self.problems += (f"{model.table}: {problem}" for problem in lineage[model.id].problems)
        return {key: found for key, found in lineage.items() if not found.error}

    def analysed(
        self, models: Sequence[Model], schema: Mapping[str, Sequence[str]], cache: Path | None
    ) -> dict[str, Lineage]:
        from airflow_lineage_provider.sql.project import project_lineage

        return dict(project_lineage(models, dialect=self.dialect, schema=schema, cache=cache))

    def documented_file(self, seed: ManifestNode) -> str | None:
        """Return the logical name of a seed's CSV file, which is an input where the map documents it."""
        file = file_name(seed_file(seed))
        name = self.bindings.logical(file.namespace, file.name)
        return name if name in self.bindings.documented else None

    def physical(self, key: str) -> str:
        node = self.relations[key]
        return _identity(node.database, node.schema, node.table)

    def dataset(self, key: str, found: Lineage | None) -> Dataset:
        node = self.relations[key]
        described = {(c.name or k).casefold(): c for k, c in node.columns.items()}
        provenance = _provenance(node.original_file_path)
        made = {c.name for c in found.columns} if found else set()
        complete = found is not None and key not in self.incomplete
        gap = "" if node.resource_type not in {"model", "snapshot"} else "its SQL does not tell"
        columns = {}
        for name in [c.name for c in found.columns] if found and complete else _contracted(node):
            column = described.get(name.casefold(), ManifestColumn())
            kind, description = column.data_type or "", column.description or ""
            shown = self.column(self.names[key], name)
            why = "" if name in made else gap
            columns[shown] = Column(shown, kind if node.has_contract else "", description, provenance[0], why)
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

    def exposure_edges(self, exposure: ManifestExposure) -> Iterator[Edge]:
        """Yield what a consumer is made from; `meta.upstream` names the exposures that lie between."""
        provenance, target = _provenance(exposure.original_file_path), exposure.label or exposure.name
        known = {e.name: e.label or e.name for e in self.manifest.exposures.values()}
        between = (exposure.meta | exposure.config.meta).get("upstream")
        if isinstance(between, list) and between:
            yield from (Edge(known.get(str(n), str(n)), target, provenance=provenance) for n in between)
            return
        for parent in self.parents(exposure.depends_on.nodes):
            yield Edge(self.names[parent], target, provenance=provenance)

    def checked(self) -> Iterator[Checked]:
        """Yield the tests of the project that are about one of its relations."""
        for node in self.manifest.nodes.values():
            if node.resource_type == "test" and node.attached_node in self.names and node.test_metadata:
                column = (node.column_name or "").casefold()
                yield Checked(self.names[node.attached_node], column, node.test_metadata.name)

    def with_checks(self, datasets: Iterable[Dataset]) -> Iterator[Dataset]:
        checks: dict[str, list[str]] = {}
        for name, column, kind in self.checked():
            checks.setdefault(name, []).append(f"{kind} of {column}" if column else kind)
        return (replace(d, checks=tuple(dict.fromkeys(checks.get(d.name, ())))) for d in datasets)


def physical_name(node: ManifestNode) -> str:
    """Return `database.schema.table` of a relation."""
    return ".".join(part for part in (node.database, node.schema, node.table) if part)


def logical_name(node: ManifestNode, bindings: Bindings) -> str:
    """Return the map's name of a node's relation, or `schema.table` where no binding fits."""
    return bindings.logical_of_name(physical_name(node)) or f"{node.schema or ''}.{node.table}".lstrip(".")


def _logical_names(relations: Mapping[str, ManifestNode], bindings: Bindings) -> dict[str, str]:
    """Return the bound name of each relation, else `schema.table`, with the database if it is ambiguous."""
    names: dict[str, str] = {}
    unbound: dict[str, set[str]] = {}
    for key, node in relations.items():
        names[key] = logical_name(node, bindings)
        if bindings.logical_of_name(physical_name(node)) is None:
            unbound.setdefault(names[key], set()).add(physical_name(node))
    clashing = {name for name, tables in unbound.items() if len(tables) > 1}
    return {key: physical_name(relations[key]) if name in clashing else name for key, name in names.items()}


def _contracted(node: ManifestNode) -> list[str]:
    return node.column_names if node.has_contract else []


def _identity(*parts: str | None) -> str:
    return ".".join(part.casefold() for part in parts if part)


def _consumer(exposure: ManifestExposure) -> Dataset:
    owner = exposure.owner
    return Dataset(
        exposure.label or exposure.name,
        kind=_EXPOSURES.get(exposure.type, exposure.type),
        description=exposure.description or "",
        owners=tuple(filter(None, (owner.name, owner.email))) if owner else (),
        provenance=_provenance(exposure.original_file_path),
        properties=(("url", exposure.url),) if exposure.url else (),
    )


def _provenance(file: str) -> tuple[Provenance, ...]:
    return (Provenance("manifest", file=file),)
