"""Write a map as a document, and read such a document as a map."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from airflow_lineage_provider.cli.options import echo_page, example, expected_errors, map_argument


@click.command(epilog=example("airflow-lineage render dags/customer_analytics_pipeline.yaml > lineage.md"))
@map_argument
@click.option(
    "--format", "form", type=click.Choice(["markdown", "html"]), default="markdown", show_default=True
)
def render(lineage_map: Path, form: str) -> None:
    """Write the MAP as the document that people read and sign: Markdown with Mermaid, or one HTML page."""
    with expected_errors():
        from airflow_lineage_provider.lineage_map import load_map
        from airflow_lineage_provider.lineage_map.document.writer import render_markdown
        from airflow_lineage_provider.reports.html_map import render_html

        documented = load_map(lineage_map)
        if form == "html":
            echo_page(render_html(documented))
        else:
            click.echo(render_markdown(documented.content), nl=False)


@click.command("import", epilog=example("airflow-lineage import data-lineage-maps.md > lineage.yaml"))
@click.argument("document", type=click.Path(dir_okay=False, path_type=Path))
def import_(document: Path) -> None:
    """Convert a Markdown DOCUMENT to a map on stdout; text that fits no field is listed on stderr."""
    with expected_errors():
        from airflow_lineage_provider.errors import InputError
        from airflow_lineage_provider.lineage_map.document.reader import import_markdown
        from airflow_lineage_provider.lineage_map.dump import dump_map
        from airflow_lineage_provider.reports.escape import one_line

        try:
            text = document.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{document}: not UTF-8 (byte {error.start}); save it as UTF-8") from None
        imported = import_markdown(text, str(document))
        click.echo(dump_map(imported.content), nl=False)
        for problem in imported.unplaced:
            click.echo(one_line(f"not placed: {problem}"), err=True)
        sys.stdout.flush()
