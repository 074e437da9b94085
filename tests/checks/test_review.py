"""The package of a review: what changed since the approval, what was observed, which questions are open."""

import datetime as dt
import html
import json
import re
import subprocess

import pytest

from airflow_lineage_provider.checks.review_package import read_review, report_subject
from airflow_lineage_provider.lineage_map import load_map, parse_map
from airflow_lineage_provider.lineage_map.approval import Signature
from airflow_lineage_provider.lineage_map.files import approve_file
from airflow_lineage_provider.reports import picture
from airflow_lineage_provider.reports.review import review_html, review_markdown, review_summary
from airflow_lineage_provider.store import EventStore
from airflow_lineage_provider.store.reports import add_report
from airflow_lineage_provider.store.sources import open_source

NOW = dt.datetime(2026, 6, 30, 12, tzinfo=dt.UTC)
MAP = """\
document: {title: Shop, owner: Data}
layers:
  bronze: {tables: {orders: {columns: [id, amount]}, old: }}
  gold: {tables: {revenue: {from: [bronze.orders, bronze.old], columns: {total: amount, gone: amount}}}}
dashboards: {Board: {from: gold.revenue, fields: {Total: total}}}
environments: {prod: {bindings: [{dataset: "{layer}.{table}", namespace: "db://*", name: "{layer}.{table}"}]}}
validation: {manual: [Look at it], automated: [Validate]}
accepted:
  - {finding: edge-missing, subject: a, reason: slow, until: 2026-07-15}
  - {finding: edge-missing, subject: b, reason: late, until: 2026-06-01}
approvals:
  - role: Lead
  - role: Committee
"""


def event(name, at, columns, kind="COMPLETE"):
    fields = [{"name": column} for column in columns]
    output = {"namespace": "db://x", "name": name, "facets": {"schema": {"fields": fields}}}
    return {
        "eventType": kind,
        "eventTime": at,
        "producer": "urn:test",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": f"0190a0e2-0000-7000-8000-{abs(hash((name, at, kind))) % 10**12:012}"},
        "job": {"namespace": "dbt", "name": name},
        "inputs": [{"namespace": "db://x", "name": "bronze.orders"}],
        "outputs": [output],
    }


@pytest.fixture
def checkout(tmp_path):
    """A git repository with a map that was approved and then changed."""
    path = tmp_path / "map.yaml"
    path.write_text(MAP)
    approve_file(path, Signature("Lead", "Ann", dt.date(2026, 3, 31)))
    git(tmp_path, "init", "-q")
    commit(tmp_path, "approved")
    path.write_text(path.read_text().replace("total: amount", "total: id"))
    commit(tmp_path, "changed")
    return path


def git(folder, *words):
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=folder, check=True)


def commit(folder, message):
    git(folder, "add", "-A")
    git(folder, "-c", "commit.gpgsign=false", "commit", "-qm", message)


@pytest.fixture
def store(tmp_path):
    found = EventStore(str(tmp_path / "store" / "lineage.db"))
    found.append(
        [
            event("gold.revenue", "2026-06-01T00:00:00Z", ["total"]),
            event("gold.revenue", "2026-06-02T00:00:00Z", ["TOTAL"]),
            event("gold.revenue", "2026-06-03T00:00:00Z", ["gone"], "FAIL"),
            event("gold.revenue", "2025-06-03T00:00:00Z", ["gone"]),
        ]
    )
    counts = [{"severity": "error", "findings": 2}]
    subject = report_subject(parse_map(MAP))
    for kind, at, incomplete in (
        ("validation", 2, []),
        ("reconciliation", 3, ["DataHub is down"]),
        ("audit", 4, []),
    ):
        content = {
            "edges": 5,
            "agreed": 4,
            "counts": counts if kind == "validation" else [],
            "incomplete": incomplete,
        }
        add_report(found, kind, subject, dt.datetime(2026, 6, at, tzinfo=dt.UTC), content)
    return found


def read(path, source, **options):
    return read_review(
        load_map(path), source, now=NOW, period=dt.timedelta(days=92), environment="prod", **options
    )


def test_what_changed_since_the_approval_and_whom_it_reaches(checkout, store):
    found = read(checkout, store)
    assert "the approval by Ann on 2026-03-31, revision" in found.changes.note
    assert {(change.action, change.subject) for change in found.changes.changes} == {
        ("removed", "bronze.orders.amount -> gold.revenue.total"),
        ("added", "bronze.orders.id -> gold.revenue.total"),
    }
    assert all(change.consumers == ("Board",) for change in found.changes.changes)
    assert [found.state_of(one) for one in found.lineage_map.content.approvals] == ["changed since", "open"]


def test_a_map_that_is_as_it_was_approved(tmp_path, store):
    path = tmp_path / "map.yaml"
    path.write_text(MAP)
    approve_file(path, Signature("Lead", "Ann", dt.date(2026, 3, 31)))
    found = read(path, store)
    assert found.changes.note == "nothing changed since the approval by Ann on 2026-03-31"
    assert found.state_of(found.lineage_map.content.approvals[0]) == "signed"


def test_an_approved_version_that_git_does_not_have_is_said(tmp_path, store):
    path = tmp_path / "map.yaml"
    path.write_text(MAP)
    approve_file(path, Signature("Lead", "Ann", dt.date(2026, 3, 31)))
    path.write_text(path.read_text().replace("total: amount", "total: id"))
    found = read(path, store)
    assert not found.changes.known
    assert any("is not known" in question for question in found.questions)


def test_a_revision_can_be_named(checkout, store):
    assert len(read(checkout, store, revision="HEAD~1").changes.changes) == 2


def test_how_often_and_when_last_datasets_and_columns_were_observed(checkout, store):
    found = {one.name: one for one in read(checkout, store).observed}
    revenue = found["gold.revenue"]
    assert (revenue.runs, revenue.last[:10], revenue.columns) == (2, "2026-06-02", {"total": 2, "gone": 0})
    assert found["bronze.orders"].runs == 2
    assert found["bronze.old"].runs == 0


def test_the_history_of_checks(checkout, store):
    history = [(one.kind, one.outcome) for one in read(checkout, store).history]
    assert history == [("validation", "DRIFT"), ("reconciliation", "INCOMPLETE"), ("audit", "PASS")]


def test_what_is_open_is_a_question(checkout, store):
    questions = "\n".join(read(checkout, store).questions)
    assert "bronze.old were not observed" in questions
    assert "gold.revenue: gone were not observed" in questions
    assert "of a (slow) ends 2026-07-15" in questions
    assert "of b (late) ended 2026-06-01" in questions
    assert "changed after its approval by Ann" in questions
    assert "Who owns Board?" in questions


def test_a_store_that_cannot_be_read_makes_the_review_incomplete(checkout, tmp_path):
    (tmp_path / "broken.db").write_text("not a database, and long enough to be looked at" * 10)
    found = read(checkout, EventStore(str(tmp_path / "broken.db")))
    assert any("could not be read" in problem for problem in found.problems)
    assert "**Not complete:**" in review_markdown(found)


def test_without_events_the_coverage_is_not_known(checkout, tmp_path):
    found = read(checkout, EventStore(str(tmp_path / "empty.db")))
    assert any("coverage is not known" in problem for problem in found.problems)


def test_files_of_events_have_no_history_of_checks(checkout, tmp_path):
    (tmp_path / "events.jsonl").write_text(
        json.dumps(event("gold.revenue", "2026-06-01T00:00:00Z", ["total"])) + "\n"
    )
    found = read(checkout, open_source(str(tmp_path / "events.jsonl")))
    assert found.observed[2].runs == 1
    assert "the history of audit is only in an event store" in found.problems


def test_the_document_has_every_part(checkout, store):
    text = review_markdown(read(checkout, store))
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == [
        *("What changed since the last approval", "Open questions", "Accepted findings"),
        *("Drift and reconciliation", "Coverage", "Checklist", "Approvals", "The document"),
    ]
    assert "| Lead | Ann | 2026-03-31 | changed since |" in text
    assert "### Shop" in text


def test_the_page_escapes_names_and_has_no_script_but_the_drawing(tmp_path, store, monkeypatch):
    monkeypatch.setattr(picture, "BUNDLE", tmp_path / "report.js")
    evil = "<script>alert(1)</script>"
    path = tmp_path / "map.yaml"
    path.write_text(
        MAP.replace("title: Shop", f"title: '{evil}'")
        .replace("Look at it", f"'{evil}'")
        .replace("slow", f"'{evil}'")
    )
    page = review_html(read(path, store))
    assert "<script" not in page
    assert html.escape(evil) in page
    assert "@media print" in page
    picture.BUNDLE.write_text("draw()")
    page = review_html(read(path, store))
    assert page.count("<script") == page.count("</script>") == 2
    assert page.index('<figure id="lineage"') < page.index("<script>draw()</script>")


def test_the_summary_counts(checkout, store):
    summary = review_summary(read(checkout, store))
    assert (summary["changes"], summary["observed"], summary["documented"]) == (2, 2, 4)
