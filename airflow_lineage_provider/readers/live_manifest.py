"""A node of a running dbt invocation, with its ancestors, as a manifest that `read_manifest` reads.

dbt's manifest in memory has the attributes of manifest.json, and the compiled SQL of a node from the moment
that dbt executes it. The declared columns are left out: a description is no evidence of what a table has.
"""

from __future__ import annotations

from typing import Any

from airflow_lineage_provider.readers.manifest_file import Manifest, ManifestNode


def manifest_of_node(manifest: Any, unique_id: str) -> Manifest:
    """Return the part of dbt's manifest that the lineage of one node needs.

    Only the node itself has SQL; its ancestors are there for the edges between datasets.
    """
    found = Manifest(nodes={})
    found.metadata.adapter_type = manifest.metadata.adapter_type
    todo = [unique_id]
    while todo:
        key = todo.pop()
        kind, live = _live(manifest, key)
        target: dict[str, ManifestNode] = getattr(found, kind) if kind else {}
        if live is None or key in target:
            continue
        node = _node(live, with_code=key == unique_id)
        target[key] = node
        todo += node.depends_on.nodes
    return found


def _live(manifest: Any, key: str) -> tuple[str, Any]:
    for kind in ("nodes", "sources", "functions"):
        live = getattr(manifest, kind, {}).get(key)
        if live is not None:
            return kind, live
    return "", None


def _node(live: Any, *, with_code: bool) -> ManifestNode:
    depends_on = getattr(live, "depends_on", None)
    node = ManifestNode(
        unique_id=live.unique_id,
        name=live.name,
        resource_type=str(live.resource_type),
        database=live.database,
        schema=live.schema,
        alias=getattr(live, "alias", None),
        identifier=getattr(live, "identifier", None),
        original_file_path=live.original_file_path,
        compiled_code=getattr(live, "compiled_code", None) if with_code else None,
        language=getattr(live, "language", None) or "sql",
    )
    node.depends_on.nodes = list(getattr(depends_on, "nodes", ()))
    node.config.materialized = getattr(live.config, "materialized", None)
    return node
