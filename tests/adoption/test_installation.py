"""`doctor`: a line for each thing that is right, and for each that is not with what to do."""

import json
from importlib import metadata
from pathlib import Path

import pytest

from airflow_lineage_provider.adoption import installation
from airflow_lineage_provider.adoption.installation import TRANSPORT, check_installation
from airflow_lineage_provider.forwarding.consumer import OutboxStatus
from airflow_lineage_provider.store import EventStore
from tests.readers.pipeline_run import run_events

MAP = Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml"
OUTBOX = {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": TRANSPORT})}


@pytest.fixture
def look(tmp_path):
    """Return the checks of an installation as {what: (ok, message)}."""

    def checked(environ=OUTBOX, map_path=None, environment=None, url=f"sqlite:///{tmp_path / 'lineage.db'}"):
        environ = {"AIRFLOW_HOME": str(tmp_path), **environ}
        return {c.what: (c.ok, c.message) for c in check_installation(environ, url, map_path, environment)}

    return checked


@pytest.fixture
def stored(tmp_path):
    """A store with a run of the reference pipeline."""
    store = EventStore(f"sqlite:///{tmp_path / 'lineage.db'}")
    store.append(run_events())
    store.close()


def test_an_installation_that_is_right(look, stored):
    found = look(map_path=MAP, environment="dev")
    assert {what for what, (ok, _) in found.items() if not ok} == set()
    assert "dbt-duckdb" in found["dbt adapters"][1]
    assert "accepts events; the last run is " in found["event store"][1]
    assert found["bindings"][1].startswith("4 of 4 datasets of the last run are in the map")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "no transport is set: set AIRFLOW__OPENLINEAGE__TRANSPORT='{"),
        ({"AIRFLOW__OPENLINEAGE__TRANSPORT": "{"}, "is not JSON: set "),
        ({"AIRFLOW__OPENLINEAGE__TRANSPORT": '{"type": "http"}'}, "events go to http: set "),
        ({**OUTBOX, "AIRFLOW__OPENLINEAGE__DISABLED": "True"}, "OpenLineage is disabled: remove "),
    ],
)
def test_a_transport_that_loses_events_is_said(look, environ, message):
    ok, said = look(environ)["transport"]
    assert not ok
    assert message in said


@pytest.mark.parametrize("form", [list, dict])
def test_the_outbox_may_be_one_of_several_transports(look, form):
    parts = [{"type": "console"}, {"type": TRANSPORT}]
    transports = parts if form is list else {"a": parts[0], "b": parts[1]}
    text = json.dumps({"type": "composite", "transports": transports})
    assert look({"AIRFLOW__OPENLINEAGE__TRANSPORT": text})["transport"] == (True, TRANSPORT)


def test_the_transport_may_stand_in_airflows_configuration_file(look, tmp_path):
    (tmp_path / "airflow.cfg").write_text(f"[openlineage]\ntransport = {json.dumps({'type': TRANSPORT})}\n")
    assert look({})["transport"] == (True, TRANSPORT)


def test_a_store_that_cannot_be_written_is_one_line(look, tmp_path):
    (tmp_path / "broken.db").write_bytes(b"not a database" * 100)
    ok, message = look(url=f"sqlite:///{tmp_path / 'broken.db'}")["event store"]
    assert not ok
    assert "\n" not in message
    assert "broken.db" in message


def test_a_map_that_is_wrong_or_bound_to_nothing_is_said(look, stored, tmp_path):
    wrong = tmp_path / "m.yaml"
    wrong.write_text("layers: [")
    assert not look(map_path=wrong)["map"][0]
    ok, message = look(map_path=MAP, environment="prod")["bindings"]
    assert not ok
    assert message.startswith("0 of 4 datasets of the last run are in the map; not: ")
    ok, message = look(map_path=MAP, environment="nowhere")["map"]
    assert look(map_path=MAP, environment="nowhere")["map"] == (False, message)
    assert "no environment 'nowhere'" in message


def test_a_version_out_of_bounds_and_a_missing_package_are_said(look, monkeypatch):
    wanted = ["dbt-core<1.0", "no-such-package>=1", "feast>=1; extra == 'feast'"]
    monkeypatch.setattr(metadata, "requires", lambda _: wanted)
    ok, message = look()["versions"]
    assert not ok
    assert "is not supported: pip install 'dbt-core<1.0'" in message
    assert "no-such-package is not installed: pip install 'no-such-package>=1'" in message
    assert "feast" not in message


def test_without_an_adapter_the_extra_to_install_is_said(look, monkeypatch):
    monkeypatch.setattr(installation.metadata, "distributions", list)
    assert look()["dbt adapters"] == (
        False,
        "no dbt adapter: pip install 'airflow-lineage-provider[duckdb]', or [postgres], [snowflake]",
    )


def test_a_target_with_dead_letters_is_to_be_done(look, stored, monkeypatch):
    status = OutboxStatus("marquez", 7, "", 2, "", "", "")
    monkeypatch.setattr(installation, "outbox_status", lambda _: [status])
    assert look()["target marquez"] == (False, "7 pending, 2 dead letters")
