"""The quarterly review of the documented lineage: the package that the governance committee signs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import DAG

from airflow_lineage_provider.operators.review import LineageReviewOperator

REPORTS = os.environ.get("LINEAGE_REPORTS") or str(
    Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser() / "lineage_reports"
)
# Where each dbt target's tables are, by the map's own names, as for the pipeline itself.
ENVIRONMENT = (
    os.environ.get("LINEAGE_ENVIRONMENT")
    or {"duckdb": "dev", "postgres": "postgres", "snowflake": "prod"}[os.environ.get("DBT_TARGET", "duckdb")]
)

DOC = """
### Quarterly lineage review

Writes `lineage-review-DATE.md` and `.html` into `LINEAGE_REPORTS` (by default `lineage_reports` in
AIRFLOW_HOME): what changed since the last approval and whom that reaches, open questions, accepted findings,
the history of validations, reconciliations and audits, which documented tables and columns were observed, a
checklist, the approvals, and the document as it is now.

The committee reads the page, answers the questions, and records its approval, which is then committed:

    airflow-lineage approve customer_analytics_pipeline.yaml --role "Data Governance Committee" --name NAME

Owner: Data Platform Team.
"""

with DAG(
    dag_id="lineage_review",
    description="What the governance committee signs each quarter",
    schedule="0 6 1 1,4,7,10 *",
    start_date=datetime(2025, 1, 1, tzinfo=UTC),
    catchup=False,
    default_args={"owner": "Data Platform Team", "retries": 2},
    tags=["lineage", "governance"],
    doc_md=DOC,
) as dag:
    LineageReviewOperator(
        task_id="review",
        map_path="customer_analytics_pipeline.yaml",
        environment=ENVIRONMENT,
        output_dir=REPORTS,
        doc_md="The package as Markdown and as a page that prints well.",
    )
