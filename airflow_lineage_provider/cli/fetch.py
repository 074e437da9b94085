"""Fetch the answer of an outside system into a file."""

from __future__ import annotations

import os

import click

from airflow_lineage_provider.cli.options import example, expected_errors


@click.command(epilog=example("airflow-lineage fetch tableau --conn tableau_default > answers/tableau.json"))
@click.argument("system")
@click.option(
    "--conn",
    required=True,
    metavar="NAME",
    help="The connection, which the environment variable AIRFLOW_CONN_<NAME> holds as a URI or as JSON.",
)
@click.option("--without-emails", is_flag=True, help="Remove e-mail addresses too; secrets always are.")
def fetch(system: str, conn: str, without_emails: bool) -> None:  # noqa: FBT001 - an option of click
    """Print the answer of an outside SYSTEM, such as tableau, as JSON without secrets.

    `validate --answers` and the operators' `saved_answer` read it in place of the system.
    """
    with expected_errors():
        from airflow_lineage_provider.systems.answers import fetch_answer
        from airflow_lineage_provider.systems.connection import environment_connection
        from airflow_lineage_provider.systems.saved import answer_text

        answer = fetch_answer(system, environment_connection(conn, os.environ))
        click.echo(answer_text(answer, emails=not without_emails), nl=False)
