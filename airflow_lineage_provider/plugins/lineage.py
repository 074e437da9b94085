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


class LineagePlugin(AirflowPlugin):
    """Registers the web app and the link."""

    name = "lineage"
    fastapi_apps: list[Any] = [{"name": "lineage", "app": report_app, "url_prefix": "/lineage"}]  # noqa: RUF012
    operator_extra_links = [LineageReportLink()]  # noqa: RUF012 - as Airflow declares it
