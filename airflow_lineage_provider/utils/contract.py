"""Hold the nodes of a dbt run to the documented map before their SQL is sent."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOWN_FINDINGS = 5


def node_check(map_path: Path, environment: str | None) -> Callable[[dict[str, Any], str], str | None]:
    """Return a function of a node's part of the manifest and its unique id that returns its findings as text.

    It returns None for a node that keeps the contract. Raises LineageError for a map that cannot be read.
    """
    from airflow_lineage_provider.checks.contract import NodeContract
    from airflow_lineage_provider.lineage_map import load_map

    contract = NodeContract(load_map(map_path), environment)
    Thread(target=_import_analysis, name="contract", daemon=True).start()

    def check(node_part: dict[str, Any], unique_id: str) -> str | None:
        findings = contract.broken_by(node_part, unique_id)
        if not findings:
            return None
        more = f"; and {len(findings) - SHOWN_FINDINGS} more" if findings[SHOWN_FINDINGS:] else ""
        shown = "; ".join(str(finding) for finding in findings[:SHOWN_FINDINGS])
        return f"it breaks the documented lineage and was not run: {shown}{more}"

    return check


def _import_analysis() -> None:
    """Import the SQL analysis while dbt starts, so that the first node does not wait for it."""
    from airflow_lineage_provider.sql.project import Model, project_lineage

    project_lineage([Model("warm-up", "select 1 as a", "t", ())], dialect="", schema={})
