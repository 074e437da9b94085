# ruff: noqa: PT017
"""Whatever is read, the answer is a graph or a message; never a traceback of something else."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipeline_run import MAP, run_events

from airflow_lineage_provider.checks.lint import lint
from airflow_lineage_provider.graph import Graph
from airflow_lineage_provider.lineage_map import MapError, bindings_of, load_map, parse_map
from airflow_lineage_provider.lineage_map.document.reader import import_markdown
from airflow_lineage_provider.lineage_map.yaml_text import MAX_BYTES
from airflow_lineage_provider.readers import (
    ManifestError,
    load_manifest,
    read_events,
    read_manifest,
    read_map,
)
from airflow_lineage_provider.readers.manifest_file import Manifest

NO_BINDINGS = bindings_of(parse_map("document: {}"))
LINES = MAP.read_text().splitlines(keepends=True)
slow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def read_as_map(text):
    try:
        lineage_map = parse_map(text, "m.yaml")
    except MapError as error:
        assert all(problem.line for problem in error.problems)
        assert str(error).count("\n") == len(error.problems) - 1
        return
    read_map(lineage_map)
    try:
        lint(lineage_map)
    except MapError as error:
        assert "\n" not in str(error)


@slow
@given(st.text(max_size=200))
def test_any_text_as_a_map(text):
    read_as_map(text)


@slow
@given(st.integers(0, len(LINES) - 1), st.text(max_size=12), st.sampled_from(["insert", "replace", "cut"]))
def test_a_damaged_map(at, text, how):
    end = at if how == "insert" else at + 1
    middle = [LINES[at][: len(text)]] if how == "cut" else [text]
    read_as_map("".join([*LINES[:at], *middle, *LINES[end:]]))


@slow
@given(junk)
def test_any_structure_as_a_map(data):
    read_as_map(json.dumps({"document": {}, "layers": data, "sources": data, "dashboards": data}))


BOMBS = {
    "aliases": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "depth": "document: " + "{a: " * 50_000,
    "a huge scalar": f"document: {{title: {'x' * 1_000_000}}}",
    "a huge file": "#" * (MAX_BYTES + 1),
    "a merge key": "document: {<<: {title: x}}",
    "a binary tag": "document: !!binary aGVsbG8=",
    "many keys": "{" + ", ".join(f"k{number}: " for number in range(20_000)) + "}",
    "many parts": "document: [" + "a," * 500_000 + "]",
    "many problems": "document: {}\ncolumn_lineage: [" + "1," * 100_000 + "]",
    "a control character": 'document: {title: "a\\0b"}',
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb(text):
    with pytest.raises(MapError) as error:
        parse_map(text, "m.yaml")
    assert str(error.value).startswith("m.yaml:")
    assert "Traceback" not in str(error.value)


def test_a_file_that_is_too_large_is_not_read_whole(tmp_path):
    file = tmp_path / "m.yaml"
    with file.open("wb") as stream:
        stream.truncate(4 * 1024**3)
    with pytest.raises(MapError, match=r"larger than 16 MiB|not accepted|control"):
        load_map(file)


@slow
@given(st.text(max_size=300))
def test_any_text_as_a_document(text):
    try:
        import_markdown(text)
    except MapError as error:
        assert str(error)


@slow
@given(st.data())
def test_a_damaged_document(data):
    from airflow_lineage_provider.lineage_map.document.writer import render_markdown

    lines = render_markdown(load_map(MAP).content).splitlines()
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.one_of(st.just(""), st.sampled_from(lines), st.text(max_size=10)))
    try:
        import_markdown("\n".join(lines))
    except MapError as error:
        assert str(error)


@slow
@given(junk)
def test_any_structure_as_a_manifest(data):
    try:
        manifest = msgspec.convert({"nodes": data, "sources": data}, Manifest)
    except msgspec.ValidationError:
        return
    try:
        assert isinstance(read_manifest(manifest, NO_BINDINGS).graph, Graph)
    except ManifestError as error:
        assert "\n" not in str(error)


@slow
@given(st.binary(max_size=100))
def test_any_bytes_as_a_manifest(tmp_path_factory, content):
    file = tmp_path_factory.mktemp("m") / "manifest.json"
    file.write_bytes(content)
    with pytest.raises(ManifestError, match="not a dbt manifest") as error:
        load_manifest(file)
    assert "\n" not in str(error.value)


@slow
@given(st.data())
def test_an_event_with_a_part_of_another_shape(data):
    events = json.loads(json.dumps(run_events()))
    part = events[data.draw(st.integers(0, len(events) - 1))]
    while isinstance(part, (dict, list)) and part:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if data.draw(st.booleans()) or not isinstance(part[key], (dict, list)):
            part[key] = data.draw(junk)
            break
        part = part[key]
    assert isinstance(read_events(events, NO_BINDINGS).graph, Graph)
