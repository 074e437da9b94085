"""The part of dbt's manifest in memory that the lineage of one node needs, as data of manifest.json's form.

The declared columns are left out: a description is no evidence of what a table has.
"""

from __future__ import annotations

from typing import Any

_FIELDS = ("name", "database", "schema", "alias", "identifier", "original_file_path")


def node_part(manifest: Any, unique_id: str) -> dict[str, Any]:
    """Return a node and all that is upstream of it; only the node itself has SQL.

    dbt's manifest has the compiled SQL of a node from the moment that dbt executes it.
    """
    found: dict[str, Any] = {"nodes": {}, "sources": {}, "functions": {}}
    found["metadata"] = {"adapter_type": manifest.metadata.adapter_type}
    todo = [unique_id]
    while todo:
        key = todo.pop()
        kind, live = _live(manifest, key)
        if live is None or key in found[kind]:
            continue
        found[kind][key] = node = _node(live, with_code=key == unique_id)
        todo += node["depends_on"]["nodes"]
    return found


def _live(manifest: Any, key: str) -> tuple[str, Any]:
    for kind in ("nodes", "sources", "functions"):
        live = getattr(manifest, kind, {}).get(key)
        if live is not None:
            return kind, live
    return "", None


def _node(live: Any, *, with_code: bool) -> dict[str, Any]:
    fields = {name: getattr(live, name, None) for name in _FIELDS}
    return {
        **{name: value for name, value in fields.items() if value is not None},
        "unique_id": live.unique_id,
        "resource_type": str(live.resource_type),
        "language": getattr(live, "language", None) or "sql",
        "compiled_code": getattr(live, "compiled_code", None) if with_code else None,
        "depends_on": {"nodes": list(getattr(getattr(live, "depends_on", None), "nodes", ()))},
        "config": {"materialized": getattr(live.config, "materialized", None)},
    }
