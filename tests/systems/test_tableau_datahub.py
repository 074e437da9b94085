"""Answers of a real Tableau site, as DataHub's tests keep them, where a checkout of DataHub is there.

Nothing of them is copied; DATAHUB_CHECKOUT names another place.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_lineage_provider.systems.answers import observe_answer
from airflow_lineage_provider.systems.saved import SavedAnswer
from airflow_lineage_provider.systems.tableau.queries import CONNECTIONS

BESIDE = Path(__file__).parents[3] / "datahub"
CHECKOUT = Path(os.environ.get("DATAHUB_CHECKOUT") or BESIDE)
SETUP = CHECKOUT / "metadata-ingestion/tests/integration/tableau/setup"

pytestmark = pytest.mark.skipif(not SETUP.is_dir(), reason="no checkout of DataHub beside this one")


def connection(name):
    found = json.loads((SETUP / f"{name}Connection_all.json").read_text())
    return found["data"][f"{name}Connection"]["nodes"]


@pytest.fixture(scope="module")
def answer():
    """Return the site's answer; DataHub asks for the upstream of fields apart, so it is joined here."""
    nodes = {name: connection(name) for name in CONNECTIONS}
    upstream = {}
    for path in SETUP.glob("*FieldUpstream*.json"):
        for one in json.loads(path.read_text())["data"]["fieldsConnection"]["nodes"]:
            upstream[one["id"]] = one
    for kind in ("embeddedDatasources", "publishedDatasources"):
        for source in nodes[kind]:
            source["fields"] = [{**field, **upstream.get(field["id"], {})} for field in source["fields"]]
    return nodes


@pytest.fixture(scope="module")
def jobs(answer):
    saved = SavedAnswer("tableau", datetime.now(UTC), "https://bi.example.com", {**answer, "site": "acryl"})
    observed = observe_answer(saved, datetime.now(UTC))
    return {one.movement.job_name: one.movement for one in observed.observations}


def test_every_dashboard_and_published_data_source_is_a_job(answer, jobs):
    books = {one["id"]: one["name"] for one in answer["workbooks"]}
    boards = [
        f"{board['workbook']['projectName']}/{books[board['workbook']['id']]}/{board['name']}"
        for board in answer["dashboards"]
        if board["workbook"]["id"] in books
    ]
    sources = [f"{one['projectName']}/{one['name']}" for one in answer["publishedDatasources"]]
    assert boards
    assert set(boards + sources) <= jobs.keys()


def test_fields_are_made_of_tables(jobs):
    sources = [source for job in jobs.values() for made in (job.columns or {}).values() for source in made]
    kinds = {source.dataset.namespace.partition(":")[0] for source in sources}
    assert {"postgres", "excel-direct", "tableau"} <= kinds


def test_custom_sql_is_read(jobs):
    job = jobs["default/test publish datasource"]
    made = {name: [(s.dataset.name, s.column) for s in sources] for name, sources in job.columns.items()}
    assert made["staff_last_name"] == [("dvdrental.staff", "last_name")]
    assert {one.name.name for one in job.inputs} == {"dvdrental.customer", "dvdrental.staff"}


def test_what_is_not_known_is_said(jobs):
    for job in jobs.values():
        shown = {field.name for output in job.outputs for field in output.fields}
        assert len(job.problems) >= len(shown - (job.columns or {}).keys())
