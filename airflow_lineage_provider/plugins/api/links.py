"""Pages about a dataset in other systems: Marquez and DataHub, where connections to them are configured."""

from __future__ import annotations


def dataset_links(namespace: str, name: str) -> dict[str, str]:
    """Return labels and URLs of pages about a dataset, by its OpenLineage name."""
    from airflow_lineage_provider.links.catalogs import datahub_url, marquez_url

    if not name:
        return {}
    found = {"Marquez": marquez_url(namespace, name), "DataHub": datahub_url(namespace, name)}
    return {label: url for label, url in found.items() if url}
