"""A comparison in the formats of other tools."""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "readers"))

from pipeline_run import MAP, run_events, tables

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.graph import Code, Comparison, Finding, Provenance, Severity
from airflow_lineage_provider.lineage_map import load_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.reports.formats import FORMATS, comparison_as

HOSTILE = '<script>alert("x")</script> | `a` \n::error::% &amp; \x00'


@pytest.fixture(scope="module")
def drift():
    spec = tables()
    spec["gold.customer_behavior"][1].remove("total_revenue")
    lineage_map = load_map(MAP)
    evidence = read_evidence("event", run_events(spec), lineage_map, "dev")
    return validate(evidence, lineage_map, environment="dev").comparison


def test_json(drift):
    data = json.loads(comparison_as("json", drift))
    finding = data["findings"][0]
    assert (data["outcome"], finding["code"]) == ("DRIFT", "column-missing")
    assert finding["subject"] == "gold.customer_behavior.total_revenue"
    assert finding["documented"][0]["file"].endswith("customer_analytics_pipeline.yaml")
    assert finding["observed"][0]["job"] == "gold.customer_behavior"


def test_markdown_of_a_pull_request(drift):
    text = comparison_as("markdown", drift)
    assert text.startswith("### Lineage: DRIFT\n\n12 of 17 edges verified.\n")
    assert "| error | `column-missing` | gold.customer_behavior.total_revenue is documented" in text


def test_junit(drift):
    suite = ET.fromstring(comparison_as("junit", drift))
    assert (suite.get("failures"), suite.get("skipped")) == ("1", "5")
    assert len(suite.findall("testcase")) == int(suite.get("tests"))
    assert [case.get("classname") for case in suite if case.find("failure") is not None] == ["column-missing"]


def test_sarif(drift):
    (run,) = json.loads(comparison_as("sarif", drift))["runs"]
    result = run["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"]) == ("column-missing", "error")
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "column-missing"
    assert place["artifactLocation"]["uri"].endswith("customer_analytics_pipeline.yaml")
    assert place["region"]["startLine"] > 1


def test_github(drift):
    first = comparison_as("github", drift).splitlines()[0]
    assert first.startswith("::error file=")
    assert ",title=column-missing::gold.customer_behavior.total_revenue is documented" in first


def test_html_is_self_contained(drift):
    page = comparison_as("html", drift)
    assert page.startswith("<!doctype html>")
    assert "gold.customer_behavior.total_revenue" in page
    assert not any(word in page for word in ("<script", "http://", "https://", "<link", "@import"))


@pytest.mark.parametrize("form", FORMATS)
def test_a_hostile_name_stays_text(form):
    where = (Provenance("map", file=HOSTILE, line=1),)
    finding = Finding(Code.EDGE_MISSING, HOSTILE, HOSTILE, where, severity=Severity.ERROR)
    text = comparison_as(form, Comparison(findings=(finding,)))
    if form in {"html", "markdown"}:
        assert "<script" not in text
    if form == "github":
        assert [line for line in text.splitlines() if line.startswith("::")] == text.splitlines()[:1]
    if form == "junit":
        ET.fromstring(text)
    if form in {"json", "sarif"}:
        json.loads(text)
