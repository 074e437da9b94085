"""Write a first map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import example, expected_errors
from airflow_lineage_provider.cli.runs import root_run, source_at, source_option

if TYPE_CHECKING:
    from airflow_lineage_provider.adoption.seen import Sightings


@click.command(
    epilog=example("airflow-lineage init --manifest dbt_project/target/manifest.json > lineage.yaml")
)
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A dbt project's manifest.json, as `dbt compile` writes it.",
)
@click.option("--run", metavar="RUN", help="A DAG run: its root run's id, `latest` or `all`.")
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
def init(
    manifest: Path | None,
    run: str | None,
    store: str | None,
    rule: str,
    columns: tuple[str, ...],
    environment: str,
) -> None:
    """Write a first map on stdout: of a dbt project, of what a run emitted, or of both.

    What can be derived stays out. The choices that were made are listed on stderr.
    """
    if manifest is None and run is None:
        raise click.UsageError("name --manifest, --run or both")
    with expected_errors():
        from airflow_lineage_provider.adoption.first_map import first_map
        from airflow_lineage_provider.adoption.seen import seen_in_run, together
        from airflow_lineage_provider.reports.escape import one_line

        found: list[Sightings] = []
        ignore_case = False
        if manifest is not None:
            sightings, ignore_case = _of_manifest(manifest, columns=bool(columns))
            found.append(sightings)
        if run is not None:
            source = source_at(store)
            found.append(seen_in_run(source.events(root_run_id=root_run(source, run))))
            ignore_case |= any(s.namespace.startswith("snowflake:") for s in found[-1].datasets.values())
        made = first_map(
            together(*found) if len(found) > 1 else found[0],
            rule=rule,
            columns=columns,
            environment=environment,
            ignore_case=ignore_case,
        )
        click.echo(made.text, nl=False)
        for choice in made.choices:
            click.echo(one_line(choice), err=True)


def _of_manifest(path: Path, *, columns: bool) -> tuple[Sightings, bool]:
    from airflow_lineage_provider.adoption.seen import seen_in_manifest
    from airflow_lineage_provider.readers import load_manifest

    manifest = load_manifest(path)
    return seen_in_manifest(manifest, columns=columns), manifest.metadata.adapter_type == "snowflake"
