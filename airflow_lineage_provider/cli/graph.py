"""Queries of the documented lineage, and of what runs have emitted."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.migration import gate, gates, migration_options
from airflow_lineage_provider.cli.options import environment_option, example, expected_errors, map_argument
from airflow_lineage_provider.cli.runs import emitted_events, source_at, source_option

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_lineage_provider.graph import Graph

    Command = Callable[..., Any]


def _graph_query(command: Command, *, column_required: bool = True) -> Command:
    """Add the arguments that every query of the graph takes."""
    options = (
        map_argument,
        click.argument(
            "column", required=column_required, metavar="COLUMN" if column_required else "[COLUMN]"
        ),
        click.option("--hops", type=click.IntRange(min=1), help="Look no further than this many steps."),
        click.option("--run", metavar="RUN", help="Add what this run emitted: an id, `latest` or `all`."),
        click.option(
            "--until", metavar="TIME", default="", help="With --run: only events up to this time (ISO 8601)."
        ),
        environment_option,
        source_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _several(name: str, what: str) -> Command:
    return click.option(f"--{name}", f"{name}s", multiple=True, help=f"Only what is {what}; may be repeated.")


@click.command(
    epilog=example("airflow-lineage impact dags/customer_analytics_pipeline.yaml bronze.raw_orders.amount")
)
@partial(_graph_query, column_required=False)
@click.option("--change", type=click.Choice(["type", "rename", "drop"]), help="Say what it would break.")
@migration_options
@_several("system", "of this system")
@_several("layer", "in this layer")
@_several("owner", "owned by them")
@_several("kind", "of this kind: table, dashboard, ...")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True
)
def impact(column: str | None, hops: int | None, change: str | None, form: str, **options: Any) -> None:
    """Print what is made from a COLUMN or dataset of the MAP, down to the dashboards and models.

    With --migration, what the statements of a migration reach, and with --manifest and --against what the
    changes of a dbt project do. Exits then with status 1 where consumers are affected that the map's policy
    does not allow (findings `consumer-affected`, which `accepted` can list until a day).
    """
    if gates(options):
        gate(form, column=column, **options)
        return
    if column is None:
        raise click.UsageError("name a COLUMN, --migration FILE, or --manifest NEW --against OLD")
    with expected_errors():
        from airflow_lineage_provider.checks.impact import planned_change
        from airflow_lineage_provider.graph import narrow, select
        from airflow_lineage_provider.reports.escape import json_text
        from airflow_lineage_provider.reports.impact import impact_json, impact_markdown, print_impact

        graph = _graph(options)
        found, effects = planned_change(graph, column, change, hops=hops)
        wanted = {name: options[name] for name in ("systems", "layers", "owners", "kinds")}
        if any(wanted.values()):
            found = narrow(found, select(graph, found, **wanted))
        if form == "json":
            click.echo(json_text(impact_json(graph, found, effects), indent=2))
        elif form == "markdown":
            click.echo(impact_markdown(graph, found, effects), nl=False)
        else:
            print_impact(graph, found, sys.stdout, effects)


@click.command(
    epilog=example("airflow-lineage trace dags/analytics.yaml gold.customer_behavior.total_revenue")
)
@_graph_query
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def trace(column: str, hops: int | None, form: str, **options: Any) -> None:
    """Print what a COLUMN or dataset of the MAP is made from, up to its sources."""
    with expected_errors():
        from airflow_lineage_provider.checks.references import column_reference
        from airflow_lineage_provider.graph import trace as walk
        from airflow_lineage_provider.reports.escape import json_text
        from airflow_lineage_provider.reports.impact import impact_json, print_trace

        graph = _graph(options)
        found = walk(graph, [column_reference(graph, column)], hops=hops)
        if form == "json":
            click.echo(json_text(impact_json(graph, found), indent=2))
        else:
            print_trace(graph, found, sys.stdout)


def _graph(options: dict[str, Any]) -> Graph:
    """Return the map's graph, combined with that of a run where one is named."""
    from airflow_lineage_provider.graph import as_documented, combine
    from airflow_lineage_provider.lineage_map import bindings_of, load_map
    from airflow_lineage_provider.readers.documented import read_map
    from airflow_lineage_provider.readers.events import read_events

    path: Path = options["lineage_map"]
    lineage_map = load_map(path)
    documented = read_map(lineage_map).graph
    if not options["run"]:
        return documented
    source = source_at(options["store"])
    events = emitted_events(source, options["run"], lineage_map)
    bindings = bindings_of(lineage_map, options["environment"])
    observed = read_events(events, bindings, until=options["until"]).graph
    return combine(documented, as_documented(documented, observed))
