"""Text of others, such as dbt's, for an event, a log or an error."""

from __future__ import annotations

from airflow_lineage_provider.events.masking import mask_text


def without_secrets(text: str) -> str:
    """Return text without what Airflow's secrets masker knows, and without the credentials of URIs."""
    from airflow.providers.common.compat.sdk import redact

    return mask_text(str(redact(text)))
