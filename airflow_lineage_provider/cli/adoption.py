"""Adopt lineage: a first map, findings taken into it or accepted for a time, a check of the installation."""

from __future__ import annotations

import difflib
import os
import sys
from functools import reduce
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.options import (
    DRIFT,
    environment_option,
    example,
    expected_errors,
    map_argument,
)
from airflow_lineage_provider.cli.reconcile import TOKEN, datahub_catalog
from airflow_lineage_provider.cli.runs import root_run, source_at, source_option, store_option

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from airflow_lineage_provider.adoption.seen import Sightings
    from airflow_lineage_provider.graph import Finding
    from airflow_lineage_provider.lineage_map import LineageMap, MapSource
    from airflow_lineage_provider.lineage_map.files import FileChange
    from airflow_lineage_provider.readers import Evidence
    from airflow_lineage_provider.readers.manifest_file import Manifest

_PATH = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(
    epilog=example("airflow-lineage init --manifest dbt_project/target/manifest.json > lineage.yaml")
)
@click.option("--manifest", type=_PATH, help="A dbt project's manifest.json, as `dbt compile` writes it.")
@click.option("--catalog", type=_PATH, help="Its catalog.json (`dbt docs generate`), for columns.")
@click.option(
    "--project-dir",
    type=_FOLDER,
    help="A dbt project: `dbt docs generate` makes both, by its profile's warehouse.",
)
@click.option("--profiles-dir", type=_FOLDER, help="The folder with its profiles.yml.")
@click.option("--target", help="The profile's target.")
@click.option("--run", metavar="RUN", help="A DAG run: its root run's id, `latest` or `all`.")
@click.option(
    "--datahub", metavar="URL|FILE", help=f"DataHub's server (token in {TOKEN}), or a metadata file."
)
@click.option("--platform", "platforms", multiple=True, help="Read only these platforms of DataHub.")
@source_option
@click.option(
    "--layers",
    "rule",
    type=click.Choice(["auto", "folder", "schema", "prefix", "tag"]),
    default="auto",
    show_default=True,
    help="What makes the layers: the models' folders, schemas, names or first tags.",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="GLOB",
    help="Document the columns of these tables too, such as 'marts.*'; may be repeated.",
)
@click.option("--environment", "-e", default="dev", show_default=True, help="Name of the map's environment.")
def init(rule: str, columns: tuple[str, ...], environment: str, **options: Any) -> None:
    """Write a first map on stdout: of a dbt project, of what a run emitted, of DataHub, or of several.

    What can be derived stays out. The choices that were made are listed on stderr.
    """
    if not any(options[name] for name in ("manifest", "project_dir", "run", "datahub")):
        raise click.UsageError("name --manifest, --project-dir, --run, --datahub or several of them")
    if options["manifest"] and options["project_dir"]:
        raise click.UsageError("name --manifest or --project-dir, which makes one")
    if options["catalog"] and not options["manifest"]:
        raise click.UsageError("--catalog adds columns to those of --manifest: name it too")
    with expected_errors():
        from airflow_lineage_provider.adoption.first_map import first_map
        from airflow_lineage_provider.adoption.seen import together
        from airflow_lineage_provider.reports.escape import one_line

        found = list(_sightings(options, columns=bool(columns)))
        made = first_map(
            reduce(together, (sightings for sightings, _ in found)),
            rule=rule,
            columns=columns,
            environment=environment,
            ignore_case=any(ignore_case for _, ignore_case in found),
        )
        click.echo(made.text, nl=False)
        for choice in made.choices:
            click.echo(one_line(choice), err=True)


def _sightings(options: dict[str, Any], *, columns: bool) -> Iterator[tuple[Sightings, bool]]:
    """Yield what each kind of evidence shows, and whether its names ignore case."""
    from airflow_lineage_provider.adoption.seen import seen_in_manifest, seen_in_run
    from airflow_lineage_provider.adoption.seen_catalog import add_columns, seen_in_datahub
    from airflow_lineage_provider.readers import load_manifest

    if options["manifest"] or options["project_dir"]:
        if options["manifest"]:
            manifest = load_manifest(options["manifest"])
            if options["catalog"]:
                add_columns(manifest, options["catalog"])
        else:
            manifest = _generated(options)
        yield seen_in_manifest(manifest, columns=columns), manifest.metadata.adapter_type == "snowflake"
    if options["datahub"]:
        sightings = seen_in_datahub(datahub_catalog(options["datahub"], options["platforms"]))
        yield sightings, _is_snowflake(sightings)
    if options["run"]:
        source = source_at(options["store"])
        sightings = seen_in_run(source.events(root_run_id=root_run(source, options["run"])))
        yield sightings, _is_snowflake(sightings)


def _generated(options: dict[str, Any]) -> Manifest:
    from airflow_lineage_provider.adoption.dbt_docs import generate_docs
    from airflow_lineage_provider.adoption.seen_catalog import add_columns
    from airflow_lineage_provider.readers import load_manifest

    with TemporaryDirectory() as folder:
        named = (options["project_dir"], options["profiles_dir"], options["target"])
        manifest_file, catalog_file = generate_docs(*named, Path(folder))
        manifest = load_manifest(manifest_file)
        add_columns(manifest, catalog_file)
        return manifest


def _is_snowflake(sightings: Sightings) -> bool:
    return any(seen.namespace.startswith("snowflake:") for seen in sightings.datasets.values())


@click.command(
    epilog=example("airflow-lineage update lineage.yaml --run latest -e dev --only 'gold.*' --accept")
)
@map_argument
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Take what this dbt manifest shows.",
)
@click.option("--run", metavar="RUN", help="Take what this DAG run emitted: an id, `latest` or `all`.")
@source_option
@environment_option
@click.option(
    "--only", multiple=True, metavar="GLOB", help="Only findings of this subject or code; may be repeated."
)
@click.option("--accept", is_flag=True, help="Write the file. Without it the changes are printed only.")
def update(
    lineage_map: Path,
    manifest: Path | None,
    run: str | None,
    store: str | None,
    environment: str | None,
    only: tuple[str, ...],
    accept: bool,  # noqa: FBT001 - a flag
) -> None:
    """Take what a dbt manifest or a run shows into the MAP: print the changes, and make them with --accept.

    Only the lines of what differs change; comments, order and quoting stay. What has to be changed by hand
    is listed on stderr. Exits 1 while findings are left in the file.
    """
    if (manifest is None) == (run is None):
        raise click.UsageError("name --manifest or --run")
    with expected_errors():
        from airflow_lineage_provider.adoption.update import update as updated
        from airflow_lineage_provider.lineage_map.files import edit_files

        read = _reader(manifest, run, store, environment)
        left: list[Finding] = []

        def change(source: MapSource) -> MapSource:
            done = updated(source, read, environment, only)
            left.extend(done.left)
            return done.source

        changes = edit_files(lineage_map, change, write=accept)
        _print_changes(changes)
        for finding in left:
            click.echo(_line(f"left to do by hand: {finding}"), err=True)
        if left or (changes and not accept):
            sys.exit(DRIFT)


@click.command(
    epilog=example(
        "airflow-lineage accept lineage.yaml column-missing gold.orders.note --until 2026-12-31 --reason 'v2'"
    )
)
@map_argument
@click.argument("code")
@click.argument("subject")
@click.option(
    "--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it is accepted."
)
@click.option("--reason", required=True, help="Why.")
def accept(lineage_map: Path, code: str, subject: str, until: dt.datetime, reason: str) -> None:
    """Accept a finding until a day: write it to the MAP, by its CODE and SUBJECT, and print the change."""
    with expected_errors():
        from airflow_lineage_provider.adoption.accept import accepted
        from airflow_lineage_provider.lineage_map.files import edit_files

        _print_changes(
            edit_files(lineage_map, lambda source: accepted(source, code, subject, until.date(), reason))
        )


@click.command(epilog=example("airflow-lineage doctor dags/customer_analytics_pipeline.yaml -e dev"))
@click.argument(
    "lineage_map", metavar="[MAP]", required=False, type=click.Path(dir_okay=False, path_type=Path)
)
@environment_option
@store_option
@click.option(
    "--endpoint",
    metavar="URL",
    help="Check this `airflow-lineage serve` too, with the token of AIRFLOW_LINEAGE_TOKEN.",
)
@click.option("--connections/--no-connections", default=True, help="Test the connections in Airflow.")
def doctor(
    lineage_map: Path | None,
    environment: str | None,
    store: str | None,
    endpoint: str | None,
    connections: bool,  # noqa: FBT001 - a flag
) -> None:
    """Check the installation, and the MAP against the last run: what is right, and what to do.

    Exits 1 where something is to be done.
    """
    with expected_errors():
        from airflow_lineage_provider.adoption.installation import check_installation
        from airflow_lineage_provider.adoption.reachability import check_connections, check_endpoint
        from airflow_lineage_provider.cli.outbox import TOKEN as ENDPOINT_TOKEN
        from airflow_lineage_provider.store.location import default_store_url, store_url

        url = store_url(store) if store else default_store_url(os.environ)
        right = True
        asked = [check_endpoint(endpoint, os.environ.get(ENDPOINT_TOKEN, ""))] if endpoint else []
        for one in chain(
            check_installation(os.environ, url, lineage_map, environment),
            asked,
            check_connections(os.environ) if connections else (),
        ):
            click.echo(_line(f"{'ok  ' if one.ok else 'FAIL'}  {one.what}: {one.message}"))
            right = right and one.ok
        if not right:
            sys.exit(DRIFT)


def _reader(
    manifest: Path | None, run: str | None, store: str | None, environment: str | None
) -> Callable[[LineageMap], Evidence]:
    from airflow_lineage_provider.readers import load_manifest, read_evidence

    if manifest is not None:
        loaded = load_manifest(manifest)
        return lambda documented: read_evidence("manifest", loaded, documented, environment)
    source = source_at(store)
    emitted = list(source.events(root_run_id=root_run(source, run or "latest")))
    return lambda documented: read_evidence("event", emitted, documented, environment)


def _print_changes(changes: Iterable[FileChange]) -> None:
    """Print a unified diff of each file."""
    for one in changes:
        sides = (one.before.splitlines(), one.after.splitlines())
        for line in difflib.unified_diff(*sides, one.file, one.file, n=1, lineterm=""):
            click.echo(_line(line))


def _line(text: str) -> str:
    from airflow_lineage_provider.reports.escape import one_line

    return one_line(text)
