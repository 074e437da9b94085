"""Airflow with a run whose lineage drifted, and pages of it in Chromium: one for all tests of the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.support.browser import (
    PATIENCE,
    browser,
    require_bundle,
    require_chromium,
    screenshot_folder,
)

from .pipeline import DAG_ID, new_pipeline
from .standalone import standalone
from .test_drift import BEHAVIOR, ref_added
from .triggered import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .standalone import Airflow
    from .triggered import Triggered

SIZE = {"width": 1440, "height": 900}


@dataclass(frozen=True, slots=True)
class Site:
    """Airflow's pages in a browser that is logged in as an admin; `run` goes on until somebody waits for it.

    In the run a column is gone (`total_orders` of gold.customer_behavior), and a table reads another one that
    the map does not say (gold.customer_orders_summary reads silver.stg_customers).
    """

    airflow: Airflow
    run: Triggered
    page: Any
    folder: Path

    def open(self, path: str) -> Any:
        """Open a page by its path, and return it."""
        self.page.goto(f"{self.airflow.url}{path}", wait_until="domcontentloaded")
        return self.page

    def run_path(self, rest: str = "") -> str:
        """Return the path of the run's Lineage tab; `rest` is its query."""
        return f"/dags/{DAG_ID}/runs/{quote(self.run.run_id)}/plugin/lineage_run{rest}"

    def keep(self, name: str) -> None:
        """Keep a screenshot of the whole page under a name."""
        self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Start Chromium; Playwright allows one in a process."""
    require_chromium()
    with browser() as running:
        yield running


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory) -> Path:
    """Return the folder that screenshots are kept in."""
    return screenshot_folder(tmp_path_factory)


def log_in(page: Any, user: str, password: str) -> None:
    """Log in by the form of the SimpleAuthManager."""
    page.set_default_timeout(PATIENCE)
    page.set_default_navigation_timeout(PATIENCE)
    page.goto("/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/auth/login" not in url)


@pytest.fixture(scope="session")
def site(tmp_path_factory, chromium, screenshots) -> Iterator[Site]:
    """Start Airflow, log in by the form, and trigger the pipeline."""
    require_bundle()
    pipeline = new_pipeline(tmp_path_factory.mktemp("pages"))
    pipeline.without_contract()
    pipeline.edit(BEHAVIOR, "orders.total_orders,\n  orders.total_revenue", "orders.total_revenue")
    ref_added(pipeline)
    with standalone(pipeline) as airflow:
        page = chromium.new_page(viewport=SIZE, base_url=airflow.url)
        log_in(page, "admin", airflow.password("admin"))
        run = start(airflow, airflow.token("admin"), DAG_ID)
        yield Site(airflow, run, page, screenshots)


@pytest.fixture
def shown(site, request) -> Iterator[Site]:
    """Yield the site, and keep a screenshot of what the test saw last, also where it fails."""
    yield site
    site.keep(f"end-of-{request.node.name.replace('/', '-')}")


@pytest.fixture
def ended(shown) -> Site:
    """Return the site after the run has ended."""
    shown.run.wait_until_ended()
    return shown
