"""The audit of a warehouse's query log."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from airflow_lineage_provider.cli.options import (
    DRIFT,
    environment_option,
    example,
    expected_errors,
    map_argument,
    scope_option,
)
from airflow_lineage_provider.cli.sql import file, read_schema

if TYPE_CHECKING:
    from pathlib import Path

    from airflow_lineage_provider.readers.query_log import QueryLog

_FORMS = click.Choice(["text", "json", "markdown"])


@click.command(
    epilog=example("airflow-lineage audit dags/analytics.yaml '/var/log/postgresql/*.csv' -e prod")
)
@map_argument
@click.argument("logs", metavar="[LOG]...", nargs=-1)
@environment_option
@scope_option
@click.option(
    "--kind",
    type=click.Choice(["csvlog", "jsonlog", "duckdb", "jsonl"]),
    help="Of the files, if they do not tell.",
)
@click.option("--postgres", metavar="URL", help="Read pg_stat_statements; the password may be in PGPASSWORD.")
@click.option("--dialect", default="", help="Of the SQL, as sqlglot names it.  [default: the server's]")
@click.option("--namespace", default="", help="OpenLineage's of the warehouse, such as postgres://db:5432.")
@click.option("--database", default="", help="Completes names, where the log does not name the database.")
@click.option("--schema", type=file, help='JSON: {"table": {"column": "type"}}, as far as it is known.')
@click.option("--encoding", default="utf-8", show_default=True, help="Of the files.")
@click.option("--format", "form", type=_FORMS, default="text", show_default=True)
def audit(lineage_map: Path, logs: tuple[str, ...], form: str, **options: Any) -> None:
    """Compare what a warehouse really ran, by its query LOG, with the documented MAP.

    LOG is a file, a folder or a glob: Postgres's csvlog or jsonlog, DuckDB's QueryLog as CSV, or JSON lines
    {"query", "timestamp", "user", "session", "database", "schema", "calls"}; plain or by gzip. Exits with
    status 1 where the map's policy calls a finding an error: `adhoc-write` is one by default.
    """
    if bool(logs) == bool(options["postgres"]):
        raise click.UsageError("name LOG files, or --postgres URL")
    with expected_errors():
        from airflow_lineage_provider.checks.audit import audit as compare
        from airflow_lineage_provider.checks.dialects import warehouse_dialect
        from airflow_lineage_provider.lineage_map import bindings_of, load_map
        from airflow_lineage_provider.readers.query_log import read_writes
        from airflow_lineage_provider.reports.audit import audit_json, audit_markdown, print_audit

        documented = load_map(lineage_map)
        environment = options["environment"]
        fallback = warehouse_dialect(documented, environment)
        logged = read_writes(_log(logs, options, fallback), bindings_of(documented, environment))
        found = compare(logged, documented, environment=environment, scope=options["scope"])
        if form == "text":
            print_audit(found, sys.stdout)
        else:
            click.echo((audit_json if form == "json" else audit_markdown)(found), nl=False)
        if not found.comparison.agreed:
            sys.exit(DRIFT)


def _log(logs: tuple[str, ...], options: dict[str, Any], fallback_dialect: str) -> QueryLog:
    from airflow_lineage_provider.readers.query_log.files import open_log_files

    if options["postgres"]:
        from sqlalchemy import make_url

        from airflow_lineage_provider.errors import InputError
        from airflow_lineage_provider.systems.postgres_statements import postgres_query_log

        try:
            url = make_url(options["postgres"])
        except Exception:  # noqa: BLE001 - the error has the URL, and so its password
            raise InputError(
                "--postgres is not a URL; write it like postgresql://user@host:5432/db"
            ) from None
        return postgres_query_log(url, "--postgres", options["namespace"])
    names = ("kind", "dialect", "namespace", "database", "encoding")
    given = {name: options[name] or "" for name in names}
    return open_log_files(
        logs, **given, columns=read_schema(options["schema"]), fallback_dialect=fallback_dialect
    )
