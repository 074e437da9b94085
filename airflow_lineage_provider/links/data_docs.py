"""Link a task in Airflow's UI to the data docs that it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

DATA_DOCS_KEY = "data_docs"
"""The XCom that holds the URL of the data docs of a run."""


@attrs.define()
class DataDocsLink(BaseOperatorLink):
    """Links to the data docs of Great Expectations, where something serves them."""

    @property
    def name(self) -> str:
        """Return the button's text."""
        return "Data docs"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        """Return the URL that the task pushed; empty where it pushed none."""
        from airflow.providers.common.compat.sdk import XCom

        found = XCom.get_value(ti_key=ti_key, key=DATA_DOCS_KEY)
        return found if isinstance(found, str) else ""
