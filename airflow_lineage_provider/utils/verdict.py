"""A comparison's outcome as a task's outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

if TYPE_CHECKING:
    from airflow_lineage_provider.checks.validation import Validation

SHOWN_FINDINGS = 20
VERDICT_KEY = "lineage_verdict"
"""The XCom by which the lineage report knows what a task found, also where the task fails for it."""
REPORTED_FINDINGS = 100


def verdict(validation: Validation) -> dict[str, Any]:
    """Return the outcome with its gravest findings, each with its severity, for the lineage report."""
    from airflow_lineage_provider.reports.text import outcome

    findings = validation.comparison.findings
    told = [[finding.severity.value, str(finding)] for finding in findings[:REPORTED_FINDINGS]]
    return {
        "outcome": outcome(validation.comparison),
        "findings": told,
        "more": max(0, len(findings) - REPORTED_FINDINGS),
    }


def judge(validation: Validation) -> dict[str, Any]:
    """Return the summary for XCom; raise, naming the findings, where the map's policy calls one an error."""
    from airflow_lineage_provider.reports.text import outcome

    comparison = validation.comparison
    gravest = [str(finding) for finding in comparison.findings if finding.severity == comparison.severity]
    if not comparison.agreed:
        more = f"; and {len(gravest) - SHOWN_FINDINGS} more" if len(gravest) > SHOWN_FINDINGS else ""
        raise AirflowFailException("; ".join(gravest[:SHOWN_FINDINGS]) + more)
    return {
        "outcome": outcome(comparison),
        "edges": len(comparison.edges),
        "findings": [str(finding) for finding in comparison.findings[:SHOWN_FINDINGS]],
        "accepted": len(comparison.accepted),
    }
