"""`airflow-lineage-dbt`: run dbt where Airflow is not, and report its lineage while it runs.

For a container, a pod or a Makefile. It needs dbt, OpenLineage's client and sqlglot, and neither Airflow nor
an event store: see `packages/airflow-lineage-dbt` in the repository.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider import __version__
from airflow_lineage_provider.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_lineage_provider.dbt.records import InvocationFinished
    from airflow_lineage_provider.dbt.runner import DbtRun
    from airflow_lineage_provider.dbt_cli.delivery import Delivery

FAILED, BAD_INPUT = 1, 2
# Kubernetes and Docker kill a container 30 s and 10 s after they have asked it to end.
STOPPED_PATIENCE = 8.0
EXAMPLE = "Example: airflow-lineage-dbt --url http://lineage:5000 build --select silver --target prod"


@click.command(
    epilog=EXAMPLE,
    context_settings={
        "allow_interspersed_args": False,
        "help_option_names": ["-h", "--help"],
        "max_content_width": 100,
    },
)
@click.version_option(__version__, prog_name="airflow-lineage-dbt")
@click.option(
    "--url",
    envvar="OPENLINEAGE_URL",
    show_envvar=True,
    help="Send the events to this OpenLineage endpoint, with OPENLINEAGE_API_KEY as bearer token.",
)
@click.option(
    "--endpoint",
    envvar="OPENLINEAGE_ENDPOINT",
    show_envvar=True,
    default="api/v1/lineage",
    show_default=True,
    help="The path of the endpoint. Of Airflow's API server: lineage/api/v1/lineage.",
)
@click.option(
    "--file",
    envvar="AIRFLOW_LINEAGE_FILE",
    show_envvar=True,
    type=click.Path(dir_okay=False),
    help="Append the events to this file, one JSON object a line.",
)
@click.option(
    "--patience",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="For how many seconds after dbt's end to try again what the endpoint has not accepted.",
)
@click.argument("words", metavar="DBT_COMMAND [DBT_OPTIONS]...", nargs=-1, type=click.UNPROCESSED)
def main(url: str | None, endpoint: str, file: Path | None, patience: float, words: tuple[str, ...]) -> None:
    """Run a dbt command and report each node's lineage as OpenLineage events while it runs.

    DBT_COMMAND and DBT_OPTIONS are those of dbt. The exit status is dbt's, whatever becomes of the events:
    0 success, 1 failure, 2 bad input. The variable OPENLINEAGE_CONTEXT names the parent run.
    """
    try:
        if not (url or file):
            raise click.UsageError("name where the events go: --url or --file")
        status = _run(words, url, endpoint, file, patience)
    except LineageError as error:
        _complain(str(error))
        status = BAD_INPUT
    sys.exit(status)


def _run(words: tuple[str, ...], url: str | None, endpoint: str, file: Path | None, patience: float) -> int:
    from airflow_lineage_provider.dbt.command_line import command_of_words
    from airflow_lineage_provider.dbt.runner import DbtRun
    from airflow_lineage_provider.dbt_cli.delivery import Delivery, http_target
    from airflow_lineage_provider.events.context import CONTEXT_VARIABLE, context_of_text
    from airflow_lineage_provider.events.invocation import InvocationEvents
    from airflow_lineage_provider.events.masking import mask_text, redact_values, secret_values
    from airflow_lineage_provider.events.sql_tables import tables_named

    redact = redact_values(secret_values(os.environ))
    command = command_of_words(words)
    context = context_of_text(
        os.environ.get(CONTEXT_VARIABLE, ""), lambda text: mask_text(redact(text) if redact else text)
    )
    target = http_target(url, endpoint, os.environ.get("OPENLINEAGE_API_KEY", "")) if url else None
    delivery = Delivery(target, file, redact, _complain)
    run = DbtRun(command, tables_named)
    stopped = _cancel_on_signals(run)
    try:
        finished = _follow(run, InvocationEvents(context), delivery, context.mask)
    finally:
        delivery.end(min(patience, STOPPED_PATIENCE) if stopped() else patience)
    if finished.error:
        _complain(context.mask(finished.error))
    return BAD_INPUT if finished.bad_input else 0 if finished.success else FAILED


def _follow(run: DbtRun, events: Any, delivery: Delivery, mask: Callable[[str], str]) -> InvocationFinished:
    """Print dbt's log, deliver the events, and return the last record."""
    from airflow_lineage_provider.dbt.records import InvocationFinished, LogLine
    from airflow_lineage_provider.reports.escape import one_line

    finished = InvocationFinished(success=False, error="dbt ended without a result")
    for record in run:
        if isinstance(record, LogLine):
            click.echo(one_line(mask(record.text)))
        elif isinstance(record, InvocationFinished):
            finished = record
        else:
            try:
                made = events.of(record)
            except Exception as error:  # noqa: BLE001 - lineage never fails the models
                _complain(f"the event of a {type(record).__name__} is lost: {error!r}")
            else:
                delivery.add(made)
    return finished


def _cancel_on_signals(run: DbtRun) -> Callable[[], bool]:
    """Let SIGTERM and SIGINT cancel dbt's queries; return a function that tells whether one came."""
    stopped = False

    def stop(*_: object) -> None:
        nonlocal stopped
        stopped = True
        run.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return lambda: stopped


def _complain(text: str) -> None:
    from airflow_lineage_provider.reports.escape import one_line

    click.echo(one_line(f"airflow-lineage-dbt: {' '.join(text.split())}"), err=True)
