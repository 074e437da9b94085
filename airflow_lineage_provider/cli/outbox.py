"""Commands that run the event store: forward, serve, outbox, sweep."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import nullcontext
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import DRIFT, example, expected_errors
from airflow_lineage_provider.cli.runs import open_store, store_option
from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_lineage_provider.forwarding.consumer import DeadLetter, OutboxStatus
    from airflow_lineage_provider.forwarding.forwarder import Round
    from airflow_lineage_provider.store import EventStore

TRANSPORT = "AIRFLOW__OPENLINEAGE__TRANSPORT"
TOKEN = "AIRFLOW_LINEAGE_TOKEN"  # noqa: S105 - a variable's name


@click.command(epilog=example("airflow-lineage forward --health 127.0.0.1:8793"))
@store_option
@click.option(
    "--transport",
    envvar=TRANSPORT,
    metavar="JSON",
    help=f"The transport configuration whose `forward` names the targets.  [default: {TRANSPORT}]",
)
@click.option("--health", metavar="HOST:PORT", help="Serve /health and /metrics there.")
def forward(store: str | None, transport: str | None, health: str | None) -> None:
    """Forward stored events to Marquez, DataHub, Kafka or any other OpenLineage transport.

    Each target has its own position. Failed events are retried, in the order of each run, until the command
    is stopped.
    """
    with expected_errors():
        from airflow_lineage_provider.forwarding.service import ForwardService, status_page
        from airflow_lineage_provider.forwarding.targets import configured_targets

        targets = configured_targets(transport or "")
        if not targets:
            raise InputError(f"no target: set `forward` in {TRANSPORT}, or in --transport")
        service = ForwardService(open_store(store), targets, report=_print_round)
        host, _, port = (health or "").rpartition(":")
        if health and not (host and port.isdecimal()):
            raise InputError(f"--health {health}: write HOST:PORT, such as 127.0.0.1:8793")
        with status_page(service, host, int(port)) if health else nullcontext():
            service.start()
            click.echo(f"forwarding {service.store} to {', '.join(targets)}")
            _until_stopped()
            service.stop()


def _print_round(target: str, done: Round) -> None:
    from airflow_lineage_provider.reports.escape import one_line

    if done.sent or done.dead_letters or done.error:
        dead = f", {done.dead_letters} dead letters" if done.dead_letters else ""
        click.echo(one_line(f"{target}: {done.sent} sent{dead}{f'; {done.error}' if done.error else ''}"))


def _until_stopped() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


@click.command(epilog=example("airflow-lineage outbox --replay marquez"))
@store_option
@click.option("--replay", metavar="TARGET", help="Send the dead letters of this target again.")
@click.option("--skip", metavar="TARGET", help="Make the event that blocks this target a dead letter.")
@click.option("--discard", metavar="TARGET", help="Delete the dead letters of this target.")
@click.option("--forget", metavar="TARGET", help="Remove a target that is no longer used.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def outbox(store: str | None, form: str, **changes: str | None) -> None:
    """Print the pending events, the error and the dead letters of each target.

    A dead letter is an event that a target rejected. Retention keeps the events that a target has not
    received: remove a target that is no longer used with --forget.
    """
    with expected_errors():
        from airflow_lineage_provider.forwarding.consumer import dead_letters, outbox_status
        from airflow_lineage_provider.reports.escape import json_text, one_line

        opened = open_store(store)
        statuses, dead = outbox_status(opened), dead_letters(opened)
        asked = [(change, target) for change, target in changes.items() if target]
        for change, target in asked:
            known = [status.target for status in statuses]
            if target not in known:
                raise InputError(f"no target {target!r}; there are: {', '.join(known) or 'none'}")
            click.echo(_change(opened, change, target))
        if asked:
            return
        if form == "json":
            content = {"targets": [asdict(s) for s in statuses], "dead_letters": [asdict(d) for d in dead]}
            click.echo(json_text(content, indent=2))
        else:
            click.echo(
                "\n".join(map(one_line, _lines(statuses, dead))) or "nothing is forwarded from this store"
            )
        if any(status.error or status.dead_letters for status in statuses):
            sys.exit(DRIFT)


def _lines(statuses: Sequence[OutboxStatus], dead: Sequence[DeadLetter]) -> Iterator[str]:
    for status in statuses:
        since = f" since {status.oldest_pending}" if status.oldest_pending else ""
        yield f"{status.target}: {status.pending} pending{since}, {status.dead_letters} dead letters"
        if status.error:
            yield f"  failing since {status.error_since}: {status.error}"
        for event in dead:
            if event.target == status.target:
                again = ", to be sent again" if event.replay else ""
                yield f"  dead letter{again}: {event.event_type} of {event.job}: {event.error}"


def _change(store: EventStore, change: str, target: str) -> str:
    from airflow_lineage_provider.forwarding import consumer

    if change == "replay":
        return f"{consumer.replay(store, target)} dead letters of {target} will be sent again"
    if change == "skip":
        return f"{consumer.skip(store, target)} events of {target} became dead letters"
    if change == "discard":
        count = consumer.discard(store, target)
        return f"{count} dead letters of {target} deleted; the events stay in the store"
    consumer.forget(store, target)
    return f"{target} is removed"


@click.command(epilog=example(f"{TOKEN}=secret airflow-lineage serve --port 5000"))
@store_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True)
def serve(store: str | None, host: str, port: int) -> None:
    """Receive OpenLineage events at POST /api/v1/lineage and commit them to the event store.

    Clients send the token of the variable AIRFLOW_LINEAGE_TOKEN as `Authorization: Bearer`. /openapi.json
    describes the requests and the responses.
    """
    with expected_errors():
        from airflow_lineage_provider.endpoint import receiver, server

        token = os.environ.get(TOKEN, "")
        if not token:
            raise InputError(f"set {TOKEN}: clients must send a token")
        app = receiver.create_app(open_store(store), receiver.bearer_token(token))
        click.echo(f"receiving events at http://{host}:{port}{receiver.PATH}")
        server.serve(app, host, port)


@click.command(epilog=example("airflow-lineage sweep --silent-hours 24 --keep-days 90"))
@store_option
@click.option("--silent-hours", type=click.IntRange(min=1), help="Close runs without an event for so long.")
@click.option("--keep-days", type=click.IntRange(min=1), help="Delete older events.")
def sweep(store: str | None, silent_hours: int | None, keep_days: int | None) -> None:
    """End the runs of workers that died with an ABORT event; delete old events."""
    with expected_errors():
        from datetime import UTC, datetime, timedelta

        from airflow_lineage_provider.reports.escape import one_line
        from airflow_lineage_provider.store.dead_runs import sweep as close_dead_runs
        from airflow_lineage_provider.store.retention import delete_events

        opened = open_store(store)
        if silent_hours:
            for run in close_dead_runs(opened, timedelta(hours=silent_hours)):
                click.echo(one_line(f"ABORT {run.job_namespace}/{run.job_name} {run.run_id}"))
        if keep_days:
            before = datetime.now(UTC) - timedelta(days=keep_days)
            deleted = delete_events(opened, before, lambda done: click.echo(f"{done} deleted", err=True))
            click.echo(f"{deleted} events from before {before:%Y-%m-%d} deleted")
