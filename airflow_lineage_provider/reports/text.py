"""A validation as text, for a terminal or a log."""

from __future__ import annotations

import io
import textwrap
from pathlib import PurePath
from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.validation import first_line
from airflow_lineage_provider.graph import Severity, Verdict, coverage, saved_answer
from airflow_lineage_provider.reports.console import WIDTH, console_for
from airflow_lineage_provider.reports.escape import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TextIO

    from rich.console import Console

    from airflow_lineage_provider.checks import Validation
    from airflow_lineage_provider.graph import Comparison, EdgeVerdict, Finding
    from airflow_lineage_provider.readers import JobRun

_VERDICTS = {
    Verdict.VERIFIED: ("ok", "green"),
    Verdict.PHANTOM: ("PHANTOM", "bold red"),
    Verdict.UNDECLARED: ("UNDECLARED", "bold red"),
    Verdict.UNOBSERVED: ("unobserved", "dim"),
}
_STATUSES = {"COMPLETE": ("ok", "green"), "FAIL": ("FAILED", "bold red"), "ABORT": ("skipped", "yellow")}
_SEVERITIES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "cyan"}
_OUTCOMES = {Severity.ERROR: ("DRIFT", "bold red"), Severity.WARNING: ("WARN", "bold yellow")}


def outcome(comparison: Comparison) -> str:
    """Return PASS, WARN or DRIFT."""
    return _OUTCOMES.get(comparison.severity, ("PASS", ""))[0]


def validation_text(validation: Validation) -> str:
    """Return the report as plain text, for a task's log."""
    stream = io.StringIO()
    print_validation(validation, stream)
    return stream.getvalue()


def print_validation(validation: Validation, stream: TextIO) -> None:
    """Write the report: the jobs, the edges beside the map, the findings, and the outcome as last line.

    Colour is used only where the stream is a terminal.
    """
    console = console_for(stream)
    _print_jobs(console, validation.evidence.jobs)
    _print_edges(console, validation.comparison)
    _print_coverage(console, validation)
    _print_findings(console, validation.comparison)
    _print_summary(console, validation.comparison)


def print_findings(comparison: Comparison, stream: TextIO) -> None:
    """Write only the findings and the outcome, as `lint` needs."""
    console = console_for(stream)
    _print_findings(console, comparison)
    _print_summary(console, comparison)


def print_comparison(comparison: Comparison, stream: TextIO, *, observed: str) -> None:
    """Write the edges with their verdicts, the findings and the outcome; `observed` heads what was seen."""
    console = console_for(stream)
    _print_edges(console, comparison, observed)
    _print_findings(console, comparison)
    _print_summary(console, comparison)


def _print_jobs(console: Console, jobs: Iterable[JobRun]) -> None:
    from airflow_lineage_provider.reports.line import Line

    made = [job for job in jobs if job.outputs]
    tests = [job for job in jobs if job.assertions]
    if not made and not tests:
        return
    _heading(console, "What ran")
    wide = max(44, *(min(len(job.label), 60) for job in made), 0)
    for job in made:
        word, style = _STATUSES.get(job.status, (job.status.lower(), "yellow"))
        rows = "" if job.rows is None else f"{job.rows:,} rows"
        seconds = "" if job.seconds is None else f"{job.seconds:.2f} s"
        line = Line(f"  {job.label:<{wide}} ").add(f"{word:<8}", style).add(f"{rows:>16}{seconds:>12}", "dim")
        console.print(line)
        if job.error:
            console.print(Line(f"    {first_line(job.error)}", "red"))
    if tests:
        failed, warned = (
            sum(job.failed_assertions for job in tests),
            sum(job.warned_assertions for job in tests),
        )
        passed = sum(job.assertions for job in tests) - failed - warned
        line = Line(f"  {'tests':<{wide}} ").add(f"{passed} passed", "green")
        line.add(f", {warned} warned" if warned else "", "yellow")
        console.print(line.add(f", {failed} failed" if failed else "", "bold red"))


def _print_edges(console: Console, comparison: Comparison, observed: str = "emitted") -> None:
    """Print each target with its sources: where each is documented, whether it was emitted, the verdict."""
    from airflow_lineage_provider.reports.line import Line

    left = min(max((len(e.edge.target) for e in comparison.edges), default=0), 44)
    right = min(max((len(e.edge.source) for e in comparison.edges), default=0), 44)
    in_files = _in_files(comparison.edges)
    wide = max([12, *(len(_place(one, in_files=in_files)) + 1 for one in comparison.edges)])
    _heading(console, f"{'Lineage':<{left + right + 7}}", f"{'documented':<{wide}}{observed:<9}verdict")
    for target, verdicts in _by_target(comparison.edges):
        for number, found in enumerate(verdicts):
            word, style = _VERDICTS[found.verdict]
            flowed = found.verdict in {Verdict.VERIFIED, Verdict.UNDECLARED}
            emitted = "through" if found.through else "yes" if flowed else "-"
            line = Line(f"  {'' if number else target:<{left}} <- {found.edge.source:<{right}} ")
            console.print(
                line.add(f"{_place(found, in_files=in_files):<{wide}}{emitted:<9}", "dim").add(word, style)
            )
            if found.through:
                console.print(Line(f"  {'':<{left}}    through {', '.join(found.through)}", "dim"))
            if found.saved:
                console.print(Line(f"  {'':<{left}}    {saved_answer(found.saved)}", "dim"))


def _print_coverage(console: Console, validation: Validation) -> None:
    """Print how many columns have known sources, and why others have none."""
    from airflow_lineage_provider.reports.line import Line

    found = list(coverage(validation.evidence.graph))
    if not found:
        return
    resolved, total = sum(c.resolved for c in found), sum(c.columns for c in found)
    _heading(console, "Columns")
    console.print(Line(f"  {resolved} of {total} resolved", "dim"))
    for gap in (*(str(c) for c in found if c.gaps), *validation.evidence.problems):
        _print_wrapped(console, gap, 2, "yellow")


def _by_target(edges: Iterable[EdgeVerdict]) -> Iterator[tuple[str, list[EdgeVerdict]]]:
    grouped: dict[str, list[EdgeVerdict]] = {}
    for found in edges:
        grouped.setdefault(found.edge.target, []).append(found)
    yield from grouped.items()


def _in_files(edges: Iterable[EdgeVerdict]) -> bool:
    """Whether the edges are documented in several files."""
    places = (place for one in edges for place in one.edge.provenance[:1] if place.kind == "map")
    return len({place.file for place in places}) > 1


def _place(found: EdgeVerdict, *, in_files: bool) -> str:
    """Return where an edge is documented: its line, with the name of its file where there are several."""
    if found.verdict is Verdict.UNDECLARED:
        return "-"
    place = next((place for place in found.edge.provenance if place.line), None)
    if place is None:
        return "yes"
    return f"{PurePath(place.file).name}:{place.line}" if in_files else f"line {place.line}"


def _print_findings(console: Console, comparison: Comparison) -> None:
    from airflow_lineage_provider.reports.line import Line

    if comparison.findings:
        _heading(console, "Findings")
    for finding in comparison.findings:
        head = Line("  ").add(f"{finding.severity:<8}", _SEVERITIES[finding.severity])
        console.print(head.add(f"{finding.code}", "bold"))
        _print_wrapped(console, finding.message, 10)
        _print_where(console, finding)
    if comparison.accepted:
        _heading(console, "Accepted")
    for finding in comparison.accepted:
        console.print(Line(f"  {finding.code}: {finding.message} (accepted: {finding.accepted})", "dim"))


def _print_wrapped(console: Console, text: str, margin: int, style: str = "") -> None:
    from airflow_lineage_provider.reports.line import Line

    wide = WIDTH - margin
    for part in textwrap.wrap(one_line(text), wide, break_long_words=False, break_on_hyphens=False):
        console.print(Line(f"{' ' * margin}{part}", style))


def _print_where(console: Console, finding: Finding) -> None:
    from airflow_lineage_provider.reports.line import Line

    for found in finding.documented[:1]:
        console.print(Line(f"{'':10}documented in {found}", "dim"))
    for found in finding.observed[:1]:
        console.print(Line(f"{'':10}{found.verb} {found}", "dim"))


def _print_summary(console: Console, comparison: Comparison) -> None:
    from airflow_lineage_provider.reports.line import Line

    counts = {verdict: sum(e.verdict is verdict for e in comparison.edges) for verdict in Verdict}
    word, style = _OUTCOMES.get(comparison.severity, ("PASS", "bold green"))
    columns = comparison.column_edges.get(Verdict.VERIFIED, 0)
    also = f" and {columns} column edges" if columns else ""
    parts = [f"{counts[Verdict.VERIFIED]} edges{also} verified"] if comparison.edges else []
    if saved := sum(bool(e.saved) for e in comparison.edges if e.verdict is Verdict.VERIFIED):
        parts.append(f"{saved} by a saved answer only")
    if counts[Verdict.UNOBSERVED]:
        parts.append(f"{counts[Verdict.UNOBSERVED]} not in this run")
    findings = {severity: sum(f.severity is severity for f in comparison.findings) for severity in Severity}
    parts += [
        f"{number} {severity}{'s' if number > 1 else ''}" for severity, number in findings.items() if number
    ]
    if comparison.accepted:
        parts.append(f"{len(comparison.accepted)} accepted")
    console.print()
    console.print(Line(word, style).add(f"  {', '.join(parts)}" if parts else ""))


def _heading(console: Console, title: str, columns: str = "") -> None:
    from airflow_lineage_provider.reports.line import Line

    console.print()
    console.print(Line(title, "bold").add(columns, "dim"))
