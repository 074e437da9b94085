"""The review of a map by people: the package that they sign, and the record of their approval."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import example, expected_errors, map_argument

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
