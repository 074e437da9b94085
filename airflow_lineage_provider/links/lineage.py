"""From a task in Airflow's UI to the lineage of its run."""

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
    """The lineage that the task's DAG run emitted, on a page of Airflow's own web server."""

    @property
    def name(self) -> str:
        """Return the button's text."""
        return "Lineage report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the page's path, below that of `[api] base_url`; the host is the one in the browser."""
        from airflow.providers.common.compat.sdk import conf

        base = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
        return f"{base}{REPORT_PATH}?{urlencode({'dag_id': ti_key.dag_id, 'run_id': ti_key.run_id})}"
