"""The endpoint's OpenAPI document agrees with the server and with OpenLineage's schemas."""

import copy
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.provisional import urls
from jsonschema import Draft202012Validator, FormatChecker

from airflow_lineage_provider.endpoint.openapi import REQUEST_BODY, SCHEMAS, document
from airflow_lineage_provider.events.event_schema import violation
from tests.support.endpoint import TOKEN, serving
from tests.support.samples import run_event

SPEC = Path(__file__).parents[3] / "shared" / "openlineage-spec"
with_the_spec = pytest.mark.skipif(
    not SPEC.exists(), reason="the OpenLineage schemas are not on this machine"
)


def test_the_server_conforms_to_its_openapi_document(tmp_path, schemathesis):
    with serving(tmp_path / "lineage.db", tmp_path / "log") as endpoint:
        assert not schemathesis(f"{endpoint.url}/openapi.json", TOKEN)


def test_the_openapi_document_is_valid():
    described = document("/api/v1/lineage")
    statuses = described["paths"]["/api/v1/lineage"]["post"]["responses"]
    assert [*statuses] == ["201", "400", "401", "403", "408", "413", "415", "422", "503"]
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


URI = re.compile(r"[a-z][a-z0-9+.-]*:[^\s\0-\x1f\x7f]*", re.IGNORECASE | re.ASCII)
FACET = {"_producer": "https://x", "_schemaURL": "https://y", "more": 1}
RUN_EVENT = run_event(inputs=["a"], outputs=["b"])
RUN_EVENT["run"]["facets"]["x"] = FACET
RUN_EVENT["job"]["facets"] = {"x": FACET}
RUN_EVENT["inputs"][0] |= {"facets": {"x": FACET}, "inputFacets": {"x": FACET}}
RUN_EVENT["outputs"][0] |= {"facets": {"x": FACET}, "outputFacets": {"x": FACET}}
JOB_EVENT = {key: value for key, value in RUN_EVENT.items() if key not in {"run", "eventType"}}
DATASET_EVENT = {key: JOB_EVENT[key] for key in ("eventTime", "producer", "schemaURL")}
DATASET_EVENT["dataset"] = RUN_EVENT["inputs"][0]

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["https://x", "START", "2026-01-01T00:00:00Z", RUN_EVENT["run"]["runId"], FACET])
    | st.sampled_from([RUN_EVENT[key] for key in ("run", "job", "inputs", "outputs")]),
    lambda children: (
        st.lists(children, max_size=2)
        | st.dictionaries(st.text(max_size=5) | st.just("name"), children, max_size=2)
    ),
    max_leaves=4,
)


def places(value, path=()):
    """Yield the path of every value in an event, and of some that are missing."""
    if path:
        yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))
    if isinstance(value, dict):
        yield from (
            (*path, key) for key in ("run", "job", "dataset", "facets", "_deleted") if key not in value
        )


@st.composite
def changed_events(draw):
    """Draw an event with up to two values replaced or removed."""
    event = copy.deepcopy(draw(st.sampled_from([RUN_EVENT, JOB_EVENT, DATASET_EVENT])))
    for _ in range(draw(st.integers(0, 2))):
        *parents, last = draw(st.sampled_from([*places(event)]))
        holder = event
        for key in parents:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = copy.deepcopy(draw(VALUES))
        elif not isinstance(holder, dict) or last in holder:
            del holder[last]
    return event


def validator(schema):
    formats = FormatChecker(["date-time", "uuid"])
    formats.checks("uri")(lambda value: not isinstance(value, str) or URI.fullmatch(value))
    return Draft202012Validator(schema, format_checker=formats)


OURS = validator(
    json.loads(json.dumps({**REQUEST_BODY["content"]["application/json"]["schema"]}))
    | {"components": {"schemas": SCHEMAS}}
)


@settings(max_examples=500, deadline=None, derandomize=True)
@given(event=changed_events())
def test_the_published_schema_agrees_with_the_checks(event):
    assert OURS.is_valid(event) == (not violation(event)), violation(event)


@with_the_spec
@settings(max_examples=500, deadline=None, derandomize=True)
@given(event=changed_events())
def test_events_are_accepted_exactly_when_openlineage_allows_them(event):
    schema = json.loads((SPEC / "OpenLineage.json").read_text())
    taken = not violation(event)
    if "dataset" in event and ("job" in event) != ("run" in event):
        assert not taken  # where the spec's `oneOf` lets a mixture through
    else:
        assert validator(schema).is_valid(event) == taken, violation(event)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(url=urls() | st.sampled_from(["urn:x", "a+b-c.d:", "https://x/tree/<version>", "https://ü"]))
def test_valid_uris(url):
    assert not violation(JOB_EVENT | {"producer": url, "schemaURL": url})


@pytest.mark.parametrize(
    "text", ["", "x", "/path", "1x:y", "https://a b", "https://x\n", "\nx:", "x:\0", "ü:x"]
)
def test_invalid_uris(text):
    assert "$.producer" in violation(JOB_EVENT | {"producer": text})


@pytest.mark.parametrize(
    ("time", "taken"),
    [
        *(("2026-01-01T00:00:00Z", True), ("2026-01-01t00:00:00z", True), ("2026-01-01 00:00:00Z", True)),
        *(("2026-01-01T00:00:00.123456789-23:59", True), ("0001-01-01T00:00:00+23:59", True)),
        *(("9999-12-31T23:59:59.999999Z", True), ("9999-12-31T23:59:59.9999999Z", False)),
        *(("2026-01-01T00:00:00", False), ("2026-01-01", False), ("20260101T000000Z", False)),
        *(("2026-02-30T00:00:00Z", False), ("0000-01-01T00:00:00Z", False), ("2026-01-01T24:00:00Z", False)),
        *(("2026-01-01T00:00:00Z\n", False), ("", False)),
    ],
)
def test_times(time, taken):
    assert bool(violation(JOB_EVENT | {"eventTime": time})) != taken


@pytest.mark.parametrize(
    ("run_id", "taken"),
    [
        *((RUN_EVENT["run"]["runId"], True), (RUN_EVENT["run"]["runId"].upper(), True), ("0" * 32, False)),
        *((f"{{{RUN_EVENT['run']['runId']}}}", False), (f"{RUN_EVENT['run']['runId']}\n", False)),
    ],
)
def test_run_ids(run_id, taken):
    assert bool(violation(RUN_EVENT | {"run": {"runId": run_id}})) != taken


@with_the_spec
@pytest.mark.parametrize("file", [*SPEC.glob("samples/*.json"), *SPEC.glob("samples/*/*.json")], ids=str)
def test_openlineage_samples_are_accepted(file):
    sample = json.loads(file.read_text())
    assert not violation(sample if "eventTime" in sample else with_facets(sample, file.parent.name))


def with_facets(facets, kind):
    """Return an event that has these facets where their kind belongs."""
    if kind.endswith("RunFacet"):
        return RUN_EVENT | {"run": RUN_EVENT["run"] | {"facets": facets}}
    if kind.endswith("JobFacet"):
        return JOB_EVENT | {"job": JOB_EVENT["job"] | {"facets": facets}}
    side = "inputFacets" if kind.endswith("InputDatasetFacet") else "facets"
    return DATASET_EVENT | {"dataset": DATASET_EVENT["dataset"] | {side: facets}}
