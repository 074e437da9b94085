"""`airflow-lineage outbox`: what has still to go, what was refused, and what a person may do about it."""

import json

import pytest
from click.testing import CliRunner

from airflow_lineage_provider.cli import main
from airflow_lineage_provider.forwarding.consumer import Consumer
from tests.support.samples import run_event


@pytest.fixture
def outbox(store):
    def run(*arguments):
        ran = CliRunner().invoke(main, ["outbox", "--store", str(store), *arguments])
        assert "Traceback" not in ran.output
        return ran.exit_code, ran.output

    return run


@pytest.fixture
def behind(store):
    """Two targets: one has failed after the first event of three and refused it, the other has all."""
    store.append([run_event(f"run-{n}", name=f"silver.t{n}") for n in range(3)])
    places = {"marquez": (1, "no route", {1: "answered 422"}), "kafka": (3, "", {})}
    for name, (position, error, dead) in places.items():
        consumer = Consumer(store, name)
        consumer.position()
        consumer.record(position, error, dead_letters=dead)
    return store


def test_nothing_is_forwarded(store, outbox):
    store.append(run_event())
    assert outbox() == (0, "nothing is forwarded from this store\n")


def test_pending_events_errors_and_dead_letters(behind, outbox):
    status, said = outbox()

    lines = said.splitlines()
    assert status == 1
    assert lines[0] == "kafka: 0 pending, 0 dead letters"
    assert lines[1].startswith("marquez: 2 pending since 20")
    assert lines[1].endswith("Z, 1 dead letters")
    assert lines[2].startswith("  failing since 20")
    assert lines[2].endswith("Z: no route")
    assert lines[3:] == ["  dead letter: START of dbt/silver.t0: answered 422"]


def test_a_machine_reads_it_as_json(behind, outbox):
    found = json.loads(outbox("--format", "json")[1])
    pending = {target["target"]: target["pending"] for target in found["targets"]}
    assert pending == {"kafka": 0, "marquez": 2}
    assert [(event["event_id"], event["error"]) for event in found["dead_letters"]] == [(1, "answered 422")]


@pytest.mark.parametrize(
    ("option", "said", "then"),
    [
        ("--replay", "1 dead letters of marquez will be sent again", "dead letter, to be sent again: START"),
        (
            "--skip",
            "1 events of marquez became dead letters",
            "dead letter: START of dbt/silver.t1: no route",
        ),
        ("--discard", "1 dead letters of marquez deleted; the events stay in the store", "2 pending"),
        ("--forget", "marquez is removed", "kafka: 0 pending, 0 dead letters"),
    ],
)
def test_what_a_person_may_do(behind, outbox, option, said, then):
    assert outbox(option, "marquez") == (0, f"{said}\n")
    assert then in outbox()[1]


def test_a_target_that_there_is_not_is_named(behind, outbox):
    said = "airflow-lineage: no target 'markez'; there are: kafka, marquez\n"
    assert outbox("--forget", "markez") == (2, said)
