"""The lineage pages' API on a real web server: what it answers, how it is cached, and its errors."""

from __future__ import annotations

import gzip
import shutil
import sqlite3

import pytest

from .serving import API

RUN = "/dags/first/runs/~latest"


def test_the_api_conforms_to_its_openapi_document(simple, schemathesis):
    found = schemathesis(
        f"{simple.url}/lineage/openapi.json",
        simple.token("admin"),
        *("--include-path-regex", "/api/v1/(summary|dags)", "--url", f"{simple.url}/lineage"),
        *("--max-examples", "10"),
    )
    assert not found


def test_the_graph_of_a_run(simple):
    graph = simple.get(f"{RUN}/graph").json()
    assert graph["run"]["run_id"] == "first-run-1"
    assert graph["complete"]
    assert [lane["label"] for lane in graph["lanes"]] == ["bronze", "silver", "gold"]
    revenue = next(one for one in graph["datasets"] if one["id"] == "gold.first_revenue")
    assert (revenue["columns"], revenue["column_lineage"], revenue["state"]) == (1, "known", "ok")
    assert revenue["owners"] == ["team-first"]
    edge = next(one for one in graph["edges"] if one["target"] == "gold.first_revenue")
    assert edge["claims"][0].startswith("map.yaml:")
    assert edge["claims"][1:] == ["dbt"]


def test_the_path_of_a_column(simple):
    path = simple.get(f"{RUN}/path?dataset=silver.first_orders&column=amount").json()
    assert [(step["source"]["dataset"], step["kind"], step["state"]) for step in path["upstream"]] == [
        ("bronze.first_orders", "identity", "verified")
    ]
    assert {step["target"]["dataset"]: step["state"] for step in path["downstream"]} == {
        "gold.first_revenue": "verified",
        "gold.first_extra": "observed",
    }


def test_a_dataset_with_its_sql_and_its_last_runs(simple):
    detail = simple.get(f"{RUN}/dataset?dataset=silver.first_orders").json()
    assert detail["sql"] == {"text": "select * from bronze.first_orders", "dialect": "duckdb"}
    assert [run["run_id"] for run in detail["runs"]] == ["first-run-1", "first-run-0"]
    assert [run["rows"] for run in detail["runs"]] == [1000, 1000]
    assert [column["name"] for column in detail["columns"]] == ["id", "amount"]


def test_a_finding_with_the_entry_that_accepts_it(simple):
    found = simple.get(f"{RUN}/findings").json()["items"]
    drift = next(one for one in found if one["code"] == "dataset-unexpected")
    assert drift["severity"] == "error"
    assert drift["dataset"] == "gold.first_extra"
    assert "subject: gold.first_extra\n" in drift["accept"]


def test_the_jobs_of_a_run_and_a_page_of_them(simple):
    jobs = simple.get(f"{RUN}/jobs").json()
    assert jobs["total"] == 4
    silver = next(job for job in jobs["items"] if job["name"] == "silver.first_orders")
    shown = [silver[key] for key in ("task_id", "kind", "state", "rows")]
    assert shown == ["layer", "model", "ok", 1000]
    assert silver["outputs"] == ["silver.first_orders"]
    page = simple.get(f"{RUN}/jobs?limit=2&offset=1").json()
    assert page == {"items": jobs["items"][1:3], "total": 4}


def test_the_impact_of_a_change_and_of_a_migration(simple):
    change = simple.get(f"{RUN}/impact?dataset=bronze.first_orders&column=amount&change=renamed").json()
    assert [(one["dataset"], one["depth"]) for one in change["items"]] == [
        ("silver.first_orders", 1),
        ("gold.first_revenue", 2),
        ("gold.first_extra", 2),
    ]
    assert "`silver.first_orders.amount`" in change["markdown"]
    body = {"migration": "ALTER TABLE bronze.first_orders DROP COLUMN amount"}
    planned = simple.request(f"{API}{RUN}/impact", simple.token("admin"), body).json()
    assert planned["change"] == "bronze.first_orders.amount is dropped"
    assert [one["dataset"] for one in planned["items"]] == [one["dataset"] for one in change["items"]]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("revenue", "gold.first_revenue"),
        ("AMOUNT", "silver.first_orders.amount"),
        ("silver.first_orders", "silver.first_orders"),
    ],
)
def test_search_finds_datasets_and_columns(simple, text, first):
    labels = [one["label"] for one in simple.get(f"{RUN}/search?q={text}").json()["items"]]
    assert first in labels
    assert labels[0].casefold().find(text.casefold()) >= 0
    assert len(simple.get(f"{RUN}/search?q={text}&limit=1").json()["items"]) == 1


def test_an_answer_that_the_client_has_is_not_sent_again(simple):
    first = simple.get(f"{RUN}/graph")
    again = simple.get(f"{RUN}/graph", **{"If-None-Match": first.headers["etag"]})
    assert (again.status, again.body) == (304, b"")
    assert simple.get(f"{RUN}/graph", **{"If-None-Match": '"another"'}).status == 200
    packed = simple.get(f"{RUN}/graph", **{"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == first.body


def test_answers_are_private_and_never_a_page(simple):
    headers = simple.get(f"{RUN}/graph").headers
    assert headers["cache-control"] == "private, no-cache"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/dags/no-such-dag/runs/~latest/graph", 404, "has no run yet: trigger it"),
        ("/dags/first/runs/no-such-run/graph", 404, "has no run no-such-run: choose another"),
        (f"{RUN}/columns?dataset=nothing", 404, "has no dataset 'nothing'"),
        (f"{RUN}/path?dataset=silver.first_orders&column=x", 404, "has no column 'x'"),
        (f"{RUN}/path?dataset=silver.first_orders", 422, "query.column"),
        (f"{RUN}/jobs?limit=0", 422, "query.limit"),
    ],
)
def test_errors_are_one_line_that_says_what_is_wrong(simple, path, status, text):
    answer = simple.get(path)
    assert answer.status == status
    assert text in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        ("update lineage_version set version_num = '9999'", 409, "made by a newer version"),
        ("drop table lineage_version", 503, "is empty: run a pipeline first"),
    ],
)
def test_a_store_that_cannot_be_read(simple, change, status, text):
    path = simple.home / "lineage.db"
    shutil.copy(path, path.with_suffix(".kept"))
    with sqlite3.connect(path) as connection:
        before = connection.execute("select version_num from lineage_version").fetchone()[0]
        connection.execute(change)
        connection.commit()
    try:
        answer = simple.get("/summary")
        assert (answer.status, text in answer.json()["error"]) == (status, True)
    finally:
        with sqlite3.connect(path) as connection:
            connection.execute("create table if not exists lineage_version (version_num text primary key)")
            connection.execute("delete from lineage_version")
            connection.execute("insert into lineage_version values (?)", (before,))
        path.with_suffix(".kept").unlink()


def test_the_bundle_or_a_message_that_says_how_to_build_it(simple):
    script = simple.request("/lineage/static/lineage.js")
    assert script.status == 200
    assert script.headers["content-type"].startswith("text/javascript")
    assert script.headers["cache-control"] == "no-cache"
    assert "unsafe" not in script.headers["content-security-policy"]
    again = simple.request("/lineage/static/lineage.js", headers={"If-None-Match": script.headers["etag"]})
    assert again.status == 304


@pytest.mark.parametrize(
    "name", ["no-such.js", "..%2Flineage.py", "lineage.py", ".hidden.js", "%2e%2e%2fx.js"]
)
def test_no_other_file_is_served(simple, name):
    assert simple.request(f"/lineage/static/{name}").status == 404


def test_the_plugin_has_a_route_of_its_own_for_each_place(simple):
    plugins = simple.request("/api/v2/plugins?limit=100", simple.token("admin")).json()["plugins"]
    apps = next(plugin for plugin in plugins if plugin["name"] == "lineage")["react_apps"]
    assert {app["destination"] for app in apps} == {"nav", "dag", "dag_run", "task_instance", "dashboard"}
    assert len({app["url_route"] for app in apps}) == len(apps)
    assert {app["bundle_url"] for app in apps} == {"lineage/static/lineage.js"}
