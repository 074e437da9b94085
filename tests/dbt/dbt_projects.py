"""Write dbt projects on DuckDB and run them."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.dbt import Command, DbtRun, recorder
from airflow_lineage_provider.dbt.records import (
    Invocation,
    InvocationFinished,
    LogLine,
    NodeFinished,
    NodeStarted,
)
from airflow_lineage_provider.events.sql_tables import tables_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

recorder.START_PATIENCE = 60.0  # a START has its columns on a slow machine, too

PROJECT = """
name: {name}
profile: warehouse
flags: {{send_anonymous_usage_stats: false}}
models:
  {name}:
    bronze: {{+schema: bronze}}
    silver: {{+schema: silver}}
    gold: {{+schema: gold}}
{more}
"""

PROFILES = """
warehouse:
  target: dev
  outputs:
    dev: {{type: duckdb, path: "{path}", threads: {threads}}}
"""

# A layer's schema has the layer's name, without the target schema in front.
SCHEMA_NAME = """
{% macro generate_schema_name(custom, node) %}{{ custom or target.schema }}{% endmacro %}
"""


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts to paths below `folder`."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")


def write_project(
    folder: Path, files: Mapping[str, str], *, name: str = "shop", more: str = "", threads: int = 1
) -> Path:
    """Write a dbt project with its profile beside it; its database is `folder/warehouse.duckdb`."""
    own = {
        "dbt_project.yml": PROJECT.format(name=name, more=more),
        "profiles.yml": PROFILES.format(path=folder / "warehouse.duckdb", threads=threads),
        "macros/generate_schema_name.sql": SCHEMA_NAME,
    }
    write_files(folder, {**own, **files})
    return folder


def command(project: Path, **options: Any) -> Command:
    return Command(str(project), **{"profiles_dir": str(project), **options})


@dataclass
class Outcome:
    """The records of one invocation by kind and by node."""

    records: list[Any] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def invocation(self) -> Invocation:
        (only,) = self.of(Invocation)
        return only

    @property
    def starts(self) -> dict[str, NodeStarted]:
        return {record.node.label: record for record in self.of(NodeStarted)}

    @property
    def ends(self) -> dict[str, NodeFinished]:
        return {record.node.label: record for record in self.of(NodeFinished)}

    @property
    def statuses(self) -> dict[str, str]:
        return {label: record.status for label, record in self.ends.items()}

    @property
    def finished(self) -> InvocationFinished:
        return self.records[-1]

    @property
    def log(self) -> str:
        return "\n".join(line.text for line in self.of(LogLine))


def collect(records: Iterable[Any]) -> Outcome:
    return Outcome(list(records))


def run(project: Path, verb: str = "build", **options: Any) -> Outcome:
    """Run dbt to its end and return its records."""
    return collect(DbtRun(command(project, verb=verb, **options), tables_named))
