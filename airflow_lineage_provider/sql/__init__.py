"""Column-level lineage of SQL: text in, frozen data out. No I/O, no Airflow.

A statement is analysed in one pass. `parse` (within `limits`) gives its syntax tree, and the extractor of its
kind (`statements`, `inserts`, `updates`) reads each query in it once, bottom up (`query`, `ctes`). `scope`
resolves names, `tables`, `stars` and `pivots` read FROM and select lists, and `sources` walks each
expression. Every field carries its edges down to base tables (`rowsets`, `edge_kinds`), so that no column is
traced on its own. `script` lets later statements read the tables that earlier ones created (`catalog`),
`results` turns the outcome into plain data (`model`), and `project` analyses many models, with a cache.

sqlglot only parses and generates SQL. Names are resolved here: this takes less time than its qualifier,
covers statements other than queries, and does not change between its minor versions (see `compat`).
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
