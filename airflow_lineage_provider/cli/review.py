"""The review of a map by people: the package that they sign, and the record of their approval."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import (
    echo_page,
    environment_option,
    example,
    expected_errors,
    map_argument,
)
from airflow_lineage_provider.cli.runs import source_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command(
    epilog=example('airflow-lineage approve dags/analytics.yaml --role "Data Platform Lead" --name "A. Lee"')
)
@map_argument
@click.option("--role", required=True, help="Role of the approver, as the map's `approvals` lists it.")
@click.option("--name", required=True, help="Name of the approver.")
@click.option(
    "--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Day of the approval.  [default: today, UTC]"
)
def approve(lineage_map: Path, role: str, name: str, day: dt.datetime | None) -> None:
    """Record an approval in the MAP: name, day and the digest of what is approved.

    Only the lines of that approval change. `lint` says when the map was changed after it.
    """
    with expected_errors():
        from airflow_lineage_provider.lineage_map.approval import Signature
        from airflow_lineage_provider.lineage_map.files import approve_file
        from airflow_lineage_provider.reports.escape import one_line

        date = day.date() if day else dt.datetime.now(dt.UTC).date()
        digest = approve_file(lineage_map, Signature(role, name, date))
        click.echo(one_line(f"{lineage_map}: approved by {name} as {role} on {date}: {digest}"))


@click.command(
    epilog=example("airflow-lineage review dags/analytics.yaml -e prod --format html > review.html")
)
@map_argument
@environment_option
@source_option
@click.option(
    "--since", default="92 days", show_default=True, help="How far back events and checks are read."
)
@click.option(
    "--from",
    "revision",
    default="",
    metavar="REVISION",
    help="Compare with this git revision.  [default: the "
    "version that was approved last, found by its digest]",
)
@click.option(
    "--format", "form", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True
)
def review(
    lineage_map: Path, environment: str | None, store: str | None, since: str, revision: str, form: str
) -> None:
    """Write what the reviewers of a MAP sign: changes, questions, history, coverage, the document."""
    with expected_errors():
        from airflow_lineage_provider.checks.review_package import read_review
        from airflow_lineage_provider.cli.runs import source_at
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.lineage_map.sla import parse_duration
        from airflow_lineage_provider.reports.review import review_html, review_markdown

        found = read_review(
            load_map(lineage_map),
            source_at(store),
            now=dt.datetime.now(dt.UTC),
            period=parse_duration(since),
            environment=environment,
            revision=revision,
        )
        if form == "html":
            echo_page(review_html(found))
        else:
            click.echo(review_markdown(found), nl=False)
