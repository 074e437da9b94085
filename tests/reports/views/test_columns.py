"""The columns of a dataset: what is known of each, and its findings."""

from __future__ import annotations

from dataclasses import replace

from airflow_lineage_provider.graph import Severity
from airflow_lineage_provider.reports.views.columns import column_views
from airflow_lineage_provider.reports.views.graph import graph_view
from airflow_lineage_provider.reports.views.lineage import gravity, observed_run, validated_run
from airflow_lineage_provider.reports.views.models import RunSummary
from airflow_lineage_provider.reports.views.run_events import RunEvents
from tests.plugins.seeds import Table

from .test_saved import EXTRA, TABLES, saved

RUN = RunSummary(run_id="r", state="success", started=None, ended=None, outcome=None, errors=0, warnings=0)
WITHOUT_AMOUNT = [TABLES[0], Table("silver.orders", ("id",), ("bronze.orders",)), *TABLES[2:]]


def known(lineage, dataset):
    return {column.name: column.lineage for column in column_views(lineage, dataset)}


def test_a_documented_column_that_the_run_s_table_lacks_is_unobserved():
    validation, events = saved(WITHOUT_AMOUNT)
    expected = {"id": "known", "amount": "unobserved"}
    assert known(validated_run(validation, RunEvents()), "silver.orders") == expected
    assert known(observed_run(events, RunEvents(), validation), "silver.orders") == expected


def test_a_documented_column_of_a_table_that_was_not_observed_is_known_from_the_map():
    validation, _ = saved([])
    assert known(validated_run(validation, RunEvents()), "bronze.orders") == {
        "id": "known",
        "amount": "known",
    }


def test_findings_of_a_dataset_and_a_column_name_the_gravest():
    lineage = validated_run(saved([*WITHOUT_AMOUNT, EXTRA])[0], RunEvents())
    severities = {
        name: [gravity(one) for one in lineage.findings if lineage.subjects[one.subject][0] == name]
        for name in lineage.graph.datasets
    }
    datasets = graph_view(lineage, RUN, complete=True).datasets
    assert {one.id for one in datasets if one.findings} >= {"silver.orders", "gold.extra"}
    order = ["error", "warning", "info"]
    for one in datasets:
        assert one.gravest == min(severities[one.id], key=order.index, default=None)
    columns = {one.name: one for one in column_views(lineage, "silver.orders")}
    assert columns["amount"].gravest == "error"
    assert columns["id"].gravest is None


def test_a_note_is_not_grave():
    validation, _ = saved([*TABLES, EXTRA])
    notes = tuple(replace(one, severity=Severity.NOTE) for one in validation.findings)
    lineage = validated_run(replace(validation, findings=notes), RunEvents())
    found = {one.id: one.gravest for one in graph_view(lineage, RUN, complete=True).datasets if one.findings}
    assert set(found.values()) == {"info"}
