"""`make stack`, as a test: the whole path on real servers."""

from __future__ import annotations

import pytest

from tests.stack.__main__ import run
from tests.support.connect_worker import MissingError

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    lines: list[str] = []
    try:
        found = run(tmp_path_factory.mktemp("stack"), lines.append)
    except MissingError as error:
        pytest.skip(str(error))
    assert found.states == ["success", "success"], "\n".join(lines) + found.report
    return found


def test_silver_and_gold_are_what_the_sources_imply_row_by_row(outcome):
    """Rows were inserted, updated and deleted in Postgres, and the schema of the events changed."""
    assert outcome.differences == {}


LAYERS = ("landing.", "bronze.", "silver.", "gold.")


def test_every_edge_from_the_sources_to_gold_is_verified(outcome):
    assert outcome.status == 0, outcome.report
    found, target = {}, ""
    for line in outcome.report.splitlines():
        if "<- " in line:
            to, _, rest = line.partition("<- ")
            target = to.strip() or target
            found[target, rest.split()[0]] = rest.split()
    for table in ("customers", "orders", "products"):
        assert found[f"bronze.raw_{table}", f"crm.public.{table}"][-2:] == ["through", "ok"]
    assert found["landing.customer_events", "kafka.customer-events-prod"][-2:] == ["yes", "ok"]
    assert found["bronze.raw_customer_events", "landing.customer_events"][-2:] == ["yes", "ok"]
    assert {words[-1] for (to, _), words in found.items() if to.startswith(LAYERS)} == {"ok"}


def test_the_lineage_of_revenue_has_every_step_from_the_crm(outcome):
    """Debezium and its transforms are one step, which says what each transform does to the column."""
    columns = [step.column.lower() for step in outcome.revenue]
    assert columns == [
        "analytics.gold.customer_behavior.total_revenue",
        "analytics.gold.customer_orders_summary.total_revenue",
        "analytics.silver.stg_orders.order_amount",
        "analytics.bronze.raw_orders.amount",
        "bronze/crm_orders.amount",
        "crm-orders.amount",
        "crm.public.orders.amount",
    ]
    assert [step.job for step in outcome.revenue[3:6]] == [
        "bronze.raw_orders",
        "crm-orders",
        "crm.public.orders",
    ]
    assert outcome.revenue[5].how == "TRANSFORMATION Cast to string"
