"""The event store as a service: taking events on, taking events in, keeping house."""

from __future__ import annotations

import json
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

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from airflow_lineage_provider.forwarding.consumer import OutboxStatus, SetAside
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
    help=f"The transport whose `forward` names the targets.  [default: {TRANSPORT}]",
)
@click.option("--health", metavar="HOST:PORT", help="Serve /health and /metrics there.")
def forward(store: str | None, transport: str | None, health: str | None) -> None:
    """Take committed events on to Marquez, DataHub, Kafka or any other OpenLineage transport.

    Each target has its own position; what it does not take is tried again, in the order of each run, until
    this is stopped.
    """
    with expected_errors():
        from airflow_lineage_provider.forwarding.service import ForwardService, status_page
        from airflow_lineage_provider.forwarding.targets import configured_targets

        targets = configured_targets(transport or "")
        if not targets:
            raise ValueError(f"no target: give {TRANSPORT}, or --transport, a `forward`")
        service = ForwardService(open_store(store), targets, report=_say)
        host, _, port = (health or "").rpartition(":")
        with status_page(service, host, int(port)) if health else nullcontext():
            service.start()
            click.echo(f"forwarding {service.store} to {', '.join(targets)}")
            _until_stopped()
            service.stop()


def _say(target: str, done: Round) -> None:
    if done.sent or done.set_aside or done.error:
        aside = f", {done.set_aside} set aside" if done.set_aside else ""
        click.echo(f"{target}: {done.sent} sent{aside}{f'; {done.error}' if done.error else ''}")


def _until_stopped() -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()


@click.command(epilog=example("airflow-lineage outbox --replay marquez"))
@store_option
@click.option("--replay", metavar="TARGET", help="Send again what was set aside for this target.")
@click.option("--skip", metavar="TARGET", help="Set aside the event that this target fails at.")
@click.option("--discard", metavar="TARGET", help="Give up what was set aside for this target.")
@click.option(
    "--forget", metavar="TARGET", help="Drop a target that is used no more; old events wait for it."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def outbox(store: str | None, form: str, **changes: str | None) -> None:
    """Print what each target has still to get, how old that is, and what it refused."""
    with expected_errors():
        from airflow_lineage_provider.forwarding.consumer import events_set_aside, outbox_status

        opened = open_store(store)
        statuses, aside = outbox_status(opened), events_set_aside(opened)
        asked = [(change, target) for change, target in changes.items() if target]
        for change, target in asked:
            known = [status.target for status in statuses]
            if target not in known:
                raise ValueError(f"no target {target!r}; there are: {', '.join(known) or 'none'}")
            click.echo(_change(opened, change, target))
        if asked:
            return
        if form == "json":
            told = {"targets": [asdict(s) for s in statuses], "set_aside": [asdict(a) for a in aside]}
            click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        else:
            click.echo("\n".join(_lines(statuses, aside)) or "nothing is forwarded from this store")
        if any(status.error or status.set_aside for status in statuses):
            sys.exit(DRIFT)


def _lines(statuses: Sequence[OutboxStatus], aside: Sequence[SetAside]) -> Iterator[str]:
    for status in statuses:
        since = f" since {status.oldest_pending}" if status.oldest_pending else ""
        yield f"{status.target}: {status.pending} pending{since}, {status.set_aside} set aside"
        if status.error:
            yield f"  failing since {status.error_since}: {status.error}"
        for event in aside:
            if event.target == status.target:
                again = ", to be sent again" if event.replay else ""
                yield f"  set aside{again}: {event.event_type} of {event.job}: {event.error}"


def _change(store: EventStore, change: str, target: str) -> str:
    from airflow_lineage_provider.forwarding import consumer

    if change == "replay":
        return f"{consumer.replay(store, target)} events of {target} will be sent again"
    if change == "skip":
        return f"{consumer.skip(store, target)} events set aside for {target}"
    if change == "discard":
        return f"{consumer.discard(store, target)} events given up for {target}; they stay in the store"
    consumer.forget(store, target)
    return f"{target} is dropped"


@click.command(epilog=example(f"{TOKEN}=secret airflow-lineage serve --port 5000"))
@store_option
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=5000, show_default=True)
def serve(store: str | None, host: str, port: int) -> None:
    """Take OpenLineage events at POST /api/v1/lineage into the event store.

    Callers carry the token of the variable AIRFLOW_LINEAGE_TOKEN as `Authorization: Bearer`. /openapi.json
    describes what is taken and what is answered.
    """
    with expected_errors():
        from airflow_lineage_provider.endpoint import receiver

        token = os.environ.get(TOKEN, "")
        if not token:
            raise ValueError(f"set {TOKEN}: nothing is taken in from callers without a token")
        app = receiver.create_app(open_store(store), receiver.bearer_token(token))
        click.echo(f"taking events at http://{host}:{port}{receiver.PATH}")
        receiver.serve(app, host, port)


@click.command(epilog=example("airflow-lineage sweep --silent-hours 24 --keep-days 90"))
@store_option
@click.option("--silent-hours", type=click.IntRange(min=1), help="Close runs that said nothing for so long.")
@click.option("--keep-days", type=click.IntRange(min=1), help="Delete events that are older.")
def sweep(store: str | None, silent_hours: int | None, keep_days: int | None) -> None:
    """Close the runs of workers that died, with an ABORT that says so; delete old events."""
    with expected_errors():
        from datetime import UTC, datetime, timedelta

        from airflow_lineage_provider.store.dead_runs import sweep as close_dead_runs
        from airflow_lineage_provider.store.retention import delete_events

        opened = open_store(store)
        if silent_hours:
            for run in close_dead_runs(opened, timedelta(hours=silent_hours)):
                click.echo(f"ABORT {run.job_namespace}/{run.job_name} {run.run_id}")
        if keep_days:
            before = datetime.now(UTC) - timedelta(days=keep_days)
            deleted = delete_events(opened, before, lambda done: click.echo(f"{done} deleted", err=True))
            click.echo(f"{deleted} events from before {before:%Y-%m-%d} deleted")
