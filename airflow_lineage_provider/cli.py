"""`airflow-lineage`: the provider's questions and checks, for a terminal and for CI.

Exit status: 0 agreed, 1 drift, 2 bad input. Nothing here imports Airflow, and each command imports what it
needs when it is called.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.delivery.store import EventStore

DRIFT = 1
BAD_INPUT = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="airflow-lineage")
def main() -> None:
    """Ask about documented and emitted data lineage, and check the two against each other."""


def _example(line: str) -> str:
    return f"Example: {line}"


store_option = click.option(
    "--store",
    metavar="URL",
    help="The event store: a SQLite file or a database URL.  [default: AIRFLOW__LINEAGE__STORE, else "
    "lineage.db in AIRFLOW_HOME, ./.airflow or ~/airflow]",
)
run_option = click.option(
    "--run", default="latest", show_default=True, metavar="RUN", help="A root run's id, `latest` or `all`."
)


@main.command(epilog=_example("airflow-lineage events --run latest --format jsonl > events.jsonl"))
@store_option
@run_option
@click.option("--job", help="Only this job's events, such as gold.customer_behavior.")
@click.option("--format", "form", type=click.Choice(["text", "jsonl"]), default="text", show_default=True)
def events(store: str | None, run: str, job: str | None, form: str) -> None:
    """Print the OpenLineage events that a DAG run emitted, in the order in which they were committed."""
    with _plain_errors():
        opened = _open(store)
        root = _root_run(opened, run)
        for event in opened.events(root_run_id=root, job_name=job):
            click.echo(json.dumps(event, ensure_ascii=False) if form == "jsonl" else _event_line(event))


@main.command(epilog=_example("airflow-lineage validate dags/customer_analytics_pipeline.yaml"))
@click.argument("lineage_map", metavar="MAP", type=click.Path(dir_okay=False, path_type=Path))
@store_option
@run_option
@click.option("--environment", "-e", help="Which environment of the map binds its names.")
@click.option("--scope", multiple=True, help="Only these layers or datasets were to be produced.")
def validate(
    lineage_map: Path, store: str | None, run: str, environment: str | None, scope: tuple[str, ...]
) -> None:
    """Compare what a DAG run emitted with the documented MAP."""
    with _plain_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.validation import validate as compare_run
        from airflow_lineage_provider.reports.text import print_validation

        opened = _open(store)
        validation = compare_run(
            opened.events(root_run_id=_root_run(opened, run)),
            load_map(lineage_map),
            environment=environment,
            scope=scope or None,
        )
        print_validation(validation, sys.stdout)
        if not validation.comparison.agreed:
            sys.exit(DRIFT)


def _open(url: str | None) -> EventStore:
    from airflow_lineage_provider.delivery import EventStore, default_store_url

    return EventStore(url or default_store_url(os.environ))


def _root_run(store: EventStore, run: str) -> str | None:
    """Return the root run that is meant; None for all of them."""
    if run == "all":
        return None
    root = store.latest_root_run() if run == "latest" else run
    if root is None:
        raise ValueError(f"{store} holds no run yet; run a DAG, or name another store with --store")
    return root


def _event_line(event: dict[str, Any]) -> str:
    """Return an event as a person reads it: when, what, which job, from and to."""
    job = event.get("job", {})
    sides = [" + ".join(d["name"] for d in event.get(side) or ()) for side in ("inputs", "outputs")]
    flow = " -> ".join(side or "-" for side in sides) if any(sides) else ""
    return (
        f"{event.get('eventTime', '')[:19]:19}  {event.get('eventType', ''):8}  {job.get('name', '')}  {flow}"
    )


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Say bad input in one line on stderr and exit with 2."""
    from airflow_lineage_provider.delivery import StoreError

    try:
        yield
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (StoreError, ValueError, OSError) as error:
        click.echo(f"airflow-lineage: {error}", err=True)
        sys.exit(BAD_INPUT)


if __name__ == "__main__":
    main()
