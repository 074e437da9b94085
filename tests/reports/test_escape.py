"""Hostile names in every output: no terminal, CI runner, page or parser may execute them."""

import json
import re
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.graph import Change, ColumnRef, diff, impact, trace
from airflow_lineage_provider.lineage_map import Map, parse_map
from airflow_lineage_provider.lineage_map.document.reader import import_markdown
from airflow_lineage_provider.lineage_map.document.writer import render_markdown
from airflow_lineage_provider.lineage_map.dump import dump_map
from airflow_lineage_provider.readers import read_evidence, read_map
from airflow_lineage_provider.reports.diff import diff_data, diff_markdown, diff_text
from airflow_lineage_provider.reports.escape import (
    json_text,
    lines,
    markdown_code,
    markdown_text,
    one_line,
    symbols,
)
from airflow_lineage_provider.reports.formats import FORMATS, comparison_as
from airflow_lineage_provider.reports.html_map import render_html
from airflow_lineage_provider.reports.impact import impact_json, impact_markdown, impact_text
from airflow_lineage_provider.reports.text import validation_text
from airflow_lineage_provider.store import EventStore

HOSTILE = {
    "a clipboard": "a\x1b]52;c;ZXZpbA==\x07b",
    "a cleared screen": "a\x1b[2J\x1b[Hb",
    "a C1 sequence": "a\x9b2Jb\x9d0;title\x9c",
    "a right-to-left override": "a\u202egnp.exe\u2066b\u200f",
    "a carriage return": "a\rPASS\x08\x7f",
    "a GitHub command": "a\n::error file=x::y",
    "a GitHub command alone": "::stop-commands::x",
    "a GitHub command after blanks": "a\n  ::add-mask::x",
    "an Azure command": "a ##vso[task.setvariable variable=x]y",
    "an old GitHub command": "##[error]x",
    "a TeamCity command": "##teamcity[buildStatus text='x']",
    "an invisible tag": "a\U000e0041b\ufeff",
    "line separators": "a\u2028b\u2029c\x85d\x0bd\x0ce",
    "HTML": "<img src=x onerror=alert(1)>",
    "a Markdown image": "![x](https://example.com/x.png)",
    "a mention": "@everyone `code` | cell",
    "a lone surrogate": "a\ud800b",
}
names = pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
SAFE = {"\n", "\u200c", "\u200d", "\u00a0"}


def assert_harmless(text):
    """What a terminal, a log page and a CI runner make of a text: nothing but text."""
    assert {c for c in text if not c.isprintable()} <= SAFE
    for line in text.split("\n"):
        assert not line.lstrip().startswith("::"), line
        assert not re.search(r"##(vso|teamcity)?\[", line), line
    text.encode()


@names
def test_a_line(name):
    assert_harmless(one_line(name))
    assert "\n" not in one_line(name)
    assert_harmless(lines(name))
    assert_harmless(one_line(f"  {name}"))


@given(st.text())
def test_any_text(text):
    assert_harmless(one_line(text))
    assert_harmless(lines(text))
    assert_harmless(markdown_text(text))
    assert json.loads(json_text({"x": text})) == {"x": text}
    assert {c for c in symbols(text) if not c.isprintable()} <= {*SAFE, "\t"}


PERSIAN = "\u0646\u0627\u0645\u200c\u0647\u0627"


@pytest.mark.parametrize(
    "text", ["silver.stg_orders", "schema::table", "größe", PERSIAN, "a # b", "👩\u200d💻"]
)
def test_ordinary_names_stay_as_they_are(text):
    assert one_line(text) == text


def test_an_escape_character_is_shown():
    assert one_line("a\x1b[2J\u202eb\nc") == r"a\x1b[2J\u202eb\nc"
    assert one_line("::error::x") == r"\x3a:error::x"
    assert symbols("a\x1b\x7f\u202eb\n") == "a␛␡\ufffdb\n"


def rendered(markdown):
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)


@names
def test_markdown_holds_no_markup_of_a_name(name):
    for escaped in (markdown_text(name), markdown_code(name)):
        page = rendered(f"| x |\n|---|\n| {escaped} |\n")
        assert page.count("<td>") == 1
        assert not re.search("<(img|a|em|strong|script|del)[ >]", page)
    assert not re.search(r"@\w", markdown_text(name))


def map_with(name, other="silver.t"):
    return Map.model_validate(
        {
            "document": {"title": name, "owner": name},
            "sources": {"s": {"type": name, "datasets": {name: "bronze.t"}}},
            "layers": {
                "bronze": {"tables": {"t": {"columns": {name: {"type": name, "from": []}}}}},
                "silver": {
                    "checks": name,
                    "owners": name,
                    "tables": {
                        "t": {
                            "from": "bronze.t",
                            "columns": {name: {"expression": name, "from": f"bronze.t.{name}"}},
                        },
                        name: {"from": other},
                    },
                },
            },
            "dashboards": {f"board {name}": {"tool": name, "from": "silver.t"}},
            "environments": {"dev": {"bindings": [{"dataset": "*", "namespace": "*", "name": "*"}]}},
        }
    )


def documented(name, **others):
    return parse_map(dump_map(map_with(name, **others)), f"{name}.yaml")


loadable = pytest.mark.parametrize(
    "name",
    [name for name in HOSTILE.values() if not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800]", name)],
    ids=[key for key, name in HOSTILE.items() if not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800]", name)],
)


@loadable
def test_a_map_in_every_form(name):
    content = map_with(name)
    written = render_markdown(content)
    assert_harmless(written)
    assert_harmless(dump_map(content))
    assert import_markdown(written).content == content
    assert parse_map(dump_map(content)).content == content
    page = render_html(documented(name))
    assert {c for c in page if not c.isprintable()} <= SAFE
    assert "<img" not in page


@loadable
def test_impact_trace_and_diff(name):
    graph = read_map(documented(name)).graph
    start = ColumnRef("bronze.t", name)
    found = impact(graph, [start])
    assert_harmless(impact_text(graph, found))
    assert_harmless(impact_markdown(graph, found))
    assert_harmless(json_text(impact_json(graph, trace(graph, [ColumnRef("silver.t", name)]))))
    changes = diff(graph, read_map(documented(name, other="bronze.t")).graph)
    assert changes
    assert_harmless(diff_text(changes))
    assert_harmless(diff_markdown(changes))
    assert_harmless(json_text(diff_data(changes)))
    assert Change


def event(name):
    dataset = {"namespace": name, "name": name}
    columns = {"fields": [{"name": name, "type": name}]}
    facet = {"_producer": "urn:x", "_schemaURL": "https://example.com/x.json"}
    return {
        "eventType": "FAIL",
        "eventTime": "2026-01-01T00:00:00Z",
        "producer": "urn:x",
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {
            "runId": "0190a0e2-0000-7000-8000-000000000001",
            "facets": {"errorMessage": {**facet, "message": name, "programmingLanguage": "SQL"}},
        },
        "job": {"namespace": name, "name": name},
        "inputs": [dataset],
        "outputs": [{**dataset, "name": f"{name}2", "facets": {"schema": {**facet, **columns}}}],
    }


@loadable
def test_a_validation_in_every_form(name):
    lineage_map = documented(name)
    validation = validate(
        read_evidence("event", [event(name)], lineage_map, "dev"), lineage_map, environment="dev"
    )
    assert validation.comparison.findings
    assert_harmless(validation_text(validation))
    for form in FORMATS:
        text = comparison_as(form, validation.comparison)
        if form == "github":
            assert all(
                line.startswith(("::error ", "::warning ", "::notice ", "Lineage: "))
                for line in text.splitlines()
            )
            text = text.replace("::error ", "").replace("::warning ", "").replace("::notice ", "")
        assert {c for c in text if not c.isprintable()} <= SAFE, form
        assert form not in {"html", "markdown"} or "<img" not in text
    ET.fromstring(comparison_as("junit", validation.comparison))
    json.loads(comparison_as("sarif", validation.comparison))


@pytest.fixture
def printed(tmp_path):
    """Return the bytes that a command writes to a terminal, its stderr among them."""

    def run(*words):
        command = [sys.executable, "-m", "airflow_lineage_provider.cli", *map(str, words)]
        done = subprocess.run(
            command, cwd=tmp_path, capture_output=True, check=False, env={"PYTHONUTF8": "1"}
        )
        assert b"Traceback" not in done.stderr, done.stderr
        return (done.stdout + b"\n" + done.stderr).decode()

    return run


COMMANDS = (
    HOSTILE["a clipboard"] + HOSTILE["a right-to-left override"] + HOSTILE["a GitHub command"] + "\x9b2J"
)


def test_the_commands_print_no_byte_that_a_terminal_obeys(printed, tmp_path):
    EventStore(str(tmp_path / "lineage.db")).append(event(COMMANDS))
    name = HOSTILE["a right-to-left override"] + HOSTILE["a GitHub command"]
    (tmp_path / "map.yaml").write_text(dump_map(map_with(name)))
    (tmp_path / "map.md").write_text(f"# {name}\n\n## Poetry of {COMMANDS}\n\n{COMMANDS}\n")
    for words in (
        ("events", "--store", "lineage.db", "--run", "all"),
        ("events", "--store", "lineage.db", "--run", "all", "--format", "jsonl"),
        ("validate", "map.yaml", "-e", "dev", "--store", "lineage.db", "--run", "all"),
        ("lint", "map.yaml"),
        ("impact", "map.yaml", "bronze.t"),
        ("impact", "map.yaml", "bronze.t", "--format", "json"),
        ("trace", "map.yaml", "silver.t"),
        ("render", "map.yaml"),
        ("import", "map.md"),
        ("impact", "map.yaml", COMMANDS),
        ("lint", f"{COMMANDS.replace('/', '')}.yaml"),
        ("sql", "-"),
    ):
        assert_harmless(printed(*words))


def test_the_imported_document_is_the_same_text(tmp_path):
    name = HOSTILE["a right-to-left override"]
    assert yaml.safe_load(dump_map(map_with(name)))["document"]["title"] == name
