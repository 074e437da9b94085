"""Links from a task in Airflow's UI to the lineage of its DAG run."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

import attrs
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

REPORT_PATH = "/lineage/report"
TAB_PATH = "/plugin/lineage_run"


@attrs.define()
class LineageLink(BaseOperatorLink):
    """Links to the lineage of the task's DAG run, beside what is documented."""

    @property
    def name(self) -> str:
        """Return the button's text."""
        return "Lineage"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the path of the run's Lineage tab below that of `[api] base_url`, without a host."""
        run = f"/dags/{quote(ti_key.dag_id, safe='')}/runs/{quote(ti_key.run_id, safe='')}"
        return f"{_base_path()}{run}{TAB_PATH}"


@attrs.define()
class LineageReportLink(BaseOperatorLink):
    """Links to the report of the lineage that the task's DAG run emitted."""

    @property
    def name(self) -> str:
        """Return the button's text."""
        return "Lineage report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the path of the page below that of `[api] base_url`, without a host."""
        query = urlencode({"dag_id": ti_key.dag_id, "run_id": ti_key.run_id})
        return f"{_base_path()}{REPORT_PATH}?{query}"


def _base_path() -> str:
    from airflow.providers.common.compat.sdk import conf

    base: str = conf.get("api", "base_url", fallback="")
    return urlsplit(base).path.rstrip("/")
