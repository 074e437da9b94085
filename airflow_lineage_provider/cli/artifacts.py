"""Lineage events from the artifacts of a dbt run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import example, expected_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openlineage.client.event_v2 import RunEvent

    from airflow_lineage_provider.dbt.records import Record
    from airflow_lineage_provider.events.context import RunContext


@click.command(epilog=example("airflow-lineage artifacts target/ --project-dir . > events.jsonl"))
@click.argument("folder", metavar="TARGET")
@click.option("--project-dir", help="The folder with dbt_project.yml, which names the profile.  [default: .]")
@click.option("--profiles-dir", help="The folder with profiles.yml.")
@click.option("--target", help="The profile's target.")
@click.option(
    "--warehouse",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Where the warehouse is, instead of a profile: type=snowflake, account=..., host=..., port=....",
)
@click.option("--sources", is_flag=True, help="Read sources.json too, the results of `dbt source freshness`.")
@click.option("--store", help="Commit the events to this store: a SQLite file or a database URL.")
def artifacts(
    folder: str,
    project_dir: str | None,
    profiles_dir: str | None,
    target: str | None,
    warehouse: tuple[str, ...],
    sources: bool,  # noqa: FBT001 - an option of click
    store: str | None,
) -> None:
    """Print the lineage events of a dbt run that is over, one JSON object a line, or commit them to a store.

    TARGET is the folder or the URL of an object store into which dbt wrote manifest.json and
    run_results.json. catalog.json (`dbt docs generate`) gives the columns of tables. The variable
    OPENLINEAGE_CONTEXT names the parent run.
    """
    with expected_errors():
        from openlineage.client.serde import Serde

        from airflow_lineage_provider.cli.runs import open_store
        from airflow_lineage_provider.dbt import artifacts as dbt_artifacts
        from airflow_lineage_provider.events.context import CONTEXT_VARIABLE, context_of_text
        from airflow_lineage_provider.events.masking import mask_event, redact_values, secret_values
        from airflow_lineage_provider.events.sql_tables import tables_named
        from airflow_lineage_provider.readers.artifact_files import read_folder
        from airflow_lineage_provider.reports.escape import json_text

        read = read_folder(folder)
        if warehouse:
            fields = {key: value for key, _, value in (one.partition("=") for one in warehouse)}
            origin = dbt_artifacts.ArtifactsOrigin(dbt_artifacts.given_warehouse(fields), project_dir or "")
        else:
            origin = dbt_artifacts.origin_by_profile(read, project_dir or ".", profiles_dir, target)
        redact = redact_values(secret_values(os.environ))
        parent = context_of_text(os.environ.get(CONTEXT_VARIABLE, ""))
        records = dbt_artifacts.artifact_records(read, origin, tables_named, sources=sources)
        events = [mask_event(Serde.to_dict(event), redact) for event in _events(records, parent)]
        if store:
            opened = open_store(store)
            click.echo(f"{opened.append(events)} events committed to {opened}")
            return
        for event in events:
            click.echo(json_text(event))


def _events(records: Iterable[Record], parent: RunContext) -> Iterator[RunEvent]:
    from airflow_lineage_provider.dbt.records import LogLine
    from airflow_lineage_provider.events.invocation import InvocationEvents
    from airflow_lineage_provider.reports.escape import one_line

    events = InvocationEvents(parent)
    for record in records:
        if isinstance(record, LogLine):
            click.echo(one_line(record.text), err=True)
        yield from events.of(record)
