"""The comment on a pull request: what changed, whom it reaches, what differs, what to do; under 60 lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.reports.diff import diff_markdown, diff_summary
from airflow_lineage_provider.reports.escape import markdown_code, markdown_text
from airflow_lineage_provider.reports.text import outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.graph import Changed, Comparison, Finding

MOST = 20
"""Rows of a table; a line below says how many there are more."""


def comment_markdown(changes: Sequence[Changed], comparison: Comparison | None, lineage_map: str) -> str:
    """Return Markdown: the outcome, the consumers that the changes reach, and both in detail, folded.

    Without a comparison only the changes of the map are told.
    """
    lines = [f"### Lineage: {outcome(comparison) if comparison else diff_summary(changes)}", ""]
    reached = list(dict.fromkeys(name for change in changes for name in change.consumers))
    if reached:
        shown = ", ".join(map(markdown_text, reached[:MOST]))
        lines += [f"**Reaches** {shown}{_rest(reached)}", ""]
    if comparison and comparison.findings:
        lines += ["| | Finding | What |", "|---|---|---|"]
        lines += [_row(finding) for finding in comparison.findings[:MOST]]
        lines += [_rest(comparison.findings), ""]
    if changes:
        table = diff_markdown(changes[:MOST]).splitlines()[2:]
        lines += [f"<details><summary>{diff_summary(changes)}</summary>", "", *table]
        lines += [_rest(changes), "</details>", ""]
    if comparison and not comparison.agreed:
        update = markdown_code(
            f"airflow-lineage update {lineage_map} --manifest target/manifest.json --accept"
        )
        lines += [f"Correct the models, or take them into the map: {update}"]
    return "\n".join(lines).rstrip() + "\n"


def _row(finding: Finding) -> str:
    where = next(iter((*finding.documented, *finding.observed)), "")
    at = f" ({markdown_text(str(where))})" if where else ""
    mark = {Severity.ERROR: "error", Severity.WARNING: "warning"}.get(finding.severity, "note")
    return f"| {mark} | `{finding.code}` | {markdown_text(finding.message)}{at} |"


def _rest(found: Sequence[object]) -> str:
    return f" and {len(found) - MOST:,} more" if found[MOST:] else ""
