"""Link a task in Airflow's UI to the lineage report of its DAG run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import attrs
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

REPORT_PATH = "/lineage/report"


@attrs.define()
class LineageReportLink(BaseOperatorLink):
    """Links to the report of the lineage that the task's DAG run emitted."""

    @property
    def name(self) -> str:
        """Return the button's text."""
        return "Lineage report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the path of the page below that of `[api] base_url`, without a host."""
        from airflow.providers.common.compat.sdk import conf

        base = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
        return f"{base}{REPORT_PATH}?{urlencode({'dag_id': ti_key.dag_id, 'run_id': ti_key.run_id})}"
