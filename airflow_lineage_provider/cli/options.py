"""Arguments, exit status and error handling that the commands share."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.graph import Comparison

DRIFT = 1
BAD_INPUT = 2

map_argument = click.argument("lineage_map", metavar="MAP", type=click.Path(dir_okay=False, path_type=Path))
environment_option = click.option(
    "--environment", "-e", help="Which environment of the map binds its names to datasets."
)
scope_option = click.option(
    "--scope",
    multiple=True,
    help="Expect only these layers, datasets or globs of datasets; may be repeated.",
)
report_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown", "html", "junit", "sarif", "github"]),
    default="text",
    show_default=True,
)


def example(line: str) -> str:
    """Return the last line of a command's help."""
    return f"Example: {line}"


def report(
    comparison: Comparison,
    form: str,
    in_text: Callable[[TextIO], None],
    in_html: Callable[[], str] | None = None,
) -> None:
    """Print a comparison in one of the formats; exit with status 1 on drift."""
    if form == "text":
        in_text(sys.stdout)
    elif form == "html" and in_html:
        echo_page(in_html())
    else:
        from airflow_lineage_provider.reports.formats import comparison_as

        click.echo(comparison_as(form, comparison), nl=False)
    if not comparison.agreed:
        sys.exit(DRIFT)


def echo_page(page: str) -> None:
    """Print an HTML page; say on stderr what its drawing needs where it is left out."""
    from airflow_lineage_provider.reports.picture import NO_BUNDLE, bundle

    click.echo(page, nl=False)
    if bundle() is None:
        click.echo(NO_BUNDLE, err=True)


@contextmanager
def expected_errors() -> Iterator[None]:
    """Print an expected error in one line on stderr and exit with status 2."""
    from airflow_lineage_provider.errors import LineageError

    try:
        yield
    except BrokenPipeError:
        # A reader such as `head` closed the pipe; else Python reports it again when closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (LineageError, OSError) as error:
        from airflow_lineage_provider.reports.escape import lines

        click.echo(lines(f"airflow-lineage: {error}"), err=True)
        sys.exit(BAD_INPUT)
