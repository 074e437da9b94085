"""The package of a review: one Markdown document, and the same as one HTML page that prints well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.document.writer import render_markdown
from airflow_lineage_provider.reports.diff import diff_markdown
from airflow_lineage_provider.reports.escape import markdown_code, markdown_text
from airflow_lineage_provider.reports.html_map import document_body
from airflow_lineage_provider.reports.page import FIGURE, page
from airflow_lineage_provider.reports.picture import map_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.checks.review import Review

_MOST_CHECKS = 60
_BOX = "\u2610"
_LINE = "\\_" * 24


def review_markdown(review: Review) -> str:
    """Return the whole package as Markdown; its last part is the document as it is now."""
    title = review.lineage_map.content.document.title
    parts = [
        f"# Lineage review: {markdown_text(title)}",
        f"{review.day}, over the time since {review.since}. Digest of what is approved: `{review.digest}`",
        *(f"**Not complete:** {markdown_text(problem)}" for problem in review.problems),
        "\n".join(_summary(review)),
        "## What changed since the last approval",
        f"{markdown_text(review.changes.note[:1].upper() + review.changes.note[1:])}.",
        diff_markdown(review.changes.changes).partition("\n")[2] if review.changes.changes else "",
        "## Open questions",
        _list((f"{_BOX} {markdown_text(question)}" for question in review.questions), "None."),
        "## Accepted findings",
        _table(("Finding", "Subject", "Reason", "Until", ""), _accepted(review), "No finding is accepted."),
        "## Drift and reconciliation",
        _table(
            ("When", "Check", "Outcome", "Found"), _history(review), "No check was recorded in this time."
        ),
        "## Coverage",
        _table(
            ("Dataset", "Runs", "Last", "Columns", "Not observed"),
            _coverage(review),
            "The map documents no dataset.",
        ),
        "## Checklist",
        _list((f"{_BOX} {markdown_text(item)}" for item in _checklist(review)), "The map lists no checks."),
        "## Approvals",
        _table(
            ("Role", "Name", "Date", "State", "Signature"), _approvals(review), "The map lists no approvers."
        ),
        "## The document",
        _demoted(render_markdown(review.lineage_map.content)),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def review_html(review: Review) -> str:
    """Return the package as one HTML page, with the graph in place of the document's diagram."""
    picture = map_picture(review.lineage_map)
    text = review_markdown(review).partition("\n")[2]
    title = f"Lineage review: {review.lineage_map.content.document.title}"
    return page(title, document_body(text, FIGURE if picture else ""), picture)


def review_summary(review: Review) -> dict[str, Any]:
    """Return the counts that a task returns."""
    return {
        "digest": review.digest,
        "changes": len(review.changes.changes),
        "changes_known": review.changes.known,
        "questions": len(review.questions),
        "accepted": len(review.accepted),
        "checks": len(review.history),
        "observed": sum(bool(one.runs) for one in review.observed),
        "documented": len(review.observed),
        "problems": list(review.problems),
    }


def _summary(review: Review) -> Iterator[str]:
    reached = {name for change in review.changes.changes for name in change.consumers}
    observed = sum(bool(one.runs) for one in review.observed)
    failed = sum(one.outcome == "DRIFT" for one in review.history)
    known = "" if review.changes.known else ", as far as it is known"
    yield f"- {len(review.changes.changes)} changes{known}, reaching {len(reached)} consumers"
    yield f"- {len(review.questions)} open questions, {len(review.accepted)} accepted findings"
    yield f"- {len(review.history)} checks recorded, {failed} with drift"
    yield f"- {observed} of {len(review.observed)} documented datasets observed"


def _accepted(review: Review) -> Iterator[tuple[str, ...]]:
    for one in sorted(review.accepted, key=lambda one: one.until):
        state = "ended" if one.until < review.day else f"{(one.until - review.day).days} days left"
        yield (
            markdown_code(str(one.finding)),
            markdown_code(one.subject),
            markdown_text(one.reason),
            str(one.until),
            state,
        )


def _history(review: Review) -> Iterator[tuple[str, ...]]:
    for one in review.history[:_MOST_CHECKS]:
        yield one.at[:16].replace("T", " "), one.kind, one.outcome, markdown_text(one.text)
    if review.history[_MOST_CHECKS:]:
        yield "", "", "", f"and {len(review.history) - _MOST_CHECKS} earlier checks"


def _coverage(review: Review) -> Iterator[tuple[str, ...]]:
    for one in review.observed:
        seen = len(one.columns) - len(one.missing)
        columns = f"{seen} of {len(one.columns)}" if one.columns else "-"
        missing = ", ".join(map(markdown_code, one.missing)) if one.runs else ""
        yield markdown_code(one.name), str(one.runs), one.last[:10] or "never", columns, missing


def _checklist(review: Review) -> Iterator[str]:
    plan = review.lineage_map.content.validation
    yield from plan.manual
    yield from (f"{item} (automated)" for item in plan.automated)
    yield "The changes since the last approval are intended"
    yield "Every open question has an answer, and every accepted finding an end"


def _approvals(review: Review) -> Iterator[tuple[str, ...]]:
    for one in review.lineage_map.content.approvals:
        state = review.state_of(one)
        signed = state == "signed"
        yield (
            markdown_text(one.role),
            markdown_text(one.name) or _LINE,
            markdown_text(one.date) or _LINE[:24],
            state,
            "" if signed else _LINE,
        )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], otherwise: str) -> str:
    written = [f"| {' | '.join(row)} |" for row in rows]
    columns = list(head)
    if not written:
        return otherwise
    return "\n".join([f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}", *written])


def _list(items: Iterable[str], otherwise: str) -> str:
    return "\n".join(f"- {item}" for item in items) or otherwise


def _demoted(text: str) -> str:
    """Return Markdown with its headings two levels lower; lines of code stay."""
    lines, in_code = [], False
    for line in text.split("\n"):
        in_code ^= line.startswith("```")
        lines.append(f"##{line}" if line.startswith("#") and not in_code else line)
    return "\n".join(lines)
