"""Remove secrets from text that comes from elsewhere, such as dbt's messages."""

from __future__ import annotations

from airflow_lineage_provider.events.masking import mask_text


def redact_text(text: str) -> str:
    """Return `text` without the secrets that Airflow's masker knows and without credentials in URIs."""
    from airflow.providers.common.compat.sdk import redact

    return mask_text(str(redact(text)))
