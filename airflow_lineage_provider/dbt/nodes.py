"""A manifest's nodes as records: what each reads, makes and asserts."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt.records import Column, Exposure, Node, Relation, Test

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dbt.contracts.graph.manifest import Manifest

    from airflow_lineage_provider.dbt.catalog import Catalog

MAKES_RELATION = {"model", "seed", "snapshot"}
REPORTED = {"model", "seed", "snapshot", "test", "unit_test", "source"}


class Nodes:
    """The nodes of one manifest, with the columns that a catalog has for their relations."""

    def __init__(self, manifest: Manifest, catalog: Catalog) -> None:
        self._manifest = manifest
        self._catalog = catalog
        self._exposures = _exposures_by_model(manifest)

    def compiled(self, unique_id: str) -> str | None:
        """Return the node's compiled SQL; None before dbt compiled it."""
        return getattr(self._manifest.nodes.get(unique_id), "compiled_code", None)

    def last_batch(self, unique_id: str, target_path: str) -> str | None:
        """Return the SQL of the last batch of a microbatch model: dbt compiles each on its own, to a file."""
        node: Any = self._manifest.nodes.get(unique_id)
        if getattr(getattr(node, "config", None), "incremental_strategy", None) != "microbatch":
            return None
        folder = Path(target_path, "compiled", node.package_name, node.original_file_path).with_suffix("")
        batches = sorted(folder.glob("*.sql"), key=lambda file: file.stat().st_mtime_ns)
        return batches[-1].read_text(encoding="utf-8") if batches else None

    def node(self, unique_id: str) -> Node:
        """Return the node's record, with the columns known by now."""
        node = self._find(unique_id)
        resource_type = str(node.resource_type)
        makes = resource_type in MAKES_RELATION and not _is_ephemeral(node)
        reads = iter((node,)) if resource_type == "source" else self._read_by(node)
        if resource_type == "unit_test":
            # It reads rows of its own, and is about its model; an ephemeral one is no dataset.
            reads = (parent for parent in reads if parent.unique_id in node.depends_on.nodes)
        return Node(
            unique_id=unique_id,
            resource_type=resource_type,
            name=node.name,
            path=node.original_file_path,
            language=str(getattr(node, "language", "sql")),
            database=getattr(node, "database", None),
            schema=node.schema,
            alias=_identifier(node),
            relation=self._relation(node) if makes else None,
            inputs=self._seed_file(node) if resource_type == "seed" else tuple(map(self._relation, reads)),
            test=_test(node),
            exposures=self._exposures.get(unique_id, ()),
            description=node.description or "",
            owners=_owners(node, self._manifest),
            tags=tuple(node.tags),
        )

    def is_ephemeral(self, unique_id: str) -> bool:
        """Tell whether the node is only ever part of another's statement."""
        return _is_ephemeral(self._find(unique_id))

    def parents(self, unique_id: str) -> list[str]:
        """Return the ids of the nodes that this one depends on, as dbt has them."""
        parents: list[str] = self._manifest.parent_map.get(unique_id, [])
        return parents

    def beside(self, relations: Iterable[Relation]) -> set[str]:
        """Return the ids of all that the project has in the schemas of `relations`."""
        schemas = {(relation.database, relation.schema) for relation in relations}
        everything = (*self._manifest.nodes.values(), *self._manifest.sources.values())
        return {
            node.unique_id
            for node in everything
            if (node.database, node.schema) in schemas and not external_location(node)
        }

    def _find(self, unique_id: str) -> Any:
        manifest = self._manifest
        found = manifest.nodes.get(unique_id) or manifest.sources.get(unique_id)
        return found or manifest.unit_tests[unique_id]

    def _read_by(self, node: Any, seen: set[str] | None = None) -> Iterator[Any]:
        """Yield the nodes that `node` really reads: ephemeral models are looked through."""
        seen = set() if seen is None else seen
        parents = node.depends_on.nodes
        if attached := getattr(node, "attached_node", None):
            # A relationships test depends on two relations; the one that it is about comes first.
            parents = sorted(parents, key=lambda parent: parent != attached)
        for parent_id in parents:
            if parent_id in seen or parent_id == node.unique_id:
                continue
            seen.add(parent_id)
            parent = self._manifest.nodes.get(parent_id) or self._manifest.sources.get(parent_id)
            if parent is None:
                continue
            if _is_ephemeral(parent):
                yield from self._read_by(parent, seen)
            elif str(parent.resource_type) in MAKES_RELATION | {"source"}:
                yield parent

    def _seed_file(self, node: Any) -> tuple[Relation, ...]:
        """Return the CSV file that a seed is read from; it has the seed's columns."""
        path = str(Path(node.root_path or ".", node.original_file_path))
        table = self._relation(node)
        file = Relation("", None, None, path, location=path, columns=table.columns)
        return (file,)

    def _relation(self, node: Any) -> Relation:
        described = {name.casefold(): column for name, column in node.columns.items()}
        found = self._catalog.columns(node.unique_id)
        columns = tuple(_column(name, data_type, described.get(name.casefold())) for name, data_type in found)
        return Relation(
            unique_id=node.unique_id,
            database=node.database,
            schema=node.schema,
            identifier=_identifier(node),
            materialized=getattr(node.config, "materialized", None),
            location=external_location(node),
            columns=columns,
            description=node.description or "",
            owners=_owners(node, self._manifest),
            tags=tuple(node.tags),
            quoted=_quoted(node),
        )


def external_location(node: Any) -> str | None:
    """Return where a dbt-duckdb external source or model lies; None for a relation of the warehouse."""
    if node.resource_type == "source":
        settings = {**getattr(node, "source_meta", {}), **node.meta, **node.config._extra}  # noqa: SLF001
        own = ("name", "identifier", "schema", "database", "tags")
        return _formatted(settings, {name: getattr(node, name) for name in own} | settings)
    extra: Mapping[str, Any] = getattr(node.config, "_extra", {})
    return extra.get("location") if getattr(node.config, "materialized", "") == "external" else None


def _formatted(settings: Mapping[str, Any], names: Mapping[str, Any]) -> str | None:
    """Return dbt-duckdb's `external_location`, with names put in as its `formatter` says."""
    location = settings.get("external_location")
    if not location:
        return None
    if settings.get("formatter") == "oldstyle":
        return str(location % names)
    if settings.get("formatter") == "template":
        return Template(location).substitute(names)
    return str(location).format_map(names)


def _column(name: str, data_type: str, described: Any) -> Column:
    description = described.description if described else ""
    return Column(name, data_type, description, tuple(described.tags) if described else ())


def _identifier(node: Any) -> str:
    return str(getattr(node, "identifier", None) or getattr(node, "alias", None) or node.name)


def _quoted(node: Any) -> frozenset[str]:
    """Return the parts of a relation's name that dbt renders in quotes."""
    parts = re.findall(r'"(?:[^"]|"")*"|[^.]+', node.relation_name or "")
    fields = zip(("identifier", "schema", "database"), reversed(parts), strict=False)
    return frozenset(field for field, part in fields if part.startswith('"'))


def _is_ephemeral(node: Any) -> bool:
    return getattr(getattr(node, "config", None), "materialized", None) == "ephemeral"


def _owners(node: Any, manifest: Manifest) -> tuple[str, ...]:
    """Return who owns a node: its group's owner, else `owner` in its meta (a name, or a list of names)."""
    group_name = getattr(getattr(node, "config", None), "group", None)
    for group in manifest.groups.values():
        if group.name == group_name:
            return (group.owner.name or group.name,)
    owner = getattr(node, "meta", {}).get("owner") or getattr(node, "source_meta", {}).get("owner")
    names = owner if isinstance(owner, list) else [owner]
    return tuple(str(name) for name in names if name)


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
