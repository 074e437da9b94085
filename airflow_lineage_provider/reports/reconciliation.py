"""A reconciliation as text, Markdown, HTML and JSON."""

from __future__ import annotations

import html
import io
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.checks.reconcile import WORDS
from airflow_lineage_provider.checks.trend import key_of
from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.reports.console import console_for
from airflow_lineage_provider.reports.escape import json_text, markdown_code, markdown_text
from airflow_lineage_provider.reports.formats import comparison_as, comparison_data
from airflow_lineage_provider.reports.text import outcome, print_findings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from airflow_lineage_provider.checks.reconcile import EdgeRow, Reconciliation
    from airflow_lineage_provider.checks.trend import Trend

_HEADS = {
    "map": "documented",
    "manifest": "dbt",
    "event": "emitted",
    "query": "queried",
    "datahub": "DataHub",
}
_SHOWN = 500


def reconciliation_outcome(found: Reconciliation) -> str:
    """Return PASS, WARN or DRIFT; INCOMPLETE where evidence is missing and what is there is no drift."""
    if found.incomplete and found.comparison.severity is not Severity.ERROR:
        return "INCOMPLETE"
    return outcome(found.comparison)


def reconciliation_text(found: Reconciliation, trend: Trend) -> str:
    """Return the report as plain text, for a task's log."""
    stream = io.StringIO()
    print_reconciliation(found, trend, stream)
    return stream.getvalue()


def print_reconciliation(found: Reconciliation, trend: Trend, stream: TextIO) -> None:
    """Write the report: each edge beside each kind of evidence, the findings, the trend, the outcome."""
    from airflow_lineage_provider.reports.line import Line

    console = console_for(stream)
    wide = min(max((len(f"{r.target} <- {r.source}") for r in found.edges), default=20), 76)
    heads = "".join(f"{_head(kind):<12}" for kind in found.kinds)
    console.print(Line(f"{'Lineage':<{wide + 4}}", "bold").add(heads.rstrip(), "dim"))
    for row in found.edges[:_SHOWN]:
        line = Line(f"  {f'{row.target} <- {row.source}':<{wide}}  ")
        for kind in found.kinds:
            said = row.has.get(kind, "")
            line.add(f"{said or '.':<12}", "bold red" if said == "-" else "dim")
        console.print(line)
    if any(not row.has.get(kind) for row in found.edges for kind in found.kinds):
        console.print(Line("  . this kind of evidence would not show the edge", "dim"))
    if found.edges[_SHOWN:]:
        console.print(Line(f"  and {len(found.edges) - _SHOWN} more", "dim"))
    print_findings(found.comparison, stream)
    for text in _trend_lines(found, trend):
        console.print(Line(text, "dim"))
    if reconciliation_outcome(found) == "INCOMPLETE":
        console.print(Line("INCOMPLETE", "bold yellow").add("  what could not be read may differ"))


def _trend_lines(found: Reconciliation, trend: Trend) -> Iterator[str]:
    if not trend.previous:
        yield "Trend: this is the first reconciliation that is kept"
        return
    open_since = sorted(
        f"{key} (since {day})"
        for finding in found.comparison.findings
        if (key := key_of(finding)) not in trend.new and (day := trend.since.get(key))
    )
    counts = f"{len(trend.new)} new, {len(trend.gone)} gone, {len(open_since)} open"
    yield f"Trend since {trend.previous[:10]}: {counts}"
    for sign, keys in (("+", trend.new), ("-", trend.gone), ("=", open_since)):
        yield from (f"  {sign} {key}" for key in keys)


def _summary(found: Reconciliation) -> str:
    """Return which kinds of evidence were compared, and on how many edges they agree."""
    kinds = ", ".join(WORDS.get(kind, kind) for kind in found.kinds)
    agreed = sum("-" not in row.has.values() for row in found.edges)
    return f"Compared: {kinds}. {agreed} of {len(found.edges)} edges are in all that would show them."


def _head(kind: str) -> str:
    return _HEADS.get(kind, kind)


def _cells(found: Reconciliation, row: EdgeRow) -> list[str]:
    return [row.source, row.target, *(row.has.get(kind) or "not known" for kind in found.kinds)]


def reconciliation_markdown(found: Reconciliation, trend: Trend) -> str:
    """Return the report as Markdown."""
    lines = [f"## Lineage reconciliation: {reconciliation_outcome(found)}", "", _summary(found), ""]
    lines += [f"- incomplete: {markdown_text(reason)}" for reason in found.incomplete]
    lines += ["", *(f"- {markdown_text(text.strip())}" for text in _trend_lines(found, trend)), ""]
    heads = ["From", "To", *map(_head, found.kinds)]
    lines += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in found.edges:
        source, target, *said = _cells(found, row)
        lines.append(f"| {markdown_code(source)} | {markdown_code(target)} | {' | '.join(said)} |")
    return "\n".join(lines) + "\n\n" + comparison_as("markdown", found.comparison)


def reconciliation_html(found: Reconciliation, trend: Trend) -> str:
    """Return the report as one HTML page."""
    from airflow_lineage_provider.reports.page import page, table

    findings = [
        (f.severity, f.code, f.message, trend.since.get(key_of(f), "")) for f in found.comparison.findings
    ]
    body = f"<p>{html.escape(_summary(found))}</p>\n"
    body += "".join(table(("Incomplete",), [(reason,)]) for reason in found.incomplete)
    if findings:
        body += "<h2>Findings</h2>\n" + table(("", "Finding", "What", "Open since"), findings)
    body += "<h2>Trend</h2>\n" + table(("Since the last time",), [(t,) for t in _trend_lines(found, trend)])
    body += "<h2>Lineage</h2>\n"
    body += table(("From", "To", *map(_head, found.kinds)), [_cells(found, row) for row in found.edges])
    return page(f"Lineage reconciliation: {reconciliation_outcome(found)}", body)


def reconciliation_data(found: Reconciliation, trend: Trend) -> dict[str, Any]:
    """Return the reconciliation as plain data."""
    return comparison_data(found.comparison) | {
        "outcome": reconciliation_outcome(found),
        "compared": list(found.kinds),
        "incomplete": list(found.incomplete),
        "edges": [{"source": r.source, "target": r.target, "evidence": dict(r.has)} for r in found.edges],
        "trend": {
            "previous": trend.previous,
            "new": list(trend.new),
            "gone": list(trend.gone),
            "open_since": [{"finding": key, "since": day} for key, day in trend.since.items()],
        },
    }


def reconciliation_as(form: str, found: Reconciliation, trend: Trend) -> str:
    """Return a reconciliation as text, json, markdown or html, or as another format of a comparison."""
    if form == "json":
        return json_text(reconciliation_data(found, trend), indent=2) + "\n"
    forms = {"text": reconciliation_text, "markdown": reconciliation_markdown, "html": reconciliation_html}
    if form in forms:
        return forms[form](found, trend)
    return comparison_as(form, found.comparison)


def form_of(path: str) -> str:
    """Return the format that a file's name says; text for any other name.

    >>> form_of("reports/week.html")
    'html'
    """
    ending = path.rpartition(".")[2].lower()
    known = {"md": "markdown", "markdown": "markdown", "html": "html", "json": "json", "xml": "junit"}
    return known.get(ending, "text")
