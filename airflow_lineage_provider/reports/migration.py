"""The impact of a migration as text, Markdown and data: by consumer."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.reports.console import console_for
from airflow_lineage_provider.reports.escape import markdown_code, markdown_text
from airflow_lineage_provider.reports.formats import comparison_data
from airflow_lineage_provider.reports.text import outcome, print_findings

if TYPE_CHECKING:
    from typing import TextIO

    from airflow_lineage_provider.checks.migration import MigrationImpact, PlannedChange


def migration_text(found: MigrationImpact) -> str:
    """Return the report as plain text, for a task's log."""
    stream = io.StringIO()
    print_migration(found, stream)
    return stream.getvalue()


def print_migration(found: MigrationImpact, stream: TextIO) -> None:
    """Write the changes, the consumers that they reach with the effect on each, and the outcome."""
    from airflow_lineage_provider.reports.line import Line

    console = console_for(stream)
    if not found.changes:
        console.print(Line("No documented table or column changes.", "dim"))
    for change in found.changes:
        console.print(Line(f"{_where(change):<10}", "dim").add(change.text, "bold"))
    for name, reached in found.by_consumer().items():
        console.print()
        console.print(Line(name, "bold"))
        for change, effect in reached:
            console.print(Line(f"  {effect:<21}", "yellow").add(change.text, "not dim"))
    print_findings(found.comparison, stream)


def migration_markdown(found: MigrationImpact) -> str:
    """Return the report for a comment on a pull request."""
    lines = [f"### Migration: {outcome(found.comparison)}", ""]
    lines += [f"- {markdown_text(' '.join(filter(None, (_where(c), c.text))))}" for c in found.changes]
    if not found.changes:
        lines.append("No documented table or column changes.")
    rows = [
        f"| {markdown_code(name)} | {markdown_text(effect)} | {markdown_text(change.text)} |"
        for name, reached in found.by_consumer().items()
        for change, effect in reached
    ]
    if rows:
        lines += ["", "| Consumer | Effect | Because |", "|---|---|---|", *rows]
    lines += ["", *(f"- not understood: {markdown_text(problem)}" for problem in found.problems)]
    lines += [
        f"- accepted: {markdown_text(f.message)} ({markdown_text(f.accepted)})"
        for f in found.comparison.accepted
    ]
    return "\n".join(lines).rstrip() + "\n"


def migration_data(found: MigrationImpact) -> dict[str, Any]:
    """Return the report as plain data."""
    return {
        **{key: comparison_data(found.comparison)[key] for key in ("outcome", "findings", "accepted")},
        "changes": [
            {"subject": c.subject, "change": c.text, "line": c.line, "reaches": dict(c.reached)}
            for c in found.changes
        ],
        "consumers": {
            name: [{"change": change.text, "effect": effect} for change, effect in reached]
            for name, reached in found.by_consumer().items()
        },
        "problems": list(found.problems),
    }


def affected(found: MigrationImpact) -> list[str]:
    """Return the subjects of the errors: consumers, and `migration` for SQL that is not understood."""
    return [f.subject for f in found.comparison.findings if f.severity is Severity.ERROR]


def _where(change: PlannedChange) -> str:
    return f"line {change.line}" if change.line else ""
