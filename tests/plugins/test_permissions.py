"""Who sees what of the lineage pages' API: two DAGs, and people who may read one of them."""

from __future__ import annotations

import pytest

from .serving import ROLES

OF_DAG = [
    "runs",
    "runs/{run}/graph",
    "runs/~latest/graph",
    "runs/{run}/columns?dataset=silver.{table}",
    "runs/{run}/path?dataset=silver.{table}&column=id",
    "runs/{run}/dataset?dataset=silver.{table}",
    "runs/{run}/jobs",
    "runs/{run}/findings",
    "runs/{run}/impact?dataset=silver.{table}",
    "runs/{run}/search?q=a",
    "runs/no-such-run/graph",
]


def names_of(answer):
    return [one["dag_id"] for one in answer.json()["dags"]]


DAGS = {"ann": ["first"], "bob": ["second"], "carl": ["first", "second"]}


@pytest.mark.parametrize(("person", "dags"), DAGS.items())
def test_the_list_has_the_dags_that_the_user_may_read(fab, person, dags):
    answer = fab.get("/summary", person)
    assert names_of(answer) == dags
    assert fab.get("/dags", person).json()["total"] == len(dags)
    for other in {"first", "second"} - set(dags):
        assert other.encode() not in answer.body


@pytest.mark.parametrize("path", OF_DAG)
def test_another_dag_is_refused_and_none_of_its_names_are_told(fab, path):
    route = path.format(run="second-run-0", table="second_salaries")
    answer = fab.get(f"/dags/second/{route}", "ann")
    assert answer.status == 403
    assert b"salar" not in answer.body
    allowed = fab.get(f"/dags/second/{route.replace('column=id', 'column=salary')}", "bob")
    assert allowed.status == (404 if "no-such-run" in path else 200)


def test_a_dag_that_is_not_there_is_refused_like_one_that_may_not_be_read(fab):
    known, unknown = (fab.get(f"/dags/{dag}/runs/~latest/graph", "ann") for dag in ("second", "no-such-dag"))
    assert (known.status, known.body) == (unknown.status, unknown.body)


@pytest.mark.parametrize("person", ["ann", "carl"])
def test_the_own_dag_is_shown_whole(fab, person):
    graph = fab.get("/dags/first/runs/~latest/graph", person).json()
    assert graph["run"]["outcome"] == "DRIFT"
    states = {(edge["source"], edge["target"]): edge["state"] for edge in graph["edges"]}
    assert states["silver.first_orders", "gold.first_extra"] == "undeclared"
    assert states["silver.first_orders", "gold.first_revenue"] == "verified"


@pytest.mark.parametrize("role", [role for role in ROLES if role != "nobody"])
def test_each_role_of_the_simple_auth_manager_reads_all_dags(simple, role):
    assert names_of(simple.get("/summary", role)) == ["first", "second"]
    assert simple.get("/dags/first/runs/~latest/graph", role).status == 200


def test_a_user_without_a_role_sees_nothing(simple):
    answer = simple.get("/summary", "nobody")
    assert names_of(answer) == []
    for path in OF_DAG:
        refused = simple.get(f"/dags/first/{path.format(run='first-run-0', table='first_orders')}", "nobody")
        assert refused.status == 403
        assert b"orders" not in refused.body


@pytest.mark.parametrize(("token", "status"), [("", 401), ("forged", 403)])
def test_a_missing_or_a_forged_token_is_refused(simple, token, status):
    answer = simple.request("/lineage/api/v1/summary", token)
    assert answer.status == status
    assert "log in again" in answer.json()["error"] or status == 403
