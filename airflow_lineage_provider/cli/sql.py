"""The column lineage of SQL."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from airflow_lineage_provider.cli.options import BAD_INPUT, example, expected_errors
from airflow_lineage_provider.errors import InputError

file = click.Path(dir_okay=False, allow_dash=True, path_type=Path)


@click.command(epilog=example("airflow-lineage sql model.sql --dialect duckdb --schema schema.json"))
@click.argument("path", metavar="[FILE]", type=file, required=False)
@click.option("--dialect", default="", help="The SQL's dialect, as sqlglot names it: duckdb, snowflake, ...")
@click.option("--schema", type=file, help='JSON: {"table": {"column": "type"}}, as far as it is known.')
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--batch", type=file, help="Many statements, one JSON object a line; answers likewise.")
def sql(path: Path | None, dialect: str, schema: Path | None, form: str, batch: Path | None) -> None:
    """Print the source columns of each output column of the SQL in FILE (`-` for stdin).

    With --batch, each line is {"id", "sql", "dialect", "schema", "default_database", "default_schema"}, and
    each answer {"id", "columns", "indirect", "error", ...}, of a script with several writes also "lineages".
    """
    if (path is None) == (batch is None):
        raise click.UsageError("name one FILE, or --batch FILE")
    with expected_errors():
        from airflow_lineage_provider.reports.escape import json_text, lines, one_line
        from airflow_lineage_provider.sql import script_lineage
        from airflow_lineage_provider.sql.command import answer_batch, as_json, as_text

        if batch:
            for answer in answer_batch("/dev/stdin" if str(batch) == "-" else batch):
                click.echo(answer)
            return
        found = script_lineage(_read(path), dialect=dialect, schema=read_schema(schema))
        if form == "json":
            click.echo(json_text([as_json(lineage) for lineage in found], indent=2))
        elif known := [as_text(lineage) for lineage in found if not lineage.error]:
            click.echo(lines("\n\n".join(known)))
        for lineage in found:
            if lineage.error:
                click.echo(one_line(f"airflow-lineage: {path}: {lineage.error}"), err=True)
        if any(lineage.error for lineage in found):
            sys.exit(BAD_INPUT)


def _read(path: Path | None) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    return Path(str(path)).read_text(encoding="utf-8", errors="replace")


def read_schema(path: Path | None) -> dict[str, dict[str, str]]:
    """Return the schema in a JSON file; none without a file. Raises InputError for anything else."""
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: no JSON: {error}") from None
    if not isinstance(found, dict) or not all(isinstance(columns, dict) for columns in found.values()):
        raise InputError(f'{path}: a schema is {{"table": {{"column": "type"}}}}')
    return found
