"""Keep the outcome of a check in the event store, for its history."""

from __future__ import annotations

import logging
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.hooks.event_store import EventStoreHook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.graph import Comparison
    from airflow_lineage_provider.lineage_map import LineageMap

log = logging.getLogger(__name__)


def keep_comparison(
    kind: str,
    lineage_map: LineageMap,
    comparison: Comparison,
    store_conn_id: str | None = None,
    incomplete: Sequence[str] = (),
) -> None:
    """Keep counts of a comparison as a report of this kind. A store that fails loses it, with a warning."""
    from airflow_lineage_provider.checks.review_package import report_subject
    from airflow_lineage_provider.graph import Verdict
    from airflow_lineage_provider.store.errors import StoreError
    from airflow_lineage_provider.store.reports import add_report

    counts = Counter(str(finding.severity) for finding in comparison.findings)
    expected = [edge for edge in comparison.edges if edge.verdict is not Verdict.UNOBSERVED]
    content: dict[str, Any] = {
        "edges": len(expected),
        "agreed": sum(edge.verdict is Verdict.VERIFIED for edge in expected),
        "counts": [{"severity": severity, "findings": number} for severity, number in counts.items()],
        "incomplete": list(incomplete),
    }
    with closing(EventStoreHook(store_conn_id).get_conn()) as store:
        try:
            add_report(store, kind, report_subject(lineage_map), datetime.now(UTC), content)
        except StoreError as error:
            log.warning("the outcome is not kept in the event store: %s", error)
