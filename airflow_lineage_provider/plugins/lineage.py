"""The Airflow plugin: lineage pages, their API, the event endpoint, and the link to a run's lineage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.plugins_manager import AirflowPlugin

from airflow_lineage_provider.links.lineage import LineageLink, LineageReportLink
from airflow_lineage_provider.plugins import preload

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


BUNDLE_URL = "lineage/static/lineage.js"
"""Relative to the base of Airflow's pages, so that it works behind any base path and proxy."""
PAGES, WIDGET = "Lineage", "Lineage drift"
"""The globals that the bundle sets: Airflow finds the component of an entry by the entry's name."""
ROUTES = {
    "nav": "lineage",
    "dag": "lineage_dag",
    "dag_run": "lineage_run",
    "task_instance": "lineage_task",
    "dashboard": "lineage_dashboard",
}
"""The route of each place: Airflow drops a second entry with the same route."""


def _react_app(destination: str, url_route: str) -> dict[str, Any]:
    return {
        "name": WIDGET if destination == "dashboard" else PAGES,
        "bundle_url": BUNDLE_URL,
        "destination": destination,
        "url_route": url_route,
        **({"category": "browse"} if destination == "nav" else {}),
    }


class LineagePlugin(AirflowPlugin):
    """Registers the web app, the pages, the link, the macro and the listener."""

    name = "lineage"
    fastapi_apps: list[Any] = [{"name": "lineage", "app": report_app, "url_prefix": "/lineage"}]  # noqa: RUF012
    react_apps: list[Any] = [_react_app(*place) for place in ROUTES.items()]  # noqa: RUF012
    macros: list[Any] = [openlineage_context]  # noqa: RUF012
    operator_extra_links = [LineageLink(), LineageReportLink()]  # noqa: RUF012 - as Airflow declares it
    listeners: list[Any] = [preload]  # noqa: RUF012
