"""Events from a file to a target that rejects, is busy or is away."""

import json
import threading
from types import SimpleNamespace

import pytest

from airflow_lineage_provider.dbt_cli import delivery
from airflow_lineage_provider.dbt_cli.delivery import Delivery
from airflow_lineage_provider.forwarding.target import Failure


class Target:
    """Answers each call of `send` with the next failure of each event, from a list of (run, failure)."""

    max_batch = 4

    def __init__(self, *failures):
        self.failures = list(failures)
        self.calls, self.accepted = [], []
        self.interrupted = threading.Event()

    def send(self, events):
        found = {}
        runs = [json.loads(body)["run"]["runId"] for body in events.values()]
        self.calls.append(runs)
        for number, run in zip(events, runs, strict=True):
            failed = next((one for one in self.failures if one[0] == run), None)
            if failed:
                self.failures.remove(failed)
                found[number] = failed[1]
            else:
                self.accepted.append(run)
        return found

    def interrupt(self):
        self.interrupted.set()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(delivery, "PAUSES", (0.0,))
    monkeypatch.setattr("openlineage.client.serde.Serde.to_dict", lambda event: event.data)


def event(run, job="gold.one"):
    data = {"run": {"runId": run}, "job": {"namespace": "dbt", "name": job}}
    return SimpleNamespace(data=data, job=SimpleNamespace(name=job))


def delivered(target, runs, tmp_path, patience=60):
    said = []
    made = Delivery(target, tmp_path / "e.jsonl", None, said.append)
    made.add([event(run) for run in runs])
    made.end(patience)
    return said


def test_events_of_one_run_are_never_in_one_call_and_stay_in_order(tmp_path):
    target = Target()
    assert delivered(target, ["a", "b", "a", "a", "c"], tmp_path) == []
    assert target.accepted == ["a", "b", "a", "a", "c"]
    assert all(len(set(call)) == len(call) for call in target.calls)


def test_a_rejected_event_is_said_and_the_others_go_on(tmp_path):
    target = Target(("b", Failure("no", "event")))
    assert delivered(target, ["a", "b", "c"], tmp_path) == ["the event of gold.one was rejected: no"]
    assert target.accepted == ["a", "c"]


def test_what_may_be_the_fault_of_the_target_is_tried_again_and_does_not_block_the_others(tmp_path):
    target = Target(*[("a", Failure("500", "unknown"))] * (delivery.MOST_ATTEMPTS + 1))
    said = delivered(target, ["a", "b"], tmp_path)
    assert said == ["500; the events wait", "the event of gold.one was rejected: 500"]
    assert target.accepted == ["b"]
    assert len(target.calls) == delivery.MOST_ATTEMPTS + 1


def test_a_target_that_is_back_gets_everything(tmp_path):
    target = Target(*[("a", Failure("away", "target"))] * 50)
    assert delivered(target, ["a", "a", "b"], tmp_path) == ["away; the events wait"]
    assert target.accepted == ["a", "a", "b"]


def test_what_is_not_sent_in_time_is_said_with_its_place(tmp_path):
    class Away(Target):
        def send(self, events):
            self.called.set()
            return dict.fromkeys(events, Failure("away", "target", wait=600.0))

    target, said = Away(), []
    target.called = threading.Event()
    made = Delivery(target, tmp_path / "e.jsonl", None, said.append)
    made.add([event(run) for run in ("a", "a", "b")])
    assert target.called.wait(60)
    made.end(0.1)
    assert said[-1] == f"3 events were not sent: away; they are the last lines of {tmp_path / 'e.jsonl'}"
    assert target.interrupted.is_set()
    assert len((tmp_path / "e.jsonl").read_text().splitlines()) == 3


def test_a_temporary_file_is_gone_once_everything_is_sent():
    made = Delivery(Target(), None, None, print)
    made.add([event("a")])
    made.end(60)
    assert not made.file.exists()
