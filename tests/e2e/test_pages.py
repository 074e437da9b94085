"""The lineage pages in Chromium, against a real Airflow that runs the pipeline."""

from __future__ import annotations

import re

import pytest

from .pipeline import DAG_ID

pytestmark = pytest.mark.e2e


def test_the_navigation_has_a_lineage_entry(shown):
    page = shown.open("/")
    page.get_by_text("Browse", exact=True).first.click()
    page.get_by_role("menuitem", name="Lineage").click()
    page.wait_for_url(re.compile("/plugin/lineage"))
    page.get_by_text(DAG_ID).first.wait_for()
    shown.keep("home")
