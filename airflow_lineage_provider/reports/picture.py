"""The pages of Airflow's UI inside of an HTML report: the script, and the data that it shows.

The script is `report.js`, which `make ui` builds and which the wheel has. A report without it has its tables.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.graph import Graph, Severity
from airflow_lineage_provider.reports.text import outcome

if TYPE_CHECKING:
    from airflow_lineage_provider.graph import Comparison
    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.reports.views.lineage import RunLineage

BUNDLE = Path(__file__).parents[1] / "plugins" / "static" / "report.js"
NO_BUNDLE = (
    "the HTML page has no drawing: this is a source checkout without the built pages; run `make ui` once"
)
MAX_COLUMNS = 20_000
"""A report of more columns has the graph of its tables only."""
_NOT_IN_SCRIPT = str.maketrans({"<": r"\u003c", ">": r"\u003e", "&": r"\u0026"})


def bundle() -> str | None:
    """Return the script of reports as text for a script element, or None where it was not built."""
    if not BUNDLE.is_file():
        return None
    # Both are text in string literals of the script, where the escape means the same.
    return BUNDLE.read_text(encoding="utf-8").replace("</script", "<\\/script").replace("<!--", "<\\!--")


def in_script(data: Any) -> str:
    """Return data as JSON for a script element: no name in it can end the element or begin a comment."""
    return json.dumps(data, separators=(",", ":")).translate(_NOT_IN_SCRIPT)


def map_picture(lineage_map: LineageMap) -> str:
    """Return the data of what a map documents; empty where there is no script to show it."""
    from airflow_lineage_provider.readers.documented import read_map
    from airflow_lineage_provider.reports.views.lineage import RunLineage
    from airflow_lineage_provider.reports.views.validation import map_facts

    documented = read_map(lineage_map).graph
    if bundle() is None or not documented.edges:
        return ""
    lineage = RunLineage(
        documented, Graph(), dict.fromkeys(documented.edges, "documented"), facts=map_facts(lineage_map, "")
    )
    return in_script(_data(lineage, None))


def run_picture(lineage: RunLineage, comparison: Comparison) -> str:
    """Return the data of a validated run; empty where there is no script to show it."""
    return "" if bundle() is None or not lineage.graph.edges else in_script(_data(lineage, comparison))


def _data(lineage: RunLineage, comparison: Comparison | None) -> dict[str, Any]:
    from airflow_lineage_provider.reports.views.columns import column_edge_view
    from airflow_lineage_provider.reports.views.detail import PastRun, dataset_detail
    from airflow_lineage_provider.reports.views.findings import finding_views
    from airflow_lineage_provider.reports.views.graph import graph_view
    from airflow_lineage_provider.reports.views.jobs import jobs_view
    from airflow_lineage_provider.reports.views.models import RunSummary

    now = dt.datetime.now(dt.UTC)
    severities = [finding.severity for finding in comparison.findings] if comparison else []
    run = RunSummary(
        run_id="run" if comparison else "map",
        state="success",
        started=None,
        ended=None,
        outcome=outcome(comparison) if comparison else None,
        errors=severities.count(Severity.ERROR),
        warnings=severities.count(Severity.WARNING),
    )
    is_whole = sum(len(one.columns) for one in lineage.graph.datasets.values()) <= MAX_COLUMNS
    notes = [] if is_whole else [f"More than {MAX_COLUMNS:,} columns: this page has the tables only."]
    history = [PastRun(run.run_id, lineage.events)] if comparison else []
    details = [dataset_detail(lineage, name, history, now) for name in lineage.graph.datasets if is_whole]
    column_edges = [column_edge_view(lineage, edge) for edge in lineage.graph.column_edges if is_whole]
    return {
        "graph": graph_view(lineage, run, complete=True, notes=notes).model_dump(mode="json"),
        "details": [one.model_dump(mode="json") for one in details],
        "column_edges": [one.model_dump(mode="json") for one in column_edges],
        "jobs": [one.model_dump(mode="json") for one in jobs_view(lineage)],
        "findings": [one.model_dump(mode="json") for one in finding_views(lineage, now.date())],
    }
