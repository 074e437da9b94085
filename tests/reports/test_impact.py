"""An impact and a trace as text, Markdown and data."""

import io
from pathlib import Path

import pytest

from airflow_lineage_provider.checks.equality import converts
from airflow_lineage_provider.checks.references import column_reference
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import (
    Change,
    ColumnEdge,
    ColumnRef,
    Graph,
    Provenance,
    combine,
    effects,
    impact,
    trace,
)
from airflow_lineage_provider.lineage_map import load_map
from airflow_lineage_provider.readers import read_map
from airflow_lineage_provider.reports.impact import impact_json, impact_markdown, impact_text, print_trace

GRAPH = read_map(load_map(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml")).graph
AMOUNT = impact(GRAPH, [ColumnRef("bronze.raw_orders", "amount")])


def test_the_tree_of_the_documented_scenario():
    assert (
        impact_text(GRAPH, AMOUNT)
        == """\
bronze.raw_orders.amount
-> silver.stg_orders.order_amount  CAST(amount AS DECIMAL(10,2))
   -> gold.customer_orders_summary.total_revenue  SUM(order_amount)
      -> gold.customer_behavior.total_revenue
         -> Customer Analytics Dashboard.Total Revenue (Tableau)
            -> Executive KPI Report (Tableau)  by table
         -> customer_engagement_features.30_day_purchase_amount (Tecton)
            -> churn_prediction_model (SageMaker)  by table

Consumers
  Customer Analytics Dashboard: Customer Analytics Team, \
https://tableau.example.com/#/views/CustomerAnalytics/CustomerAnalyticsDashboard
  customer_engagement_features: Machine Learning Team, \
https://tecton.example.com/feature-views/customer_engagement_features
  Executive KPI Report: Business Intelligence Team, https://tableau.example.com/#/views/ExecutiveKPIs/ExecutiveKPIReport
  churn_prediction_model: Machine Learning Team, \
https://sagemaker.example.com/models/churn_prediction_model

Checked on the way
  silver.stg_orders: dbt tests: not_null, unique, relationships, \
Great Expectations: format validation, range checks

Owners to inform: Business Intelligence Team, Customer Analytics Team, Data Platform Team, \
Machine Learning Team

TOTAL IMPACT: 4 downstream consumers
"""
    )


def test_a_new_type_ends_at_the_cast():
    told = effects(GRAPH, AMOUNT, Change.TYPE, converts("duckdb"))
    first = impact_text(GRAPH, AMOUNT, told).splitlines()[1]
    assert first.endswith("CAST(amount AS DECIMAL(10,2))  holds")


def test_a_rename_breaks_the_columns_made_from_it():
    told = effects(GRAPH, AMOUNT, Change.RENAME, converts("duckdb"))
    lines = impact_text(GRAPH, AMOUNT, told).splitlines()
    assert lines[1].endswith("  breaks")
    assert lines[2].endswith("  fed by what breaks")


def test_the_tree_of_a_trace():
    stream = io.StringIO()
    print_trace(GRAPH, trace(GRAPH, [ColumnRef("gold.customer_behavior", "total_revenue")]), stream)
    assert (
        stream.getvalue()
        == """\
gold.customer_behavior.total_revenue
<- gold.customer_orders_summary.total_revenue
   <- silver.stg_orders.order_amount  SUM(order_amount)
      <- bronze.raw_orders.amount  CAST(amount AS DECIMAL(10,2))
         <- crm.public.orders.amount

TOTAL: 4 datasets, 1 source
"""
    )


def test_as_data_and_as_a_comment():
    data = impact_json(GRAPH, AMOUNT)
    assert data["reached"][0] == {
        "dataset": "silver.stg_orders",
        "column": "order_amount",
        "hops": 1,
        "via": "bronze.raw_orders.amount",
        "kind": "table",
        "system": "warehouse",
        "layer": "silver",
        "owners": ["Data Platform Team"],
        "evidence": ["documented"],
    }
    dashboard = next(one for one in data["reached"] if one["dataset"] == "Executive KPI Report")
    assert dashboard["url"] == "https://tableau.example.com/#/views/ExecutiveKPIs/ExecutiveKPIReport"
    assert len(data["consumers"]) == 4
    assert impact_markdown(GRAPH, AMOUNT).splitlines()[1] == "  - `silver.stg_orders.order_amount`"


def step(source, target, **provenance):
    return ColumnEdge(
        ColumnRef(*source.split("/")),
        ColumnRef(*target.split("/")),
        provenance=(Provenance("event", job="a job", run_id="r1", **provenance),),
    )


def test_each_step_says_whether_it_is_documented_or_observed_or_both():
    observed = Graph(
        column_edges=[
            step("bronze.raw_orders/amount", "silver.stg_orders/order_amount"),
            step("gold.customer_behavior/total_revenue", "Sales Board/Revenue", saved="2026-01-31T06:12:00Z"),
        ]
    )
    both = combine(GRAPH, observed)
    found = impact(both, [ColumnRef("bronze.raw_orders", "amount")])
    lines = {line.split("  ")[-1] for line in impact_text(both, found).splitlines() if "->" in line}
    data = {one["dataset"]: one for one in impact_json(both, found)["reached"]}

    assert "[documented and observed]" in lines
    assert "[documented only]" in lines
    assert "[observed only, saved answer of 2026-01-31]" in lines
    assert data["silver.stg_orders"]["evidence"] == ["documented", "observed"]
    assert data["Sales Board"]["saved_answer"] == "2026-01-31T06:12:00Z"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "bronze.raw_order.amount",
            r"no dataset 'bronze.raw_order.amount'; did you mean bronze.raw_orders\?",
        ),
        ("bronze.raw_orders.amout", r"bronze.raw_orders has no column 'amout'; did you mean amount\?"),
        ("nonsense", r"no dataset 'nonsense'"),
    ],
)
def test_an_unknown_name(text, message):
    with pytest.raises(InputError, match=message):
        column_reference(GRAPH, text)
