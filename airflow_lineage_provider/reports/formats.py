"""A comparison as JSON, Markdown, HTML, JUnit, SARIF and GitHub annotations."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from airflow_lineage_provider import __version__
from airflow_lineage_provider.graph import Severity, Verdict, saved_answer
from airflow_lineage_provider.reports.escape import (
    json_text,
    markdown_text,
    one_line,
    symbols,
)
from airflow_lineage_provider.reports.text import outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_lineage_provider.checks import Validation
    from airflow_lineage_provider.graph import Comparison, Finding, Provenance
    from airflow_lineage_provider.lineage_map import LineageMap

_GITHUB = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def comparison_as(form: str, comparison: Comparison) -> str:
    """Return a comparison as json, markdown, html, junit, sarif or github. KeyError for another form."""
    return FORMATS[form](comparison)


def validation_page(
    validation: Validation,
    lineage_map: LineageMap,
    environment: str | None,
    events: Sequence[Mapping[str, Any]],
) -> str:
    """Return a validation as an HTML page with the graph, the jobs and the columns of the run."""
    from airflow_lineage_provider.reports.picture import run_picture
    from airflow_lineage_provider.reports.views.lineage import validated_run
    from airflow_lineage_provider.reports.views.run_events import read_run_events
    from airflow_lineage_provider.reports.views.validation import saved_validation

    saved = saved_validation(validation, lineage_map, "", environment)
    lineage = validated_run(saved, read_run_events(events, lineage_map.content.pipeline.dag_id))
    return comparison_page(validation.comparison, run_picture(lineage, validation.comparison))


def comparison_data(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as plain data."""
    return {
        "outcome": outcome(comparison),
        "findings": [_finding(finding) for finding in comparison.findings],
        "accepted": [_finding(finding) | {"accepted": finding.accepted} for finding in comparison.accepted],
        "edges": [
            {
                "source": found.edge.source,
                "target": found.edge.target,
                "verdict": str(found.verdict),
                "through": list(found.through),
                **({"saved_answer": found.saved} if found.saved else {}),
            }
            for found in comparison.edges
        ],
        "column_edges": {str(verdict): number for verdict, number in comparison.column_edges.items()},
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": str(finding.code),
        "severity": str(finding.severity),
        "subject": finding.subject,
        "message": finding.message,
        "documented": [_provenance(provenance) for provenance in finding.documented],
        "observed": [_provenance(provenance) for provenance in finding.observed],
    }


def _provenance(provenance: Provenance) -> dict[str, Any]:
    fields = {"kind": provenance.kind, "file": provenance.file, "line": provenance.line}
    run = {"job": provenance.job, "run_id": provenance.run_id, "at": provenance.at}
    run["saved_answer"] = provenance.saved
    return {key: value for key, value in (fields | run).items() if value}


def _json(comparison: Comparison) -> str:
    return json_text(comparison_data(comparison), indent=2) + "\n"


def _markdown(comparison: Comparison) -> str:
    """Return Markdown for a comment on a pull request: the outcome, then the findings as a table."""
    verified = sum(edge.verdict is Verdict.VERIFIED for edge in comparison.edges)
    lines = [f"### Lineage: {outcome(comparison)}", ""]
    if comparison.edges:
        saved = sum(bool(edge.saved) for edge in comparison.edges if edge.verdict is Verdict.VERIFIED)
        only = f", {saved} by a saved answer only" if saved else ""
        lines += [f"{verified} of {len(comparison.edges)} edges verified{only}.", ""]
    if comparison.findings:
        lines += ["| | Finding | What | Where |", "|---|---|---|---|"]
        lines += [
            f"| {f.severity} | `{f.code}` | {markdown_text(f.message)} | {markdown_text(_where(f))} |"
            for f in comparison.findings
        ]
    lines += [
        f"- accepted: {markdown_text(f.message)} ({markdown_text(f.accepted)})" for f in comparison.accepted
    ]
    return "\n".join(lines).rstrip() + "\n"


def _where(finding: Finding) -> str:
    return ", ".join(str(provenance) for provenance in (*finding.documented[:1], *finding.observed[:1]))


def comparison_page(comparison: Comparison, picture: str = "") -> str:
    """Return a comparison as an HTML page: the drawing of `run_picture`, the findings and the edges."""
    from airflow_lineage_provider.reports.page import FIGURE, page, table

    findings = [(f.severity, f.code, f.message, _where(f)) for f in comparison.findings]
    edges = [
        (
            e.verdict,
            e.edge.source,
            e.edge.target,
            ", ".join(e.through),
            saved_answer(e.saved) if e.saved else "",
        )
        for e in comparison.edges
    ]
    body = FIGURE if picture else ""
    body += table(("", "Finding", "What", "Where"), findings) if findings else ""
    body += table(("Verdict", "From", "To", "Through", "Evidence"), edges) if edges else ""
    return page(f"Lineage: {outcome(comparison)}", body, picture)


def _junit(comparison: Comparison) -> str:
    """Return a JUnit test suite with a case for each edge and each finding."""
    kept = [e for e in comparison.edges if e.verdict in {Verdict.VERIFIED, Verdict.UNOBSERVED}]
    failures = [f for f in comparison.findings if f.severity is Severity.ERROR]
    suite = ET.Element("testsuite", name="airflow-lineage", tests=str(len(kept) + len(comparison.findings)))
    suite.set("failures", str(len(failures)))
    suite.set("skipped", str(sum(e.verdict is Verdict.UNOBSERVED for e in kept)))
    for edge in kept:
        case = ET.SubElement(suite, "testcase", classname="edge", name=symbols(str(edge.edge)))
        if edge.verdict is Verdict.UNOBSERVED:
            ET.SubElement(case, "skipped", message="not in this run")
    for finding in comparison.findings:
        case = ET.SubElement(suite, "testcase", classname=str(finding.code), name=symbols(finding.subject))
        if finding.severity is Severity.ERROR:
            ET.SubElement(case, "failure", message=symbols(finding.message)).text = symbols(_where(finding))
        else:
            ET.SubElement(case, "system-out").text = symbols(f"{finding.severity}: {finding.message}")
    ET.indent(suite)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def _sarif(comparison: Comparison) -> str:
    """Return SARIF 2.1.0, for GitHub code scanning and the like."""
    found = [*comparison.findings, *comparison.accepted]
    codes = list(dict.fromkeys(finding.code for finding in found))
    driver = {
        "name": "airflow-lineage",
        "version": __version__,
        "rules": [{"id": str(code), "name": _pascal(str(code))} for code in codes],
    }
    results = [_sarif_result(finding, codes.index(finding.code)) for finding in found]
    document = {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }
    return json.dumps(document, indent=2) + "\n"


def _sarif_result(finding: Finding, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": str(finding.code),
        "ruleIndex": rule,
        "level": str(finding.severity),
        "message": {"text": _sarif_text(finding.message)},
        "partialFingerprints": {"finding/v1": f"{finding.code}:{finding.subject}"},
    }
    places = [_sarif_place(e) for e in (*finding.documented, *finding.observed) if e.file]
    if places:
        result["locations"] = places[:1]
    if finding.accepted:
        result["suppressions"] = [{"kind": "external", "justification": one_line(finding.accepted)}]
    return result


def _sarif_text(text: str) -> str:
    """Escape the brackets, which would be a link in a SARIF message."""
    return re.sub(r"[\\\[\]]", r"\\\g<0>", one_line(text))


def _sarif_place(provenance: Provenance) -> Mapping[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(provenance.file.replace("\\", "/"))}}
    if provenance.line:
        place["region"] = {"startLine": provenance.line}
    return {"physicalLocation": place}


def _pascal(code: str) -> str:
    return "".join(word.title() for word in code.split("-"))


def _github(comparison: Comparison) -> str:
    """Return workflow commands, which GitHub shows as annotations of a pull request."""
    lines = [_command(finding) for finding in comparison.findings]
    return "\n".join([*lines, f"Lineage: {outcome(comparison)}"]) + "\n"


def _command(finding: Finding) -> str:
    place = next((provenance for provenance in finding.documented if provenance.file), None)
    properties = [f"title={_property(str(finding.code))}"]
    if place:
        properties = [f"file={_property(place.file)}", f"line={place.line or 1}", *properties]
    return f"::{_GITHUB[finding.severity]} {','.join(properties)}::{_data(finding.message)}"


def _data(text: str) -> str:
    return one_line(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS: Mapping[str, Callable[[Comparison], str]] = {
    "json": _json,
    "markdown": _markdown,
    "html": comparison_page,
    "junit": _junit,
    "sarif": _sarif,
    "github": _github,
}
