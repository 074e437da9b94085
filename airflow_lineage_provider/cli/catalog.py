"""Publish lineage to a data catalog, and print the recipes of its ingestions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.options import environment_option, example, expected_errors, map_argument
from airflow_lineage_provider.cli.runs import root_run, source_at, source_option

if TYPE_CHECKING:
    from airflow_lineage_provider.systems.datahub.plan import CatalogSink

TOKEN = "DATAHUB_GMS_TOKEN"  # noqa: S105 - DataHub's own name of the variable


_EXAMPLE = example("airflow-lineage publish datahub dags/analytics.yaml -e prod --file catalog.json")


@click.group(epilog=_EXAMPLE)
def publish() -> None:
    """Publish documented and observed lineage to a data catalog."""


@publish.command(epilog=_EXAMPLE)
@map_argument
@environment_option
@click.option("--server", metavar="URL", help=f"DataHub's metadata service; its token is in {TOKEN}.")
@click.option("--file", "file", type=click.Path(dir_okay=False, path_type=Path), help="A metadata file.")
@click.option("--run", metavar="RUN", help="Publish what this run emitted too: an id, `latest` or `all`.")
@source_option
@click.option("--env", default="PROD", show_default=True, help="DataHub's environment of the datasets.")
@click.option(
    "--instance",
    "instances",
    multiple=True,
    metavar="PLATFORM=NAME",
    help="The platform instance of a platform; may be repeated.",
)
@click.option("--remove", is_flag=True, help="Soft-delete what was published and the map no longer has.")
@click.option("--dry-run", is_flag=True, help="Print what would be written, and write nothing.")
def datahub(  # noqa: PLR0913 - options of a command
    lineage_map: Path,
    environment: str | None,
    server: str | None,
    file: Path | None,
    run: str | None,
    store: str | None,
    env: str,
    instances: tuple[str, ...],
    *,
    remove: bool,
    dry_run: bool,
) -> None:
    """Publish the MAP, and what a run emitted, to DataHub: to a server, to a file, or to both.

    Only aspects that differ are written. What people and other producers added stays.
    """
    if not server and not file:
        raise click.UsageError("name a --server, a --file, or both")
    with expected_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.reports.escape import one_line
        from airflow_lineage_provider.systems.datahub.publication import Publication, publish

        events: tuple[Any, ...] = ()
        if run:
            source = source_at(store)
            events = tuple(source.events(root_run_id=root_run(source, run)))
        publication = Publication(
            load_map(lineage_map),
            environment,
            events,
            env.upper(),
            _pairs(instances, "--instance", "PLATFORM=NAME"),
        )
        changes = publish(publication, _sinks(server, file), remove=remove, dry_run=dry_run)
        for sink, planned in changes.items():
            for change in planned:
                click.echo(one_line(str(change)))
            verb = "would be written" if dry_run else "written"
            click.echo(one_line(f"{sink}: {len(planned)} aspects {verb}"))


def _sinks(server: str | None, file: Path | None) -> list[CatalogSink]:
    from airflow_lineage_provider.systems.datahub.sinks import FileSink, ServerSink
    from airflow_lineage_provider.systems.http import JsonApi

    sinks: list[CatalogSink] = []
    if server:
        sinks.append(ServerSink(JsonApi(server, "DataHub", token=os.environ.get(TOKEN, ""))))
    if file:
        sinks.append(FileSink(file))
    return sinks


def _pairs(given: tuple[str, ...], option: str, form: str) -> dict[str, str]:
    from airflow_lineage_provider.errors import InputError

    found = {}
    for one in given:
        key, equals, name = one.partition("=")
        if not (key and equals and name):
            raise InputError(f"{option} {one!r} is not {form}")
        found[key] = name
    return found


@click.command(epilog=example("airflow-lineage recipes dags/analytics.yaml -e prod --directory recipes"))
@map_argument
@environment_option
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a file for each recipe here, instead of printing them.",
)
@click.option(
    "--connection",
    "connections",
    multiple=True,
    metavar="SOURCE=CONNECTION",
    help="An Airflow connection from AIRFLOW_CONN_<NAME>, such as snowflake=warehouse; may be repeated.",
)
@click.option(
    "--file", "file", metavar="PATH", default="", help="The recipes write to this file, not to a server."
)
def recipes(
    lineage_map: Path,
    environment: str | None,
    directory: Path | None,
    connections: tuple[str, ...],
    file: str,
) -> None:
    """Print the recipes of DataHub's ingestions that the MAP names: Snowflake, dbt, Tableau.

    Secrets are not written: a recipe takes them from variables.
    """
    with expected_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.datahub_urns import slug
        from airflow_lineage_provider.reports.escape import lines, one_line
        from airflow_lineage_provider.systems.connection import environment_connection
        from airflow_lineage_provider.systems.datahub.recipes import recipe_text
        from airflow_lineage_provider.systems.datahub.recipes import recipes as recipes_of

        known = {
            source: environment_connection(name, os.environ)
            for source, name in _pairs(connections, "--connection", "SOURCE=CONNECTION").items()
        }
        for name, recipe in recipes_of(load_map(lineage_map), environment, known, file).items():
            text = recipe_text(name, recipe)
            if directory is None:
                click.echo(lines(text), nl=False)
                click.echo("---")
                continue
            directory.mkdir(parents=True, exist_ok=True)
            path = directory / f"datahub_{slug(name)}.yml"
            path.write_text(text, encoding="utf-8")
            click.echo(one_line(str(path)))
