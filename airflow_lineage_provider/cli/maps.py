"""Check a map on its own and against a dbt project, and compare two revisions."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import (
    DRIFT,
    environment_option,
    example,
    expected_errors,
    map_argument,
    report,
    report_option,
    scope_option,
)

if TYPE_CHECKING:
    from airflow_lineage_provider.readers import Evidence


@click.command(epilog=example("airflow-lineage lint dags/customer_analytics_pipeline.yaml"))
@click.argument("lineage_maps", metavar="MAP...", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@report_option
def lint(lineage_maps: tuple[Path, ...], form: str) -> None:
    """Check each MAP on its own: unknown names, cycles, loose ends, bindings."""
    with expected_errors():
        from airflow_lineage_provider.checks.lint import lint as lint_map
        from airflow_lineage_provider.graph import Comparison
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.reports.text import print_findings

        linted = [lint_map(load_map(path)) for path in lineage_maps]
        merged = Comparison(
            findings=tuple(finding for one in linted for finding in one.findings),
            accepted=tuple(finding for one in linted for finding in one.accepted),
        )
        report(merged, form, lambda stream: print_findings(merged, stream))


@click.command(
    epilog=example("airflow-lineage check dags/analytics.yaml dbt_project/target/manifest.json -e dev")
)
@map_argument
@click.argument("manifest", type=click.Path(dir_okay=False, path_type=Path))
@environment_option
@click.option(
    "--cache",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep column lineage in this file between checks. Its content is trusted.",
)
@scope_option
@report_option
def check(
    lineage_map: Path,
    manifest: Path,
    environment: str | None,
    cache: Path | None,
    scope: tuple[str, ...],
    form: str,
) -> None:
    """Check a dbt project's MANIFEST against the documented MAP, before anything runs."""
    with expected_errors():
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers import load_manifest, read_evidence
        from airflow_lineage_provider.reports.text import print_validation

        documented = load_map(lineage_map)
        evidence = read_evidence("manifest", load_manifest(manifest), documented, environment, cache=cache)
        validation = validate(evidence, documented, environment=environment, scope=scope)
        report(validation.comparison, form, lambda stream: print_validation(validation, stream))


@click.command(epilog=example("airflow-lineage diff dags/analytics.yaml --from main --format markdown"))
@click.argument("new", metavar="NEW", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("old", metavar="[OLD]", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--from", "old_revision", metavar="REVISION", help="OLD is NEW as it was at this git revision.")
@click.option("--to", "new_revision", metavar="REVISION", help="NEW as it was at this git revision.")
@click.option("--map", "lineage_map", type=click.Path(dir_okay=False, path_type=Path), help="For manifests.")
@environment_option
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True
)
def diff(
    new: Path,
    old: Path | None,
    old_revision: str | None,
    new_revision: str | None,
    lineage_map: Path | None,
    environment: str | None,
    form: str,
) -> None:
    """Print what changed from OLD to NEW, and the consumers that each change reaches.

    Both are maps, or both are dbt manifests (.json), whose relations --map and --environment name.
    """
    if (old is None) == (old_revision is None):
        raise click.UsageError("name OLD, or --from REVISION")
    with expected_errors():
        from airflow_lineage_provider.checks.difference import difference
        from airflow_lineage_provider.reports.diff import diff_data, diff_markdown, diff_text
        from airflow_lineage_provider.reports.escape import json_text

        before = _evidence_of(new if old is None else old, old_revision, lineage_map, environment)
        after = _evidence_of(new, new_revision, lineage_map, environment)
        changes = difference(before, after)
        written = {"text": diff_text, "markdown": diff_markdown}.get(form)
        click.echo(written(changes) if written else json_text(diff_data(changes), indent=2), nl=not written)


def _evidence_of(
    path: Path, revision: str | None, lineage_map: Path | None, environment: str | None
) -> Evidence:
    from airflow_lineage_provider.checks.revisions import map_at, read_revision
    from airflow_lineage_provider.errors import InputError
    from airflow_lineage_provider.lineage_map import load_map
    from airflow_lineage_provider.readers import load_manifest, read_evidence, read_map
    from airflow_lineage_provider.readers.manifest_file import parse_manifest

    if path.suffix == ".json":
        if lineage_map is None:
            raise InputError(f"{path}: name the map that binds the manifest's relations with --map")
        manifest = (
            load_manifest(path)
            if revision is None
            else parse_manifest(read_revision(path, revision).encode(), f"{path}@{revision}")
        )
        return read_evidence("manifest", manifest, load_map(lineage_map), environment)
    if revision is None:
        return read_map(load_map(path))
    return read_map(map_at(path, revision))


@click.command(
    epilog=example(
        "airflow-lineage comment dags/lineage.yaml --from origin/main --manifest target/manifest.json"
    )
)
@map_argument
@click.option("--from", "revision", required=True, help="The git revision to compare the MAP with.")
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Check this dbt manifest against the MAP too.",
)
@environment_option
def comment(lineage_map: Path, revision: str, manifest: Path | None, environment: str | None) -> None:
    """Print a pull request's comment in Markdown: `diff` and `check` in one, in less than 60 lines.

    It says what changed since the revision, whom that reaches, what differs from the MAP and what to do.
    """
    with expected_errors():
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.checks.difference import difference
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.readers import load_manifest, read_evidence
        from airflow_lineage_provider.reports.pull_request import comment_markdown

        before = _evidence_of(lineage_map, revision, None, environment)
        documented = load_map(lineage_map)
        changes = difference(before, _evidence_of(lineage_map, None, None, environment))
        comparison = None
        if manifest is not None:
            evidence = read_evidence("manifest", load_manifest(manifest), documented, environment)
            comparison = validate(evidence, documented, environment=environment).comparison
        click.echo(comment_markdown(changes, comparison, str(lineage_map)), nl=False)
        if comparison is not None and not comparison.agreed:
            sys.exit(DRIFT)
