"""What the provider adds to Airflow's web server."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from airflow_lineage_provider.links.lineage import LineageReportLink


class LineagePlugin(AirflowPlugin):
    """Registers the lineage report and the link to it."""

    name = "lineage"
    operator_extra_links = [LineageReportLink()]  # noqa: RUF012 - as Airflow declares it
