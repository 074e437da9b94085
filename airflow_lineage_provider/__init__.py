"""Documented data lineage as a contract, for Apache Airflow.

`OutboxTransport` is here under the short path that OpenLineage's configuration names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_lineage_provider.store.transport import OutboxTransport

__all__ = ["OutboxTransport"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name != "OutboxTransport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from airflow_lineage_provider.store.transport import OutboxTransport

    return OutboxTransport
