"""An Asset for each relation that a dbt task made, with its lineage in the extra of the asset event."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, AssetAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import Context

LARGEST_LINEAGE = 64 << 10
"""The column lineage of one event in bytes; Airflow keeps every asset event in its own database."""


def model_asset(project_dir: str, model: str) -> Asset:
    """Return the Asset of a model, seed or snapshot, for other DAGs to be scheduled on.

    `model` is its job name: schema and relation.

    >>> model_asset("/opt/airflow/dbt_project", "gold.customer_behavior").uri
    'dbt://dbt_project/gold/customer_behavior'
    """
    project = Path(project_dir).name
    return Asset(name=f"{project}.{model}", uri=f"dbt://{project}/{model.replace('.', '/')}")


def models_alias(project_dir: str) -> AssetAlias:
    """Return the alias of all models of a project; a DAG that is scheduled on it runs after any of them.

    >>> models_alias("/opt/airflow/dbt_project").name
    'dbt_project.models'
    """
    name = "dbt" if "{{" in project_dir else Path(project_dir).name
    return AssetAlias(name=f"{name}.models")


def lineage_of(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the extra of the asset event for an OpenLineage event; None where it made no relation.

    `job`, `run_id`, `dataset` and `inputs` are OpenLineage's; `columns` maps each column to those that its
    values come from, as `[namespace, name, field]`.
    """
    outputs: list[Any] = event.get("outputs") or []
    facets = event["run"].get("facets", {})
    if event["eventType"] != "COMPLETE" or len(outputs) != 1 or "test" in facets:
        return None
    (output,) = outputs
    fields = output.get("facets", {}).get("columnLineage", {}).get("fields", {})
    columns = {
        column: [[one["namespace"], one["name"], one["field"]] for one in lineage["inputFields"]]
        for column, lineage in fields.items()
    }
    found = {
        "job": {"namespace": event["job"]["namespace"], "name": event["job"]["name"]},
        "run_id": event["run"]["runId"],
        "dataset": _dataset(output),
        "inputs": [_dataset(one) for one in event.get("inputs") or ()],
        "columns": columns,
    }
    if len(json.dumps(columns)) > LARGEST_LINEAGE:
        found["columns"] = {}
        found["columns_omitted"] = f"larger than {LARGEST_LINEAGE} bytes; see the event of the run"
    return found


def report_assets(
    context: Context, project_dir: str, alias: AssetAlias, updated: Mapping[str, dict[str, Any]]
) -> None:
    """Add an asset event for each relation that was made, by job name; Airflow records them on success."""
    accessor: Any = context["outlet_events"][alias]
    for model, extra in updated.items():
        accessor.add(model_asset(project_dir, model), extra=extra)


def _dataset(dataset: Mapping[str, Any]) -> dict[str, Any]:
    return {"namespace": dataset["namespace"], "name": dataset["name"]}
