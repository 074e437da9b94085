# ruff: noqa: E501 - a case is a row
"""The client of Tableau against a stand-in: pages, busy servers, sessions, permissions, older versions."""

import html
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tableau import SCHEMA, Root, Tableau, daily
from tableau_case import MAP, NOW, answer_of, connection, validated
from tableau_site import column_field, dashboard, node, ref, sheet, site, table, workbook

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Code, Severity, Verdict
from airflow_lineage_provider.reports.formats import FORMATS, comparison_as
from airflow_lineage_provider.reports.text import validation_text
from airflow_lineage_provider.systems.answers import fetch_answer, observe_answer
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.saved import answer_text, load_answer
from airflow_lineage_provider.systems.tableau import client

ROOT = Path(__file__).parents[2]


def fetched(running):
    return fetch_answer("tableau", connection(running))


def test_every_query_is_one_that_the_schema_allows():
    with Tableau(site(), tasks=daily("luid-pub")) as running:
        answer = fetched(running).answer
        assert answer["incomplete"] == []
        assert running.queries
        assert running.invalid == []


def many(count):
    """Return the nodes of a site with as many workbooks, each with a dashboard of 20 fields."""
    nodes = {kind: [] for kind in site()}
    nodes["databaseTables"] = [table("CUSTOMER_BEHAVIOR")]
    for number in range(count):
        key = f"w{number}"
        fields = [column_field(f"{key}-f{n}", f"Field {n}", f"C{n}", "table-CUSTOMER_BEHAVIOR", datasource=ref(f"{key}-e")) for n in range(20)]  # fmt: skip
        nodes["workbooks"].append(workbook(key, f"Workbook {number}"))
        nodes["dashboards"].append(dashboard(f"{key}-d", f"Dashboard {number}", key, [f"{key}-s"]))
        nodes["sheets"].append(
            sheet(f"{key}-s", "Sheet", key, [field["id"] for field in fields], [f"{key}-d"])
        )
        nodes["embeddedDatasources"].append(
            {
                "__typename": "EmbeddedDatasource",
                "id": f"{key}-e",
                "name": "Data",
                "workbook": ref(key),
                "parentPublishedDatasources": [],
                "fields": fields,
            }
        )
    return nodes


def test_all_pages_are_read():
    answer = answer_of(many(130))
    assert answer.answer["incomplete"] == []
    assert [one["name"] for one in answer.answer["workbooks"]] == [f"Workbook {n}" for n in range(130)]
    seen = observe_answer(answer, NOW).observations
    boards = [one.movement for one in seen if one.movement.job_type == "DASHBOARD"]
    assert len(boards) == 130
    assert all(len(one.columns) == 20 for one in boards)


def test_a_cursor_that_repeats_ends_the_listing_and_is_said(monkeypatch):
    page = Root.page

    def stuck(self, kind, first, after):
        found = page(self, kind, first, None)
        return found | {"pageInfo": {"hasNextPage": True, "endCursor": "1"}, "totalCount": 9}

    monkeypatch.setattr(Root, "page", stuck)
    answer = answer_of(site())
    assert "4 of 9 dashboards were listed" in answer.answer["incomplete"]


def test_a_page_with_too_many_nodes_is_asked_for_in_parts():
    answer = answer_of(many(30), largest_page=13)
    assert len(answer.answer["dashboards"]) == 30
    assert answer.answer["incomplete"] == []


def test_a_busy_server_is_asked_again():
    answer = answer_of(site(), busy=[429, 503, 429])
    assert answer.answer["incomplete"] == []
    assert len(answer.answer["dashboards"]) == 2


def test_a_server_that_stays_busy_is_an_error_that_another_try_may_mend(monkeypatch):
    monkeypatch.setattr(client, "TRIES", 1)
    with Tableau(site(), busy=[503] * 10) as running, pytest.raises(SystemReadError) as raised:
        fetched(running)
    assert raised.value.unreachable
    assert str(raised.value).startswith("Tableau (connection 'bi') answers with an error")


def test_a_session_that_expires_is_signed_in_again():
    with Tableau(site(), tasks=daily("luid-pub"), expire_after=3) as running:
        answer = fetched(running).answer
        assert running.sessions > 2
    assert len(answer["databaseTables"]) == 1
    assert answer["incomplete"] == []


def test_a_wrong_password_is_said_without_it():
    with Tableau(site()) as running, pytest.raises(SystemReadError, match="refuses the login") as raised:
        fetch_answer("tableau", connection(running, password="wrong-password"))
    assert "wrong-password" not in str(raised.value)


def test_a_server_that_is_away_is_said():
    with Tableau(site()) as running:
        gone = connection(running)
    with pytest.raises(SystemReadError, match="cannot be reached") as raised:
        fetch_answer("tableau", gone)
    assert raised.value.unreachable


@pytest.mark.parametrize(
    ("host", "said"),
    [("", "names no host"), ("https://ann:s3cret@bi.example.com", "has a login in its host")],
)
def test_a_host_that_cannot_be_used_is_said(host, said):
    with Tableau(site()) as running, pytest.raises(InputError, match=said) as raised:
        fetch_answer("tableau", connection(running, host=host))
    assert "s3cret" not in str(raised.value)


INCOMPLETE = [
    ({"role": "Explorer"}, "the user is Explorer, and no administrator"),
    ({"hidden": {"d2"}}, "1 dashboards are not shown to the user"),
    ({"warnings": [{"message": "x", "extensions": {"code": "BACKFILL_RUNNING"}}]}, "still indexing"),
    (
        {"warnings": [{"message": "x", "extensions": {"code": "PERMISSIONS_MODE_SWITCHED"}}]},
        "content that the user may not see was left out",
    ),
    ({"schema": SCHEMA.replace("  extractLastUpdateTime: DateTime\n", "")}, "has no"),
    ({"schema": SCHEMA.replace("  worksheetFields: [CalculatedField]\n", "")}, "has no Sheet.worksheetFields"),
    ({"schema": SCHEMA.replace("  customSQLTablesConnection(first: Int, after: String): CustomSQLTablesConnection\n", "")}, "customSQLTables are not listed by this server's version"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason"), INCOMPLETE, ids=[reason for _, reason in INCOMPLETE])
def test_what_may_be_missing_is_said_and_is_never_clean(changes, reason):
    with Tableau(site(), tasks=daily("luid-pub"), **changes) as running:
        answer = replace(fetched(running), host="https://bi.example.com", fetched_at=NOW)
    assert reason in "; ".join(answer.answer["incomplete"])
    validation = validated(answer)
    (finding,) = [one for one in validation.comparison.findings if one.code is Code.ANSWER_INCOMPLETE]
    assert finding.severity is Severity.WARNING
    assert reason in finding.message
    assert not any(one.code is Code.DATASET_MISSING for one in validation.comparison.findings)


def test_schedules_that_the_user_may_not_see_are_not_known():
    with Tableau(site(), tasks=None) as running:
        answer = replace(fetched(running), host="https://bi.example.com", fetched_at=NOW)
    assert any("the schedules of extracts are not known" in one for one in answer.answer["incomplete"])
    assert {one.code for one in validated(answer).comparison.findings} == {Code.ANSWER_INCOMPLETE}


def test_a_workbook_that_the_user_may_not_see_is_said():
    with Tableau(site(), tasks=daily("luid-pub"), hidden={"w2"}) as running:
        answer = replace(fetched(running), host="https://bi.example.com", fetched_at=NOW)
    findings = validated(answer).comparison.findings
    assert {one.code for one in findings} == {Code.ANSWER_INCOMPLETE}
    assert "1 workbooks are not shown to the user" in findings[0].message


def test_a_workbook_without_a_name_is_one_that_the_user_may_not_see():
    nodes = site()
    node(nodes, "w2")["name"] = None
    findings = validated(answer_of(nodes)).comparison.findings
    assert {one.code for one in findings} == {Code.ANSWER_INCOMPLETE}
    assert "a dashboard or its workbook is not shown to the user" in findings[0].message


def test_a_table_that_the_user_may_not_see_leaves_columns_unknown_and_is_no_drift():
    with Tableau(site(), tasks=daily("luid-pub"), hidden={"table-CUSTOMER_BEHAVIOR"}) as running:
        answer = replace(fetched(running), host="https://bi.example.com", fetched_at=NOW)
    problems = [p for seen in observe_answer(answer, NOW).observations for p in seen.movement.problems]
    assert any("it is not known what 'Total Revenue' is made from" in one for one in problems)
    comparison = validated(answer).comparison
    assert {one.code for one in comparison.findings} == {Code.ANSWER_INCOMPLETE}
    verdicts = {edge.edge.target: edge.verdict for edge in comparison.edges}
    assert verdicts["Customer Analytics Dashboard"] is Verdict.UNOBSERVED


def test_a_field_that_the_user_may_not_see_is_no_drift_of_the_others():
    nodes = site()
    for key in ("p-Total Revenue", "e1-Total Revenue", "e2-Total Revenue"):
        node(nodes, key)["name"] = None
    findings = validated(answer_of(nodes)).comparison.findings
    assert {one.code for one in findings} == {Code.ANSWER_INCOMPLETE}
    assert "fields of 'Customer Analytics Dashboard' are not shown to the user" in str(findings[0])


def test_custom_sql_that_cannot_be_read_is_said_of_the_dashboard():
    nodes = site()
    sql = {"__typename": "CustomSQLTable", "id": "sql", "name": "Custom SQL", "query": "call revenue()"}
    nodes["customSQLTables"].append(sql | {"connectionType": "snowflake", "columns": [], "tables": []})
    fields = [
        column_field(f"own-{n}", n, n, "sql", datasource=ref("emb1")) for n in ("customer_id", "event_date")
    ]
    node(nodes, "emb1")["fields"] += fields
    node(nodes, "s1")["datasourceFields"] = [ref(field["id"]) for field in fields]
    findings = validated(answer_of(nodes)).comparison.findings
    incomplete = [one for one in findings if one.code is Code.ANSWER_INCOMPLETE]
    assert [one.subject for one in incomplete] == ["Customer Analytics Dashboard"]
    assert incomplete[0].message == (
        "it is not known what Customer Analytics Dashboard makes customer_id, event_date from"
    )
    assert {one.code for one in findings} == {Code.ANSWER_INCOMPLETE, Code.COLUMN_MISSING}


def test_an_answer_of_any_size_is_bounded(monkeypatch):
    monkeypatch.setattr(client, "LARGEST_ANSWER", 1_000)
    with Tableau(site()) as running, pytest.raises(SystemReadError, match="cannot be read") as raised:
        fetched(running)
    assert "MiB" in str(raised.value)


def test_a_server_without_its_metadata_api_is_an_error_that_says_what_to_do(monkeypatch):
    disabled = {"data": None, "errors": [{"message": "Disabled", "extensions": {"code": "FEATURE_DISABLED"}}]}
    monkeypatch.setattr(Tableau, "metadata", lambda *_: disabled)
    with Tableau(site()) as running, pytest.raises(SystemReadError, match="metadata-services enable"):
        fetched(running)


def test_a_server_before_virtual_connections_misses_nothing():
    with Tableau(
        site(), tasks=daily("luid-pub"), schema=SCHEMA.replace(" remoteColumn: Column", "")
    ) as running:
        assert fetched(running).answer["incomplete"] == []


def test_a_type_that_an_older_server_does_not_have_is_left_out():
    schema = re.sub(r"type GroupField .*?\n}\n", "", SCHEMA, flags=re.DOTALL)
    with Tableau(site(), tasks=daily("luid-pub"), schema=schema) as running:
        answer = fetched(running).answer
    assert [one["name"] for one in answer["dashboards"]] == [
        "Customer Analytics Dashboard",
        "Executive KPI Report",
    ]
    assert any("has no ... on GroupField" in one for one in answer["incomplete"])


NAMES = ["a \"quoted\" 'name'", "Sales / EMEA \\ APJ", "💡 Größe <b>&amp;</b>", "x" * 500]


@pytest.mark.parametrize("name", NAMES, ids=["quotes", "slashes", "emoji and markup", "500 characters"])
def test_names_survive_from_tableau_to_the_report(name, tmp_path):
    nodes = site()
    nodes["dashboards"].append({**node(nodes, "d2"), "id": "d3", "luid": "luid-d3", "name": name})
    for key in ("p-event_type", "e1-event_type"):
        node(nodes, key)["name"] = name
    node(nodes, "s1")["datasourceFields"].append(ref("e1-event_type"))
    path = tmp_path / "tableau.json"
    path.write_text(answer_text(answer_of(nodes)), encoding="utf-8")
    comparison = (validation := validated(load_answer(path, "tableau"))).comparison
    subjects = {one.code: one.subject for one in comparison.findings}
    assert subjects[Code.COLUMN_UNEXPECTED] == f"Customer Analytics Dashboard.{name}"
    assert subjects[Code.DATASET_UNEXPECTED].endswith(f"/Executive/{name}")
    assert name in json.loads(comparison_as("json", comparison))["findings"][0]["message"]
    assert html.escape(name) in comparison_as("html", comparison)
    assert all(comparison_as(form, comparison) for form in FORMATS)
    joined = "".join(validation_text(validation).split())
    assert "".join(name.split())[:60] in joined


def test_the_command_fetches_an_answer_that_validate_reads(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "airflow_lineage_provider.cli"]
    (tmp_path / "map.yaml").write_text(MAP)
    with Tableau(site(), tasks=daily("luid-pub")) as running:
        host = running.url.removeprefix("http://")
        uri = f"tableau://http://ann:{running.password}@{host}?site_id=sales"
        made = subprocess.run(
            [*command, "fetch", "tableau", "--conn", "bi", "--without-emails"],
            env=environment | {"AIRFLOW_CONN_BI": uri},
            capture_output=True,
            text=True,
            check=True,
        )
    assert running.password not in made.stdout
    assert "ann@example.com" not in made.stdout
    (tmp_path / "answer.json").write_text(made.stdout)
    arguments = ["map.yaml", "--environment", "prod", "--answers", "answer.json"]
    report = subprocess.run(
        [*command, "validate", *arguments],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.stderr == ""
    assert report.stdout.count("saved answer of ") >= 2
    assert "property-changed" in report.stdout  # the stand-in's address is not the documented one
    assert "2 edges and 5 column edges verified, 2 by a saved answer only" in report.stdout


MEASURE = """
import sys
sys.path[:0] = sys.argv[2:]
from datetime import UTC, datetime
from airflow_lineage_provider.systems.answers import fetch_answer, observe_answer
from airflow_lineage_provider.systems.connection import Connection
answer = fetch_answer("tableau", Connection("bi", host=sys.argv[1], login="ann", password="s3cret-password"))
seen = observe_answer(answer, datetime.now(UTC)).observations
columns = sum(len(one.movement.columns or ()) for one in seen)
# Not ru_maxrss, which begins at the memory of the process that forked this one.
(peak,) = (int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(len(seen), columns, peak)
"""


def test_1000_workbooks_with_20000_fields_fit_into_300_mib():
    with Tableau(many(1_000)) as running:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE, running.url, str(ROOT)],
            capture_output=True,
            text=True,
            check=True,
        )
    jobs, columns, mib = map(int, done.stdout.split())
    assert (jobs, columns) == (2_001, 40_000)
    assert mib < 300
