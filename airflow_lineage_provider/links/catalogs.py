"""Pages about a dataset in Marquez and in DataHub, where the configuration names these."""

from __future__ import annotations

from urllib.parse import quote


def marquez_url(namespace: str, name: str) -> str:
    """Return the page of a dataset in Marquez's web UI; empty without `[airflow_lineage] marquez_url`."""
    base = _configured("marquez_url")
    return f"{base}/lineage/dataset/{quote(namespace, safe='')}/{quote(name, safe='')}" if base else ""


def datahub_url(namespace: str, name: str) -> str:
    """Return the page of a dataset in DataHub's web UI; empty without `[airflow_lineage] datahub_url`."""
    base = _configured("datahub_url")
    if not base:
        return ""
    from airflow_lineage_provider.lineage_map.bindings import scheme_of
    from airflow_lineage_provider.readers.datahub_names import BUCKETS, platform_of
    from airflow_lineage_provider.readers.datahub_urns import dataset_urn

    platform = platform_of(scheme_of(namespace))
    bucket = f"{namespace.partition('://')[2]}/" if platform in BUCKETS else ""
    # DataHub's ingestion writes the names of Snowflake in small letters.
    known = name.lower() if platform == "snowflake" else name
    urn = dataset_urn(platform, (bucket + known).strip("/"), "PROD")
    return f"{base}/dataset/{quote(urn, safe='')}"


def _configured(option: str) -> str:
    from airflow.providers.common.compat.sdk import conf

    base = conf.get("airflow_lineage", option, fallback="").strip().rstrip("/")
    return base if base.startswith(("http://", "https://")) else ""
