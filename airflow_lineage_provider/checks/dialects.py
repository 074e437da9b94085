"""The SQL dialect of the warehouse that a map is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.dbt.dialect import sql_dialect

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map import LineageMap

_SCHEMES = {
    "awsathena": "athena",
    "motherduck": "duckdb",
    "azurecosmos": "",
    "file": "",
    "kafka": "",
    "s3": "",
}


def warehouse_dialect(lineage_map: LineageMap, environment: str | None) -> str:
    """Return the dialect by the namespace that binds the layers' tables; empty where it does not tell."""
    from airflow_lineage_provider.lineage_map.bindings import fits_template

    content = lineage_map.content
    place = content.environments.get(environment or "")
    tables = [f"{layer}.{table}" for layer in content.layers for table in content.layers[layer].tables]
    for binding in place.bindings if place else ():
        if any(fits_template(binding.dataset, table) for table in tables):
            scheme = binding.namespace.partition("://")[0]
            return sql_dialect(_SCHEMES.get(scheme, scheme))
    return ""
