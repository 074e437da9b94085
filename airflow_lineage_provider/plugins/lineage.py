"""The Airflow plugin: the lineage report of a DAG run, the event endpoint, and the link to the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

from airflow_lineage_provider.links.lineage import LineageReportLink

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def report_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the app. It is imported with the first request, because every Airflow process loads plugins."""
    from airflow_lineage_provider.plugins.report_app import app

    await app(scope, receive, send)


def openlineage_context(task_instance: Any) -> str:
    """Return the value of OPENLINEAGE_CONTEXT for a container that a task starts: its parent and root run.

    In a template: `{{ macros.lineage.openlineage_context(task_instance) }}`.
    """
    from airflow_lineage_provider.events.context import context_text
    from airflow_lineage_provider.utils.dag_run import run_context

    return context_text(run_context(task_instance.get_template_context()))


class LineagePlugin(AirflowPlugin):
    """Registers the web app, the link and the macro."""

    name = "lineage"
    fastapi_apps: list[Any] = [{"name": "lineage", "app": report_app, "url_prefix": "/lineage"}]  # noqa: RUF012
    macros: list[Any] = [openlineage_context]  # noqa: RUF012
    operator_extra_links = [LineageReportLink()]  # noqa: RUF012 - as Airflow declares it
