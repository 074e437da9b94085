"""Questions to the documented graph."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.shared import example, map_argument, plain_errors

if TYPE_CHECKING:
    from pathlib import Path

hops_option = click.option("--hops", type=click.IntRange(min=1), help="Look no further than this many steps.")
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


@click.command(
    epilog=example("airflow-lineage impact dags/customer_analytics_pipeline.yaml bronze.raw_orders.amount")
)
@map_argument
@click.argument("column")
@hops_option
@click.option("--change", type=click.Choice(["type", "rename", "drop"]), help="Say what it would break.")
@format_option
def impact(lineage_map: Path, column: str, hops: int | None, change: str | None, form: str) -> None:
    """Print what is made from a COLUMN or dataset of the MAP, down to the dashboards and models."""
    with plain_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.documented import read_map
        from airflow_lineage_provider.readers.impact import planned_change
        from airflow_lineage_provider.reports.impact import impact_json, print_impact

        graph = read_map(load_map(lineage_map))
        found, told = planned_change(graph, column, change, hops=hops)
        if form == "json":
            click.echo(json.dumps(impact_json(graph, found, told), indent=2, ensure_ascii=False))
        else:
            print_impact(graph, found, sys.stdout, told)


@click.command(
    epilog=example("airflow-lineage trace dags/analytics.yaml gold.customer_behavior.total_revenue")
)
@map_argument
@click.argument("column")
@hops_option
@format_option
def trace(lineage_map: Path, column: str, hops: int | None, form: str) -> None:
    """Print what a COLUMN or dataset of the MAP is made from, up to its sources."""
    with plain_errors():
        from airflow_lineage_provider.graph import trace as walk
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.documented import read_map
        from airflow_lineage_provider.readers.references import column_reference
        from airflow_lineage_provider.reports.impact import impact_json, print_trace

        graph = read_map(load_map(lineage_map))
        found = walk(graph, [column_reference(graph, column)], hops=hops)
        if form == "json":
            click.echo(json.dumps(impact_json(graph, found), indent=2, ensure_ascii=False))
        else:
            print_trace(graph, found, sys.stdout)
