"""What Airflow is told of this provider (https://airflow.apache.org/docs/apache-airflow-providers/)."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata, by the schema of Airflow's `provider_info`."""
    return {
        "package-name": "airflow-lineage-provider",
        "name": "Lineage",
        "description": "Documented data lineage as a contract: dbt layers, OpenLineage, validation.",
    }
