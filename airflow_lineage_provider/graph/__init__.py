"""The lineage graph: datasets, columns and edges; walk and compare. No I/O."""

from airflow_lineage_provider.graph.change import Change, Effect, effects
from airflow_lineage_provider.graph.compare import compare
from airflow_lineage_provider.graph.consumers import as_documented
from airflow_lineage_provider.graph.coverage import Coverage, combine, coverage
from airflow_lineage_provider.graph.diff import Changed, diff
from airflow_lineage_provider.graph.findings import (
    Acceptance,
    Code,
    Comparison,
    EdgeVerdict,
    Finding,
    Policy,
    Severity,
    Verdict,
    weigh,
)
from airflow_lineage_provider.graph.impact import CONSUMERS, Impact, consumers, impact, narrow, select, trace
from airflow_lineage_provider.graph.model import (
    EVERY_COLUMN,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Provenance,
    Transformation,
    saved_answer,
    without_collection,
)

__all__ = [
    "CONSUMERS",
    "EVERY_COLUMN",
    "Acceptance",
    "Change",
    "Changed",
    "Code",
    "Column",
    "ColumnEdge",
    "ColumnRef",
    "Comparison",
    "Coverage",
    "Dataset",
    "Edge",
    "EdgeVerdict",
    "Effect",
    "Finding",
    "Graph",
    "Impact",
    "Policy",
    "Provenance",
    "Severity",
    "Transformation",
    "Verdict",
    "as_documented",
    "combine",
    "compare",
    "consumers",
    "coverage",
    "diff",
    "effects",
    "impact",
    "narrow",
    "saved_answer",
    "select",
    "trace",
    "weigh",
    "without_collection",
]
