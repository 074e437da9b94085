# ruff: noqa: E501 - a case is a row
"""MLflow's registered models: by a real server, and by prepared answers where a server would have to break."""

import json
import os
import socket
import subprocess
import time
import tracemalloc
from datetime import UTC, datetime

import pytest
import requests
from features_case import MAP, saved, tecton, validated_answers
from http_stub import http_server
from openlineage.client.event_v2 import RunState
from tecton_definitions import HOST

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.connection import Connection
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.http import JsonApi
from airflow_lineage_provider.systems.mlflow import MlflowClient, fetch_answer, mlflow_lineage
from airflow_lineage_provider.systems.saved import answer_text
from tests.support.environments import python_of

NOW = datetime(2026, 1, 31, tzinfo=UTC)
DEADLINE = 240
SECRET = "pass-that-nobody-prints"
MODEL = "churn_prediction_model"
EXPORT = "s3://analytics-ml/exports/customer_engagement_features/part.parquet"
FEATURES = ("7_day_event_count", "30_day_purchase_amount")


class Server:
    """The REST API of a server, for filling it."""

    def __init__(self, url):
        self.url = url

    def post(self, path, **body):
        answer = requests.post(f"{self.url}/api/2.0/mlflow/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def run(self, *datasets):
        """Make a run that logs data sets: (name, source, context, columns)."""
        run = self.post("runs/create", experiment_id="0", start_time=1)["run"]["info"]["run_id"]
        logged = [
            {
                "tags": [{"key": "mlflow.data.context", "value": context}],
                "dataset": {
                    "name": name,
                    "digest": "1",
                    "source_type": "s3",
                    "source": json.dumps(source),
                    "schema": json.dumps(
                        {"mlflow_colspec": [{"type": "long", "name": column} for column in columns]}
                    ),
                },
            }
            for name, source, context, columns in datasets
        ]
        if logged:
            self.post("runs/log-inputs", run_id=run, datasets=logged)
        self.post("runs/update", run_id=run, status="FINISHED")
        return run

    def model(self, name, *runs, champion=None):
        self.post("registered-models/create", name=name, description="who leaves")
        for run in runs:
            self.post("model-versions/create", name=name, source="s3://models/a/b", run_id=run)
        if champion:
            self.post("registered-models/alias", name=name, alias="champion", version=champion)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A real MLflow server, filled."""
    folder = tmp_path_factory.mktemp("mlflow")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    store = ["--backend-store-uri", "sqlite:///mlflow.db", "--default-artifact-root", "artifacts"]
    listen = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [python_of("mlflow"), "-m", "mlflow", "server", *store, *listen],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + DEADLINE
    try:
        while True:
            try:
                requests.get(f"{url}/health", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end, (folder / "log").read_text()
        fill(Server(url))
        yield url
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def fill(server):
    trained = ("customer_engagement_features", {"uri": EXPORT}, "training", FEATURES)
    tested = ("holdout", {"uri": "s3://analytics-ml/holdout/x"}, "eval", FEATURES)
    first = server.run(trained, tested)
    second = server.run(("other", {"uri": "s3://analytics-ml/other/x"}, "training", FEATURES))
    server.model(MODEL, first, second, champion="1")
    server.model("newest", second, first)
    server.model("unlogged", server.run())
    server.model("without_version")
    local = server.run(("a frame", {"path": "x.parquet"}, "training", ()))
    server.model("local 'it''s' 🚀", local)


def api(url, **options):
    return JsonApi(url, "MLflow (connection 'mlflow')", **options)


def observed(url, *names):
    answer = MlflowClient(api(url)).answer(names)
    seen, problems = mlflow_lineage(answer, url, NOW)
    return {one.movement.job_name: one for one in seen}, problems


@pytest.mark.e2e
def test_a_model_is_made_from_the_data_that_its_champions_run_logged(server):
    seen, problems = observed(server, MODEL)
    (one,) = seen.values()
    host = server.removeprefix("http://")
    assert (one.state, problems) == (RunState.COMPLETE, [])
    assert [input_.name for input_ in one.movement.inputs] == [
        DatasetName("s3://analytics-ml", "exports/customer_engagement_features/part.parquet")
    ]
    (output,) = one.movement.outputs
    assert output.name == DatasetName(f"mlflow://{host}", f"model/{MODEL}")
    assert (output.version, output.description) == ("1", "who leaves")
    assert dict(output.properties) == {"version": "1", "approval": "champion"}
    assert {name: sources[0].column for name, sources in one.movement.columns.items()} == {
        name: name for name in FEATURES
    }


@pytest.mark.e2e
def test_the_documented_edge_is_verified_by_a_real_server(server):
    text = MAP.replace("platform: SageMaker", "platform: MLflow").replace('version: "3"', 'version: "1"')
    text = text.replace("approval: Approved", "approval: champion")
    answer = saved("mlflow", MlflowClient(api(server)).answer([MODEL]), server)
    comparison = validated_answers(saved("tecton", tecton(), HOST), answer, text=text).comparison
    assert [str(one) for one in comparison.findings if one.severity == "error"] == []
    assert {str(one.verdict) for one in comparison.edges} == {"VERIFIED"}


@pytest.mark.e2e
def test_all_models_of_a_server_are_read_with_what_is_not_known_of_them(server):
    seen, _ = observed(server)
    assert seen["listing"].movement.lists_all == "MLflow"
    newest = seen["model/newest"].movement.outputs[0]
    assert dict(newest.properties) == {"version": "2", "approval": "none"}
    assert seen["model/unlogged"].state is RunState.ABORT
    assert "its run logged no data set: call mlflow.log_input" in seen["model/unlogged"].error
    assert seen["model/without_version"].error == "registered model without_version has no version"
    odd = seen["model/local 'it''s' 🚀"].movement
    assert [one.name.name for one in odd.inputs] == ["dataset/a frame"]
    assert odd.columns is None
    assert odd.problems == ("which features model local 'it''s' 🚀 uses is not known",)


@pytest.mark.e2e
def test_an_answer_is_fetched_by_a_connection_and_saved_without_its_login(server):
    host, _, port = server.removeprefix("http://").partition(":")
    given = {"host": host, "port": int(port), "login": "ann", "password": SECRET}
    answer = fetch_answer(Connection("mlflow", **given, extra={"models": [MODEL]}))
    assert json.loads(answer_text(answer))["host"] == server
    assert SECRET not in answer_text(answer)


@pytest.mark.e2e
def test_a_model_that_there_is_not_is_one_line(server):
    with pytest.raises(SystemReadError, match="has no registered model nothing: check its name"):
        observed(server, "nothing")


# ---- prepared answers ----------------------------------------------------------------------------


def version(name, number=1, run="r", **more):
    return {"name": name, "version": str(number), "run_id": run, "status": "READY"} | more


def registered(name, *versions, aliases=()):
    listed = [{"alias": alias, "version": of} for alias, of in aliases]
    return {"name": name, "latest_versions": list(versions or (version(name),)), "aliases": listed}


def a_run(run_id="r", status="FINISHED", uri=EXPORT):
    dataset = {"name": "d", "source": json.dumps({"uri": uri}), "schema": "nonsense"}
    return {
        "run": {
            "info": {"run_id": run_id, "status": status},
            "inputs": {"dataset_inputs": [{"tags": [], "dataset": dataset}]},
        }
    }


def prepared(models, run=None, seen=None):
    """Serve these models in pages of two; `run` is the answer for every run."""

    def answer(path, query):
        if path.endswith("registered-models/search"):
            start = int(query.partition("page_token=")[2] or 0)
            page = {"registered_models": models[start : start + 2]}
            return 200, page | ({"next_page_token": str(start + 2)} if models[start + 2 :] else {})
        return run or (200, a_run())

    return http_server(answer, seen)


def test_every_page_is_read():
    models = [registered(f"m{at}") for at in range(5)]
    with prepared(models) as url:
        seen, _ = observed(url)
    assert len(seen) == 6  # the listing too


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        ((404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}), "runs r is not there: it may have been deleted"),
        ((403, {"error_code": "PERMISSION_DENIED"}), "runs r may not be read (MLflow (connection 'mlflow')"),
        ((200, "no json"), "runs r may not be read (MLflow (connection 'mlflow')"),
    ],
    ids=["deleted", "denied", "nonsense"],
)
def test_a_run_that_cannot_be_read_makes_the_model_unknown_with_the_reason(run, reason):
    with prepared([registered("m")], run) as url:
        seen, (problem,) = observed(url)
    assert seen["model/m"].state is RunState.ABORT
    assert f"what model m was trained on is not known: {reason}" in seen["model/m"].error
    assert problem.startswith(f"MLflow: {reason}")
    assert seen["listing"].movement.lists_all == ""


@pytest.mark.parametrize(
    ("answer", "unreachable", "message"),
    [
        ((503, {}), True, "answers 503"),
        ((429, {}, {"Retry-After": "99"}), True, "answers 429"),
        ((401, {}), False, "refuses the login (401): check login and password"),
        ((200, "<html>"), False, "does not answer with JSON"),
        ((200, [1]), False, "does not answer as MLflow does"),
        ((404, {}), False, "does not answer as MLflow does"),
    ],
)
def test_a_server_that_does_not_answer_is_one_line(answer, unreachable, message):
    with http_server(lambda *_: answer) as url, pytest.raises(SystemReadError) as raised:
        observed(url)
    assert message in str(raised.value)
    assert raised.value.unreachable is unreachable
    assert "\n" not in str(raised.value)


def test_a_server_that_is_down_may_be_tried_again():
    with pytest.raises(SystemReadError, match="cannot be reached") as raised:
        observed("http://127.0.0.1:9")
    assert raised.value.unreachable


def test_a_rate_limit_within_an_answer_fails_it_and_is_not_taken_for_incomplete():
    with (
        prepared([registered("m")], (429, {}, {"Retry-After": "99"})) as url,
        pytest.raises(SystemReadError) as raised,
    ):
        observed(url)
    assert raised.value.unreachable


@pytest.mark.parametrize(
    ("model", "run", "state", "error"),
    [
        (registered("m", version("m", status="FAILED_REGISTRATION", status_message="disk")), a_run(), RunState.FAIL, "version 1 of model m has failed: disk"),
        (registered("m", version("m", status="PENDING_REGISTRATION")), a_run(), RunState.ABORT, "version 1 of model m is not registered yet"),
        (registered("m"), a_run(status="FAILED"), RunState.FAIL, "run r of version 1 of model m has failed"),
    ],
)  # fmt: skip
def test_a_version_that_is_not_ready_claims_no_lineage(model, run, state, error):
    with prepared([model], (200, run)) as url:
        seen, _ = observed(url)
    assert (seen["model/m"].state, seen["model/m"].error) == (state, error)


def test_login_and_signature_of_a_location_are_not_kept():
    signed = f"https://ann:{SECRET}@blob.example.com/exports/a.parquet?sig={SECRET}"
    with prepared([registered("m")], (200, a_run(uri=signed))) as url:
        answer = MlflowClient(api(url)).answer()
    assert SECRET not in json.dumps(answer)
    seen, _ = mlflow_lineage(answer, url, NOW)
    assert [one.name for one in seen[0].movement.inputs] == [
        DatasetName("https://blob.example.com", "exports/a.parquet")
    ]


def test_a_password_alone_goes_as_a_bearer_token():
    seen = []
    with prepared([registered("m")], seen=seen) as url:
        host, _, port = url.removeprefix("http://").partition(":")
        fetch_answer(Connection("mlflow", host=host, port=int(port), password="token"))
    assert {authorization for _, _, authorization in seen} == {"Bearer token"}


@pytest.mark.parametrize("answer", [None, [], {}, {"models": 1}])
def test_an_answer_of_another_form_is_refused(answer):
    with pytest.raises(SystemReadError, match="has no models: fetch it again"):
        mlflow_lineage(answer, "http://mlflow", NOW)


def test_thousands_of_models_stay_small():
    dataset = {"name": "d", "location": EXPORT, "schema": "", "context": "training"}
    models = [
        {
            "name": f"m{at}",
            "version": version(f"m{at}"),
            "run": {"run_id": "r", "status": "FINISHED", "datasets": [dataset]},
        }
        for at in range(5_000)
    ]
    tracemalloc.start()
    seen, _ = mlflow_lineage({"models": models}, "http://mlflow", NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 5_000
    assert peak < 60 << 20
