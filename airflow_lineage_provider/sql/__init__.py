"""Column-level lineage of SQL: text in, frozen data out. No I/O, no Airflow.

A statement goes through in one pass: `parse` (within `bounds`), then the extractor of its kind
(`statements`, `inserts`, `updates`), which has `query` read each SELECT once, bottom up. There `scope` says
what a name means, `tables`, `stars` and `pivots` what stands in FROM and in a star, and `sources` walks each
expression. A field carries its edges down to base tables all along (`relations`, `kinds`), so that no column
is traced on its own. `script` lets later statements read what earlier ones made, `results` turns it all into
plain data (`model`), and `project` does so for many models, with a cache.

sqlglot parses and writes SQL, no more: names are resolved here, which takes less time than its qualifier,
knows more than queries, and does not change between its minor versions (see `compat`).
"""

from airflow_lineage_provider.sql.model import (
    Lineage,
    OutputColumn,
    Problem,
    Source,
    Subject,
    Subtype,
    Table,
    Type,
)
from airflow_lineage_provider.sql.schema import Schema
from airflow_lineage_provider.sql.script import column_lineage, script_lineage

__all__ = [
    "Lineage",
    "OutputColumn",
    "Problem",
    "Schema",
    "Source",
    "Subject",
    "Subtype",
    "Table",
    "Type",
    "column_lineage",
    "script_lineage",
]
