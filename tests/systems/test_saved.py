"""Saved answers: written without secrets, read within bounds, marked in the report."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from openlineage.client.event_v2 import RunState
from openlineage.client.serde import Serde

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.context import RunContext
from airflow_lineage_provider.events.movement import MovedDataset, Movement, movement_event
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.graph import Code, Verdict
from airflow_lineage_provider.lineage_map import MapError, parse_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.reports.formats import comparison_as
from airflow_lineage_provider.reports.text import validation_text
from airflow_lineage_provider.systems.observation import Observation
from airflow_lineage_provider.systems.saved import SavedAnswer, answer_text, load_answer, load_answers

FETCHED = datetime(2026, 1, 31, 6, 12, tzinfo=UTC)
MAP = """
document: {title: Sales, saved_answers: at most 30 days}
layers: {gold: {tables: {orders: }}}
dashboards:
  Sales: {tool: Tableau, from: gold.orders}
  Board: {tool: Tableau, from: Sales}
environments:
  prod:
    bindings:
      - {dataset: "gold.{table}", namespace: "snowflake://*", name: "DB.gold.{table}", ignore_case: true}
      - {dataset: "Sales", namespace: "tableau://bi", name: "*/Sales"}
      - {dataset: "Board", namespace: "tableau://bi", name: "*/Board"}
"""


def answer(value, **changes):
    return SavedAnswer(
        **{"system": "tableau", "fetched_at": FETCHED, "host": "https://bi.example.com", **changes},
        answer=value,
    )


def saved(tmp_path, value, name="tableau.json", **changes):
    path = tmp_path / name
    path.write_text(answer_text(answer(value, **changes)))
    return path


def moved(job, inputs, output, **changes):
    datasets = [MovedDataset(DatasetName(*name)) for name in inputs]
    made = MovedDataset(DatasetName(*output), "DASHBOARD")
    return Movement("tableau://bi", job, FETCHED, "TABLEAU", "DASHBOARD", tuple(datasets), (made,), **changes)


ORDERS, SALES, BOARD = (
    ("snowflake://acme", "DB.GOLD.ORDERS"),
    ("tableau://bi", "w/Sales"),
    ("tableau://bi", "w/Board"),
)


def observations():
    return [
        Observation(moved("Sales", [ORDERS], SALES), RunState.COMPLETE),
        Observation(moved("Board", [SALES], BOARD), RunState.COMPLETE),
    ]


def validated(seen, text=MAP, now=FETCHED):
    lineage_map = parse_map(text, "map.yaml")
    events = [Serde.to_dict(movement_event(o.movement, o.state, FETCHED, RunContext())) for o in seen]
    evidence = read_evidence("event", events, lineage_map, "prod")
    return validate(evidence, lineage_map, environment="prod", scope=["Sales", "Board"], now=now)


def test_an_answer_that_was_saved_is_the_answer_that_is_loaded(tmp_path):
    value = {"workbooks": [{"name": 'a "quoted"/💡 name', "formula": "SUM([x])", "rows": 3, "none": None}]}
    loaded = load_answer(saved(tmp_path, value), "tableau")
    assert (loaded.answer, loaded.fetched_at, loaded.host) == (value, FETCHED, "https://bi.example.com")


def test_no_secret_is_written(tmp_path):
    value = {
        "authorization": "Bearer abcdefghijklmnop",
        "Set-Cookie": "workgroup_session_id=abc",
        "X-Tableau-Auth": "abc",
        "personalAccessToken": "abc",
        "nested": [{"credentials": {"user": "u", "password": "abc"}, "api_key": "abc"}],
        "sql": "create secret s (password 'abc')",
        "url": "https://reader:abc@warehouse.example.com/db?token=abc",
        "is_secret": True,
    }
    text = saved(tmp_path, value, host="https://me:abc@bi.example.com/site?token=abc").read_text()
    assert "abc" not in text
    assert json.loads(text)["host"] == "https://bi.example.com/site"


def test_names_stay_as_they_are_and_email_addresses_go_where_that_is_asked_for():
    value = {
        "name": "Password reset / Token count",
        "owner": {"email": "ann@example.com", "name": "b@example.com"},
    }
    assert json.loads(answer_text(answer(value)))["answer"] == value
    assert "example.com" not in json.dumps(json.loads(answer_text(answer(value), emails=False))["answer"])


def test_a_long_text_takes_no_time():
    text = answer_text(answer({"sql": "a" * 2_000_000, "email": "x" * 100_000 + "@"}), emails=False)
    assert "a" * 2_000_000 in text


def test_a_folder_holds_answers_of_several_systems(tmp_path):
    saved(tmp_path, 1, "b.json")
    saved(tmp_path, 2, "a.json")
    saved(tmp_path, 3, "tecton.json", system="tecton")
    assert [one.answer for one in load_answers(tmp_path, "tableau")] == [2, 1]
    assert load_answer(tmp_path, "tecton").answer == 3
    with pytest.raises(InputError, match="2 saved answers of tableau"):
        load_answer(tmp_path, "tableau")
    with pytest.raises(
        InputError, match="no saved answer of mlflow: make one with airflow-lineage fetch mlflow"
    ):
        load_answers(tmp_path, "mlflow")


def nested(levels):
    value = []
    for _ in range(levels):
        value = [value]
    return value


HEAD = '{"answer": 1, "format_version": 1, '


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a saved answer"),
        ('{"answer": 1, "format_version": 2}', "format version 2"),
        (HEAD + '"system": "tableau", "host": "h"}', "has no fetched_at"),
        (HEAD + '"system": "tableau", "host": "h", "fetched_at": "x"}', "ISO 8601"),
        (HEAD + '"system": "tecton", "host": "h", "fetched_at": "2026-01-31"}', "of tecton"),
        ('{"answer": ' + json.dumps(nested(70)) + ', "format_version": 1}', "nested more than 64"),
        ("[" * 100_000, "is not JSON"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_one_line_that_names_it(tmp_path, text, said):
    path = tmp_path / "answer.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as raised:
        load_answer(path, "tableau")
    assert "answer.json" in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        load_answer(tmp_path / "no.json", "tableau")


def test_the_report_says_which_edges_stand_on_a_saved_answer():
    live, second = observations()
    validation = validated([live, *answer(None).stamped([second])])
    edges = {str(found.edge): found for found in validation.comparison.edges}
    assert {found.verdict for found in edges.values()} == {Verdict.VERIFIED}
    assert [name for name, found in edges.items() if found.saved] == ["Sales -> Board"]
    text = validation_text(validation)
    assert text.count("saved answer of 2026-01-31") == 1
    assert text.splitlines()[-1] == "PASS  2 edges verified, 1 by a saved answer only"
    data = json.loads(comparison_as("json", validation.comparison))
    assert [edge.get("saved_answer") for edge in data["edges"]] == [None, "2026-01-31T06:12:00.000000Z"]
    assert "saved answer of 2026-01-31" in comparison_as("html", validation.comparison)
    assert "1 by a saved answer only" in comparison_as("markdown", validation.comparison)


def test_an_edge_that_a_live_answer_shows_too_stands_on_that():
    first = observations()
    again = [Observation(moved("Sales again", [ORDERS], SALES), RunState.COMPLETE)]
    edges = validated([*answer(None).stamped(first), *again]).comparison.edges
    assert [bool(found.saved) for found in edges] == [False, True]


def test_an_answer_older_than_the_map_allows_is_one_finding():
    stamped = answer(None).stamped(observations())
    assert validated(stamped, now=FETCHED + timedelta(days=29)).comparison.agreed
    (finding,) = validated(stamped, now=FETCHED + timedelta(days=31)).comparison.findings
    assert finding.code is Code.SAVED_ANSWER_OLD
    assert str(finding) == (
        "saved-answer-old: the saved answer of tableau://bi is of 2026-01-31, 31.0 days old, and "
        "'at most 30 days' is documented; fetch it again (documented in map.yaml:2, "
        f"emitted by {finding.observed[0].job} run {finding.observed[0].run_id}, "
        "saved answer of 2026-01-31)"
    )


def test_without_a_limit_every_age_is_allowed():
    text = MAP.replace(", saved_answers: at most 30 days", "")
    stamped = answer(None).stamped(observations())
    assert validated(stamped, text, now=FETCHED + timedelta(days=999)).comparison.agreed


def test_a_limit_that_names_no_duration_is_a_line_of_the_map():
    with pytest.raises(MapError, match=r"map.yaml:2.*does not name one duration"):
        validated(observations(), MAP.replace("at most 30 days", "fresh"))


def test_a_dashboard_that_is_gone_is_a_finding_where_the_answer_lists_all():
    lineage_map = parse_map(MAP, "map.yaml")
    for lists_all, missing in (("", []), ("Tableau", ["Board"])):
        movement = moved("Sales", [ORDERS], SALES, lists_all=lists_all)
        event = Serde.to_dict(movement_event(movement, RunState.COMPLETE, FETCHED, RunContext()))
        evidence = read_evidence("event", [event], lineage_map, "prod")
        found = validate(evidence, lineage_map, environment="prod").comparison.findings
        assert [
            one.subject for one in found if one.code is Code.DATASET_MISSING and "gold" not in one.subject
        ] == missing
