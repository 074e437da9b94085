"""Answer an assistant's or an editor's questions about lineage by the Model Context Protocol.

https://modelcontextprotocol.io. The tools only read, and each answer is bounded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from airflow_lineage_provider.cli.options import environment_option, example, expected_errors, map_argument
from airflow_lineage_provider.cli.runs import root_run, source_at, source_option
from airflow_lineage_provider.errors import InputError, LineageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import LineageMap

LONGEST = 20_000
"""Characters of an answer; an assistant reads all of it."""
LONGEST_SQL = 100_000


@dataclass(frozen=True)
class Answers:
    """The questions that can be asked. Each method raises LineageError with one line to tell the asker."""

    lineage_map: LineageMap
    environment: str | None = None
    manifest: Path | None = None
    store: str | None = None

    def impact(self, column: str, change: str = "") -> str:
        """Tell what a column or dataset reaches, down to dashboards, features and models.

        `column` is `layer.table.column` or `layer.table`. `change` is type, rename or drop: what it breaks.
        """
        from airflow_lineage_provider.checks.impact import planned_change
        from airflow_lineage_provider.reports.impact import impact_text

        graph = self._graph()
        found, effects = planned_change(graph, column, change or None)
        return _bounded(impact_text(graph, found, effects))

    def trace(self, column: str) -> str:
        """Tell what a column or dataset is made from, up to its sources: `layer.table.column`."""
        from airflow_lineage_provider.checks.references import column_reference
        from airflow_lineage_provider.graph import trace
        from airflow_lineage_provider.reports.impact import print_trace

        graph, stream = self._graph(), io.StringIO()
        print_trace(graph, trace(graph, [column_reference(graph, column)]), stream)
        return _bounded(stream.getvalue())

    def findings(self, run: str = "latest") -> str:
        """Tell where documented and actual lineage differ, with the lines of both.

        Compares the dbt manifest where the server was given one; else a DAG run: its root run's id, `latest`
        or `all`.
        """
        from airflow_lineage_provider.checks import validate
        from airflow_lineage_provider.readers import load_manifest, read_evidence
        from airflow_lineage_provider.reports.text import print_findings

        if self.manifest is not None:
            loaded = load_manifest(self.manifest)
            evidence = read_evidence("manifest", loaded, self.lineage_map, self.environment)
        else:
            source = source_at(self.store)
            emitted = source.events(root_run_id=root_run(source, run))
            evidence = read_evidence("event", emitted, self.lineage_map, self.environment)
        stream = io.StringIO()
        validation = validate(evidence, self.lineage_map, environment=self.environment)
        print_findings(validation.comparison, stream)
        return _bounded(stream.getvalue())

    def column_lineage(self, sql: str, dialect: str = "") -> str:
        """Tell which columns each output column of SQL is made from.

        `dialect` is sqlglot's name of it: duckdb, snowflake, postgres, bigquery, ...
        """
        from airflow_lineage_provider.sql import script_lineage
        from airflow_lineage_provider.sql.command import as_text

        if len(sql) > LONGEST_SQL:
            raise InputError(f"the SQL is longer than {LONGEST_SQL:,} characters; ask about a part of it")
        found = script_lineage(sql, dialect=dialect, schema={})
        return _bounded("\n\n".join(one.error or as_text(one) for one in found))

    def _graph(self) -> Graph:
        from airflow_lineage_provider.readers import read_map

        return read_map(self.lineage_map).graph


def _bounded(text: str) -> str:
    from airflow_lineage_provider.reports.escape import lines

    text = lines(text)
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST]}\n... {len(text) - LONGEST:,} characters more: ask about a part of it"


@click.command(epilog=example("airflow-lineage mcp dags/customer_analytics_pipeline.yaml -e dev"))
@map_argument
@click.option(
    "--manifest",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Compare this dbt manifest with the MAP, instead of a run.",
)
@environment_option
@source_option
def mcp(lineage_map: Path, manifest: Path | None, environment: str | None, store: str | None) -> None:
    """Serve an assistant or an editor on stdin and stdout: impact, trace, findings, column lineage of SQL.

    It speaks the Model Context Protocol, and only reads. Needs `pip install 'airflow-lineage-provider[mcp]'`.
    """
    with expected_errors():
        from airflow_lineage_provider.lineage_map import bindings_of, load_map

        try:
            from mcp.server import MCPServer
            from mcp.server.mcpserver.exceptions import ToolError
            from mcp.types import ToolAnnotations
        except ImportError:
            raise InputError("run `pip install 'airflow-lineage-provider[mcp]'` first") from None

        documented = load_map(lineage_map)
        bindings_of(documented, environment)
        answers = Answers(documented, environment, manifest, store)
        server = MCPServer("airflow-lineage")
        for question in (answers.impact, answers.trace, answers.findings, answers.column_lineage):
            server.add_tool(
                _failing_by(ToolError, question), annotations=ToolAnnotations(read_only_hint=True)
            )
        server.run("stdio")


def _failing_by(error_class: type[Exception], question: Callable[..., str]) -> Callable[..., str]:
    """Return a question whose expected errors the asker sees, so that it can correct a name."""

    @wraps(question)
    def answer(**arguments: str) -> str:
        try:
            return question(**arguments)
        except (LineageError, OSError) as error:
            raise error_class(_bounded(str(error))) from None

    return answer
