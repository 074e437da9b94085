"""The gate before a schema change: the impact of a migration, or of a new version of a dbt project."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.options import DRIFT, expected_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., Any]

_file = click.Path(dir_okay=False, path_type=Path)


def migration_options(command: Command) -> Command:
    """Add the options of the gate."""
    options = (
        click.option(
            "--migration", type=_file, multiple=True, help="SQL that changes tables; may be repeated."
        ),
        click.option("--dialect", help="Of the SQL, as sqlglot names it.  [default: by the map's bindings]"),
        click.option("--default-schema", default="", help="Of tables that the SQL names without one."),
        click.option("--manifest", type=_file, help="The manifest of the new version of a dbt project ..."),
        click.option("--against", type=_file, help="... and that of the old one."),
        click.option(
            "--allowed", type=click.IntRange(min=0), default=0, help="How many consumers may be affected."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def gates(options: dict[str, Any]) -> bool:
    """Whether an option of the gate is given."""
    return bool(options["migration"] or options["manifest"] or options["against"])


def gate(form: str, *, column: str | None, **options: Any) -> None:
    """Print the impact by consumer; exit with status 1 where it reaches more than is allowed."""
    if column is not None:
        raise click.UsageError("name a COLUMN or a migration, not both")
    if bool(options["manifest"]) != bool(options["against"]) or bool(
        options["manifest"] and options["migration"]
    ):
        raise click.UsageError("name --migration FILE, or --manifest NEW --against OLD")
    with expected_errors():
        from airflow_lineage_provider.checks.gate import gated_impact
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.reports.escape import json_text
        from airflow_lineage_provider.reports.migration import (
            affected,
            migration_data,
            migration_markdown,
            print_migration,
        )

        names = ("manifest", "against", "dialect", "environment", "default_schema")
        found = gated_impact(
            load_map(options["lineage_map"]),
            migrations=options["migration"],
            **{name: options[name] for name in names},
        )
        if form == "json":
            click.echo(json_text(migration_data(found), indent=2))
        elif form == "markdown":
            click.echo(migration_markdown(found), nl=False)
        else:
            print_migration(found, sys.stdout)
        if len(affected(found)) > options["allowed"]:
            sys.exit(DRIFT)
