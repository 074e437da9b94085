"""The result of a validation as a task's XComs and outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException

if TYPE_CHECKING:
    from airflow_lineage_provider.checks.validation import Validation

SHOWN_FINDINGS = 20
RESULT_KEY = "lineage_validation"
"""The XCom from which the lineage report page reads the result, also of a task that failed."""
REPORTED_FINDINGS = 100


def report_entry(validation: Validation) -> dict[str, Any]:
    """Return what the lineage report page shows: the outcome and the gravest findings with severities."""
    from airflow_lineage_provider.reports.text import outcome

    findings = validation.comparison.findings
    return {
        "outcome": outcome(validation.comparison),
        "findings": [[finding.severity.value, str(finding)] for finding in findings[:REPORTED_FINDINGS]],
        "more": max(0, len(findings) - REPORTED_FINDINGS),
    }


def summary_or_fail(validation: Validation) -> dict[str, Any]:
    """Return the summary that a task returns as its XCom.

    Raises AirflowFailException with the findings where the map's policy makes one of them an error.
    """
    from airflow_lineage_provider.reports.escape import one_line
    from airflow_lineage_provider.reports.text import outcome

    comparison = validation.comparison
    if not comparison.agreed:
        gravest = [str(finding) for finding in comparison.findings if finding.severity == comparison.severity]
        more = f"; and {len(gravest) - SHOWN_FINDINGS} more" if len(gravest) > SHOWN_FINDINGS else ""
        raise AirflowFailException(one_line("; ".join(gravest[:SHOWN_FINDINGS])) + more)
    return {
        "outcome": outcome(comparison),
        "edges": len(comparison.edges),
        "findings": [str(finding) for finding in comparison.findings[:SHOWN_FINDINGS]],
        "accepted": len(comparison.accepted),
    }
