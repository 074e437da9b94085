"""`airflow-lineage`: the command line, for a terminal and for CI.

Exit status: 0 for agreement, 1 for drift, 2 for bad input. No module here imports Airflow, and each command
imports what it needs when it is called.
"""

from __future__ import annotations

import click

from airflow_lineage_provider import __version__
from airflow_lineage_provider.cli.adoption import accept, doctor, init, update
from airflow_lineage_provider.cli.artifacts import artifacts
from airflow_lineage_provider.cli.assistant import mcp
from airflow_lineage_provider.cli.audit import audit
from airflow_lineage_provider.cli.catalog import publish, recipes
from airflow_lineage_provider.cli.documents import import_, render
from airflow_lineage_provider.cli.fetch import fetch
from airflow_lineage_provider.cli.graph import impact, trace
from airflow_lineage_provider.cli.maps import check, comment, diff, lint
from airflow_lineage_provider.cli.outbox import forward, outbox, serve, sweep
from airflow_lineage_provider.cli.reconcile import reconcile
from airflow_lineage_provider.cli.review import approve, review
from airflow_lineage_provider.cli.runs import events, validate
from airflow_lineage_provider.cli.sql import sql


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="airflow-lineage")
def main() -> None:
    """Query documented and emitted data lineage, and compare the two."""


for command in (
    accept,
    approve,
    artifacts,
    audit,
    check,
    comment,
    diff,
    doctor,
    events,
    fetch,
    forward,
    impact,
    import_,
    init,
    lint,
    mcp,
    outbox,
    publish,
    recipes,
    reconcile,
    render,
    review,
    serve,
    sql,
    sweep,
    trace,
    update,
    validate,
):
    main.add_command(command)
