"""Reconcile what is documented with what was emitted, catalogued and queried."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.options import (
    DRIFT,
    environment_option,
    example,
    expected_errors,
    map_argument,
    report_option,
)
from airflow_lineage_provider.cli.runs import source_at, source_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from airflow_lineage_provider.store.store import EventStore

TOKEN = "DATAHUB_GMS_TOKEN"  # noqa: S105 - DataHub's own name of the variable
_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=example("airflow-lineage reconcile dags/analytics.yaml -e prod --datahub http://datahub:8080")
)
@map_argument
@environment_option
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    help="Compare these kinds only: map, event, manifest, datahub, query; two or more.  "
    "[default: map, event, and each that is named below]",
)
@source_option
@click.option("--days", type=click.IntRange(min=1), default=7, show_default=True, help="Of the events.")
@click.option("--manifest", type=_PATH, help="A dbt project's target/manifest.json.")
@click.option(
    "--datahub", metavar="URL|FILE", help=f"DataHub's server (token in {TOKEN}), or a metadata file."
)
@click.option("--platform", "platforms", multiple=True, help="Read only these platforms of DataHub.")
@click.option("--queries", multiple=True, metavar="LOG", help="A query log, as for `audit`; may be repeated.")
@click.option("--record", is_flag=True, help="Keep the outcome in the event store, for the trend.")
@report_option
def reconcile(lineage_map: Path, form: str, days: int, *, record: bool, **options: Any) -> None:
    """Compare the MAP with what runs emitted, and with a dbt project, DataHub or a query log.

    Exits with status 1 where the map's policy calls a finding an error.
    """
    with expected_errors():
        from airflow_lineage_provider.checks.compared_sources import chosen_kinds, compared_sources
        from airflow_lineage_provider.checks.dialects import warehouse_dialect
        from airflow_lineage_provider.checks.reconcile import reconcile as compare
        from airflow_lineage_provider.checks.trend import keep_report, last_trend
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.reports.reconciliation import print_reconciliation, reconciliation_as

        documented, now = load_map(lineage_map), datetime.now(UTC)
        since = now - timedelta(days=days)
        places = _places(options, warehouse_dialect(documented, options["environment"]))
        kinds = chosen_kinds(options["kinds"], places)
        places |= {"map": lambda: None, "event": lambda: _events(options["store"], since)}
        opened = {kind: places[kind] for kind in kinds}
        sources = compared_sources(opened, documented, options["environment"])
        found = compare(sources, documented, environment=options["environment"], since=since.isoformat())
        store = _store(options["store"], record=record)
        trend = last_trend(store, documented, found, now)
        if record and store is not None:
            keep_report(store, documented, found, trend, now)
        if form == "text":
            print_reconciliation(found, trend, sys.stdout)
        else:
            click.echo(reconciliation_as(form, found, trend), nl=False)
        if not found.comparison.agreed:
            sys.exit(DRIFT)


def _places(options: dict[str, Any], dialect: str) -> dict[str, Callable[[], Any]]:
    """Return how to open each kind of evidence that is named; `dialect` is the warehouse's."""
    from airflow_lineage_provider.readers import load_manifest

    found: dict[str, Callable[[], Any]] = {}
    if options["manifest"]:
        found["manifest"] = lambda: load_manifest(options["manifest"])
    if options["queries"]:
        found["query"] = lambda: _query_log(options["queries"], dialect)
    if options["datahub"]:
        found["datahub"] = lambda: datahub_catalog(options["datahub"], options["platforms"])
    return found


def _query_log(paths: tuple[str, ...], dialect: str) -> Any:
    from airflow_lineage_provider.readers.query_log.files import open_log_files

    return open_log_files(paths, fallback_dialect=dialect)


def datahub_catalog(place: str, platforms: tuple[str, ...]) -> Any:
    """Return what a DataHub server, or a file of its metadata, has. Raises LineageError."""
    from airflow_lineage_provider.readers.datahub_aspects import load_catalog
    from airflow_lineage_provider.systems.datahub.client import DataHubClient
    from airflow_lineage_provider.systems.http import JsonApi

    if not place.startswith(("http://", "https://")):
        return load_catalog(place)
    api = JsonApi(place, "DataHub", token=os.environ.get(TOKEN, ""))
    return DataHubClient(api).catalog(platforms=platforms)


def _events(location: str | None, since: datetime) -> Iterable[dict[str, Any]]:
    from airflow_lineage_provider.store.sources import events_since

    return events_since(source_at(location), since)


def _store(location: str | None, *, record: bool) -> EventStore | None:
    """Return the event store that keeps the trend; None where events come from elsewhere or there is none."""
    from airflow_lineage_provider.errors import InputError
    from airflow_lineage_provider.store.store import EventStore

    source = source_at(location)
    if not isinstance(source, EventStore):
        if record:
            raise InputError("--record needs --store to be an event store, which keeps the outcome")
        return None
    if not record and source.database.is_sqlite and not Path(str(source)).exists():
        return None
    return source
