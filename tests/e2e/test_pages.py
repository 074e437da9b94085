"""The lineage pages in Chromium, against a real Airflow that runs the pipeline with planted drift.

The tests go through one run in the order of this module: first while it goes on, then after its end.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .pipeline import DAG_ID

pytestmark = pytest.mark.e2e

CONSUMERS = (
    "Customer Analytics Dashboard",
    "Executive KPI Report",
    "customer_engagement_features",
    "churn_prediction_model",
)


def node(page, name):
    return page.locator(f'[data-node="{name}"]').first


def drawn(page, *names):
    """Wait until the graph has these datasets; a part of it may lie outside of the view."""
    for name in names:
        node(page, name).wait_for(state="attached")


def tool(page, name):
    """Return a button of the graph's toolbar."""
    toolbar = page.get_by_role("toolbar", name="Graph")
    return toolbar.get_by_role("button", name=re.compile(name, re.IGNORECASE))


def find(page, text, dataset):
    """Choose what the search box finds in a dataset."""
    page.get_by_role("combobox", name="Find a dataset or column").fill(text)
    page.get_by_role("option").filter(has_text=dataset).first.click()


def test_models_appear_while_dbt_runs(shown):
    page = shown.open(shown.run_path())
    page.locator('[data-node*="raw_orders"]').first.wait_for(state="attached")
    shown.keep("run-going-on")
    page = shown.open(shown.run_path("#tab=runs"))
    page.get_by_text("raw_orders").first.wait_for()
    shown.keep("runs-going-on")


def test_the_graph_marks_what_was_not_documented(ended):
    page = ended.open(ended.run_path())
    drawn(page, "silver.stg_customers", "gold.customer_orders_summary")
    ended.keep("graph")
    legend = page.get_by_label("Legend")
    assert re.search(r"Undeclared\s*1", legend.inner_text())
    assert re.search(r"Missing\s*0", legend.inner_text())


def test_a_finding_names_the_line_of_the_map(ended):
    ended.open("/")
    page = ended.open(ended.run_path("#tab=findings"))
    findings = page.get_by_label("Findings", exact=True)
    findings.get_by_text("gold.customer_behavior.total_orders").first.wait_for()
    findings.get_by_text(re.compile(rf"{DAG_ID}\.yaml:\d+")).first.wait_for()
    ended.keep("findings")


def test_a_column_s_path_from_its_source_to_four_consumers_and_a_link_to_it(ended):
    ended.open("/")
    page = ended.open(ended.run_path())
    drawn(page, "gold.customer_behavior")
    find(page, "total_revenue", "gold.customer_behavior")
    tool(page, "all datasets").wait_for()  # the path is drawn by itself
    ended.keep("path")
    tool(page, "table").click()
    listed(page)

    link = page.url
    ended.open("/")
    page.goto(link)
    listed(page)
    query = "dataset=gold.customer_behavior&column=total_revenue"
    api = f"/lineage/api/v1/dags/{DAG_ID}/runs/~latest/path?{query}"
    steps = ended.airflow.request("GET", api, token=ended.run.token).json()["upstream"]
    assert {"dataset": "crm.public.orders", "column": "amount"} in [step["source"] for step in steps]


def listed(page):
    """Wait for the table of the path's edges: from the source to all consumers, and to no other table."""
    for name in ("crm.public.orders", "bronze.raw_orders", *CONSUMERS):
        page.get_by_role("cell", name=name, exact=True).first.wait_for()
    assert page.get_by_role("cell", name="bronze.raw_products").count() == 0


def test_the_picture_is_exported(ended):
    drawn(ended.open(ended.run_path()), "gold.customer_behavior")
    with ended.page.expect_download() as download:
        tool(ended.page, "SVG").click()
    assert Path(download.value.path()).read_text().startswith("<svg")
    with ended.page.expect_download() as download:
        tool(ended.page, "PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


def test_the_impact_of_a_change(ended):
    ended.open("/")
    page = ended.open(ended.run_path("#tab=impact&dataset=bronze.raw_orders&column=amount"))
    page.get_by_label("Impact", exact=True).get_by_text("Executive KPI Report").first.wait_for()
    ended.keep("impact")


PLACES = {
    "dag": f"/dags/{DAG_ID}/plugin/lineage_dag",
    "task": "/tasks/silver/plugin/lineage_task",
}


@pytest.mark.parametrize("place", PLACES)
def test_the_tabs_of_a_dag_and_of_a_task(ended, place):
    path = PLACES[place]
    if place == "task":
        path = ended.run_path().replace("/plugin/lineage_run", path)
    page = ended.open(path)
    drawn(page, "silver.stg_orders")
    ended.keep(place)


def test_the_dark_theme(ended):
    page = ended.open(ended.run_path())
    page.evaluate("localStorage.setItem('theme', 'dark')")
    page.reload()
    drawn(page, "gold.customer_behavior")
    ended.keep("dark")
    assert page.locator("html.dark").count() == 1
    page.evaluate("localStorage.setItem('theme', 'light')")


def test_the_navigation_has_a_lineage_entry(ended):
    page = ended.open("/")
    page.get_by_text("Browse", exact=True).first.click()
    page.get_by_role("menuitem", name="Lineage").click()
    page.wait_for_url(re.compile("/plugin/lineage"))
    page.get_by_text(DAG_ID).first.wait_for()
    ended.keep("home")


def test_a_task_links_to_the_lineage_of_its_run(ended):
    links = ended.run.get("/taskInstances/validate_lineage/links").json()["extra_links"]
    page = ended.open(links["Lineage"])
    drawn(page, "gold.customer_behavior")
