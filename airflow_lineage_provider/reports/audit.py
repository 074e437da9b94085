"""An audit of a query log as text, Markdown and JSON."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.reports.console import console_for
from airflow_lineage_provider.reports.escape import json_text, markdown_code, markdown_text
from airflow_lineage_provider.reports.formats import comparison_as, comparison_data
from airflow_lineage_provider.reports.text import outcome, print_comparison

if TYPE_CHECKING:
    from typing import TextIO

    from airflow_lineage_provider.checks.audit import Audit
    from airflow_lineage_provider.readers.query_log import LoggedWrite

_SHOWN = 50


def audit_outcome(audit: Audit) -> str:
    """Return PASS, WARN or DRIFT; INCOMPLETE where the log is not complete and what it has is no drift."""
    if audit.incomplete and audit.comparison.severity is not Severity.ERROR:
        return "INCOMPLETE"
    return outcome(audit.comparison)


def audit_text(audit: Audit) -> str:
    """Return the report as plain text, for a task's log."""
    stream = io.StringIO()
    print_audit(audit, stream)
    return stream.getvalue()


def print_audit(audit: Audit, stream: TextIO) -> None:
    """Write the report: who wrote what outside of the documented jobs, the edges, findings, the outcome."""
    from airflow_lineage_provider.reports.line import Line

    console = console_for(stream)
    console.print(Line(f"{audit.statements:,} statements of {audit.shapes:,} shapes", "dim"))
    if audit.outside:
        console.print()
        console.print(Line("Writes outside of the documented jobs", "bold"))
    for write in audit.outside[:_SHOWN]:
        head = Line(f"  {write.last[:19]:<19} ", "dim").add(f"{write.user or '-':<16} ", "bold")
        console.print(head.add(f"{_flow(write)}  {write.calls:,} times", "not dim"))
        console.print(Line(f"{'':22}{write.statement}", "dim"))
    if audit.outside[_SHOWN:]:
        console.print(Line(f"  and {len(audit.outside) - _SHOWN:,} more", "dim"))
    if audit.gaps:
        console.print()
        console.print(Line("Columns that are not known, and notes", "bold"))
    for gap in audit.gaps:
        console.print(Line(f"  {gap}", "yellow"))
    print_comparison(audit.comparison, stream, observed="queried")
    if audit_outcome(audit) == "INCOMPLETE":
        console.print(Line("INCOMPLETE", "bold yellow").add("  what is missing in the log is not known"))


def audit_markdown(audit: Audit) -> str:
    """Return the report as Markdown."""
    lines = [f"### Audit of the query log: {audit_outcome(audit)}", ""]
    lines += [f"{audit.statements:,} statements of {audit.shapes:,} shapes.", ""]
    if audit.outside:
        lines += ["| Last | User | Wrote | From | Times | Statement |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {markdown_text(w.last)} | {markdown_text(w.user) or '-'} | {markdown_code(w.target)} "
        f"| {markdown_text(', '.join(w.sources)) or '-'} | {w.calls:,} | {markdown_code(w.statement)} |"
        for w in audit.outside[:_SHOWN]
    ]
    lines += ["", *(f"- columns not known: {markdown_text(gap)}" for gap in audit.gaps)]
    return "\n".join(lines).rstrip() + "\n\n" + comparison_as("markdown", audit.comparison)


def audit_data(audit: Audit) -> dict[str, Any]:
    """Return the audit as plain data."""
    return comparison_data(audit.comparison) | {
        "outcome": audit_outcome(audit),
        "statements": audit.statements,
        "shapes": audit.shapes,
        "incomplete": list(audit.incomplete),
        "gaps": list(audit.gaps),
        "outside": [
            {
                "target": write.target,
                "sources": list(write.sources),
                "user": write.user,
                "node": write.node,
                "calls": write.calls,
                "first": write.first,
                "last": write.last,
                "statement": write.statement,
            }
            for write in audit.outside
        ],
    }


def audit_json(audit: Audit) -> str:
    """Return the audit as JSON text."""
    return json_text(audit_data(audit), indent=2) + "\n"


def _flow(write: LoggedWrite) -> str:
    if write.is_definition:
        return f"{write.target} itself"
    return f"{write.target} <- {', '.join(write.sources) or 'values'}"
