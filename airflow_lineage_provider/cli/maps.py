"""The map against itself, and against a dbt project before anything runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from airflow_lineage_provider.cli.shared import (
    DRIFT,
    environment_option,
    example,
    map_argument,
    plain_errors,
)


@click.command(epilog=example("airflow-lineage lint dags/customer_analytics_pipeline.yaml"))
@map_argument
def lint(lineage_map: Path) -> None:
    """Check the MAP against itself: unknown names, cycles, loose ends."""
    with plain_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.lint import lint as lint_map

        comparison = lint_map(load_map(lineage_map))
        for finding in comparison.findings:
            click.echo(f"{finding.severity}: {finding}")
        click.echo(f"{lineage_map}: {len(comparison.findings)} findings")
        if not comparison.agreed:
            sys.exit(DRIFT)


@click.command(
    epilog=example("airflow-lineage check dags/analytics.yaml dbt_project/target/manifest.json -e dev")
)
@map_argument
@click.argument("manifest", type=click.Path(dir_okay=False, path_type=Path))
@environment_option
def check(lineage_map: Path, manifest: Path, environment: str | None) -> None:
    """Check a dbt project's MANIFEST against the documented MAP, before anything runs."""
    with plain_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers.manifest import load_manifest
        from airflow_lineage_provider.readers.validation import check as check_manifest
        from airflow_lineage_provider.reports.text import print_validation

        validation = check_manifest(load_manifest(manifest), load_map(lineage_map), environment=environment)
        print_validation(validation, sys.stdout)
        if not validation.comparison.agreed:
            sys.exit(DRIFT)
