"""The events of a DAG run, and their validation against a map."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.options import (
    environment_option,
    example,
    expected_errors,
    map_argument,
    report,
    report_option,
    scope_option,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from airflow_lineage_provider.lineage_map import LineageMap
    from airflow_lineage_provider.store.source import EventSource
    from airflow_lineage_provider.store.store import EventStore

store_option = click.option(
    "--store",
    metavar="URL",
    help="The event store: a SQLite file or a database URL.  [default: AIRFLOW__AIRFLOW_LINEAGE__STORE, else "
    "lineage.db in AIRFLOW_HOME, ./.airflow or ~/airflow]",
)
source_option = click.option(
    "--store",
    metavar="LOCATION",
    help="Where the events are: an event store (a .db file or a database URL), files that OpenLineage wrote, "
    "or Marquez's URL (its key in OPENLINEAGE_API_KEY).  [default: the event store of this Airflow, as for "
    "`forward`]",
)
run_option = click.option(
    "--run", default="latest", show_default=True, metavar="RUN", help="A root run's id, `latest` or `all`."
)


@click.command(epilog=example("airflow-lineage events --run latest --format jsonl > events.jsonl"))
@source_option
@run_option
@click.option("--job", help="Only this job's events: its name, such as gold.orders, or namespace/name.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
def events(store: str | None, run: str, job: str | None, form: str) -> None:
    """Print the OpenLineage events that a DAG run emitted, in the order in which they were committed."""
    with expected_errors():
        from airflow_lineage_provider.checks.job_events import events_of_job
        from airflow_lineage_provider.reports.escape import json_text, one_line

        opened = source_at(store)
        root = root_run(opened, run)
        found = opened.events(root_run_id=root) if job is None else events_of_job(opened, job, root)
        for event in found:
            click.echo(json_text(event) if form == "jsonl" else one_line(_line(event)))


@click.command(
    epilog=example("airflow-lineage validate dags/customer_analytics_pipeline.yaml --environment dev")
)
@map_argument
@environment_option
@source_option
@run_option
@scope_option
@click.option(
    "--answers",
    metavar="PATH",
    type=click.Path(exists=True),
    help="Saved answers of outside systems, a file or a folder; without --store, compare these only.",
)
@report_option
def validate(
    lineage_map: Path,
    environment: str | None,
    store: str | None,
    run: str,
    scope: tuple[str, ...],
    answers: str | None,
    form: str,
) -> None:
    """Compare what a DAG run emitted, or saved answers of outside systems, with the documented MAP."""
    with expected_errors():
        from airflow_lineage_provider.checks import validate as compare
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers import read_evidence
        from airflow_lineage_provider.reports.formats import validation_page
        from airflow_lineage_provider.reports.text import print_validation

        documented = load_map(lineage_map)
        offline = bool(answers) and not store
        emitted = [] if offline else emitted_events(source_at(store), run, documented)
        found: Iterable[dict[str, Any]] = chain(emitted, _answered(answers))
        if form == "html":  # read twice: compared, and shown
            found = list(found)
        evidence = read_evidence("event", found, documented, environment)
        evidence = replace(evidence, only_consumers=offline)
        validation = compare(evidence, documented, environment=environment, scope=scope)
        report(
            validation.comparison,
            form,
            lambda stream: print_validation(validation, stream),
            lambda: validation_page(validation, documented, environment, list(found)),
        )


def emitted_events(source: EventSource, run: str, lineage_map: LineageMap) -> Iterable[dict[str, Any]]:
    """Return the events of a run; the latest one of a map with observers is that of each of its DAGs.

    Raises InputError where there is no run yet.
    """
    pipeline = lineage_map.content.pipeline
    roots: list[str | None] = []
    if run == "latest" and pipeline.observers:
        from airflow_lineage_provider.store.latest import latest_roots

        roots += latest_roots(source, filter(None, (pipeline.dag_id, *pipeline.observers)))
    return chain.from_iterable(source.events(root_run_id=root) for root in roots or [root_run(source, run)])


def _answered(path: str | None) -> Iterable[dict[str, Any]]:
    from airflow_lineage_provider.systems.answers import answer_events

    return answer_events(path, datetime.now(UTC)) if path else ()


def open_store(url: str | None) -> EventStore:
    """Return the store at `url`, or the default one."""
    from airflow_lineage_provider.store import EventStore, default_store_url

    return EventStore(url or default_store_url(os.environ))


def source_at(location: str | None) -> EventSource:
    """Return the source of events at `location`, or the default store."""
    from airflow_lineage_provider.store import default_store_url
    from airflow_lineage_provider.store.sources import open_source

    key = os.environ.get("OPENLINEAGE_API_KEY", "")  # the OpenLineage client's own name for it
    return open_source(location or default_store_url(os.environ), api_key=key)


def root_run(source: EventSource, run: str) -> str | None:
    """Return the id of the root run; None for `all`. Raises InputError where there is no run yet."""
    if run == "all":
        return None
    from airflow_lineage_provider.errors import InputError

    root = source.latest_root_run() if run == "latest" else run
    if root is None:
        raise InputError("there is no run yet; run a DAG, or name another place with --store")
    return root


def _line(event: dict[str, Any]) -> str:
    """Return an event as one line: time, type, job, inputs and outputs; empty where it has none of them."""
    from airflow_lineage_provider.events.event import text_at

    found = (event.get(side) for side in ("inputs", "outputs"))
    sides = [" + ".join(text_at(d, "name") for d in side) if isinstance(side, list) else "" for side in found]
    flow = " -> ".join(side or "-" for side in sides) if any(sides) else ""
    time, kind = text_at(event, "eventTime")[:19], text_at(event, "eventType")
    return f"{time:19}  {kind:8}  {text_at(event, 'job', 'name')}  {flow}".rstrip()
