"""TableauLineageOperator in a real Airflow: what its tasks do and commit, live and from a saved answer."""

import json

import pytest
from airflow_cases import run_cases
from tableau import Tableau, daily
from tableau_case import answer_of
from tableau_site import site

from airflow_lineage_provider.systems.saved import answer_text

TABLEAU = {"class": "tableau.TableauLineageOperator"}
BOARD = "Analytics/Customer Analytics/Customer Analytics Dashboard"


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    base = tmp_path_factory.mktemp("tableau")
    (base / "tableau.json").write_text(answer_text(answer_of(site())))
    with Tableau(site(), tasks=daily("luid-pub")) as running:
        conn = {"conn_type": "tableau", "host": running.url, "login": "ann", "password": running.password}
        conn |= {"extra": {"site_id": "sales"}}
        connections = {
            "bi": conn,
            "pat": conn | {"extra": {"site_id": "sales", "auth": "pat"}},
            "wrong": conn | {"password": "not-the-password"},
            "away": conn | {"host": "http://127.0.0.1:9"},
        }
        given = {name: TABLEAU | {"operator": {"tableau_conn_id": name}} for name in connections}
        given["saved"] = TABLEAU | {"operator": {"saved_answer": str(base / "tableau.json")}}
        given["no_file"] = TABLEAU | {"operator": {"saved_answer": str(base / "nothing.json")}}
        environ = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in connections.items()}
        yield run_cases(base / "airflow", given, environ)


def ends(case):
    return {e["job"]["name"]: e for e in case.events if e["eventType"] == "COMPLETE"}


@pytest.mark.parametrize("case", ["bi", "pat", "saved"])
def test_a_dashboard_is_a_job_with_its_fields(cases, case):
    assert cases[case].state == "success", cases[case].log
    end = ends(cases[case])[BOARD]
    (source,), (target,) = end["inputs"], end["outputs"]
    assert source["name"] == "Analytics/Customer Behavior"
    assert target["facets"]["datasetType"]["datasetType"] == "DASHBOARD"
    assert target["facets"]["dataSource"]["uri"].endswith("/#/site/sales/views/Book/d1")
    made = target["facets"]["columnLineage"]["fields"]["Total Revenue"]["inputFields"]
    assert [(one["name"], one["field"]) for one in made] == [("Analytics/Customer Behavior", "Total Revenue")]
    assert cases[case].returned["jobs"] == {"COMPLETE": 4}


def test_an_event_of_a_saved_answer_names_its_time(cases):
    def tag(case):
        tags = ends(cases[case])[BOARD]["run"]["facets"]["tags"]["tags"]
        return {one["key"]: one["value"] for one in tags}.get("saved_answer")

    assert tag("bi") is None
    assert tag("saved") == "2026-01-31T12:00:00.000000Z"
    assert cases["saved"].returned["saved_answer"] == "2026-01-31T12:00:00+00:00"


@pytest.mark.parametrize(
    ("case", "said", "again"),
    [
        ("wrong", "Tableau (connection 'wrong') refuses the login", False),
        ("away", "Tableau (connection 'away') cannot be reached", True),
        ("no_file", "nothing.json cannot be read: No such file or directory", False),
    ],
)
def test_what_cannot_be_read_is_one_line_without_secrets(cases, case, said, again):
    assert said in cases[case].error
    assert ("AirflowFailException" not in cases[case].log) is again
    assert cases[case].events == []
    assert "not-the-password" not in cases[case].log
