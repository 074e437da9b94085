"""A diff as text, and as Markdown for a comment on a pull request."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.reports.escape import markdown_code, markdown_text, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_lineage_provider.graph import Changed

_SIGNS = {"added": "+", "removed": "-", "changed": "~", "rerouted": "~"}


def diff_text(changes: Sequence[Changed]) -> str:
    """Return one line for each change, and the consumers that it reaches."""
    if not changes:
        return "Lineage is the same.\n"
    lines = []
    for change in changes:
        lines.append(one_line(f"{_SIGNS[change.action]} {change.kind:<14} {change.subject}{_values(change)}"))
        if change.consumers:
            lines.append(one_line(f"{'':17}reaches {', '.join(change.consumers)}"))
    return "\n".join([*lines, "", diff_summary(changes)]) + "\n"


def diff_markdown(changes: Sequence[Changed]) -> str:
    """Return the changes as a table under a summary."""
    if not changes:
        return "### Lineage is the same\n"
    rows = [
        f"| {c.action} | {c.kind} | {markdown_code(c.subject)}{markdown_text(_values(c))} "
        f"| {markdown_text(', '.join(c.consumers)) or 'nobody'} |"
        for c in changes
    ]
    head = ["| | Of | What | Reaches |", "|---|---|---|---|"]
    return "\n".join([f"### Lineage: {diff_summary(changes)}", "", *head, *rows]) + "\n"


def diff_data(changes: Sequence[Changed]) -> list[dict[str, Any]]:
    """Return the changes as plain data."""
    return [asdict(change) for change in changes]


def _values(change: Changed) -> str:
    return f": {change.was} -> {change.now}" if change.was or change.now else ""


def diff_summary(changes: Sequence[Changed]) -> str:
    """Return how many changes there are, and how many consumers they reach."""
    reached = {name for change in changes for name in change.consumers}
    number = len(changes)
    people = f"{len(reached)} consumer{'' if len(reached) == 1 else 's'}"
    return f"{number} change{'' if number == 1 else 's'}, reaching {people}"
