"""The operators of feature stores and models in a real Airflow: what their tasks do and commit."""

import json
from dataclasses import replace

import pytest
from airflow_cases import run_cases
from dms import CREDENTIALS, REGION, aws_server, client
from features_case import EXPORT, MODEL, SAGEMAKER_HOST, sagemaker_answer, saved
from http_stub import http_server
from tecton_definitions import HOST, VIEW, difference, dump, plan
from test_feast import HOST as FEAST_HOST
from test_feast import answer_of, spec

from airflow_lineage_provider.systems.saved import answer_text

PASSWORD = "pass-that-nobody-prints"
TECTON = {"class": "tecton.TectonLineageOperator"}
SAGEMAKER = {"class": "sagemaker.SageMakerLineageOperator"}
MLFLOW = {"class": "mlflow.MlflowLineageOperator"}
FEAST = {"class": "feast.FeastLineageOperator"}
FILES = {"cluster": HOST, "workspace": "prod"}


def mlflow(path, _):
    if path.endswith("registered-models/search"):
        version = {"name": "churn", "version": "1", "run_id": "r", "status": "READY"}
        return 200, {"registered_models": [{"name": "churn", "latest_versions": [version]}]}
    if path.endswith("runs/get"):
        dataset = {"name": "d", "source": json.dumps({"uri": EXPORT}), "schema": "{}"}
        inputs = {"dataset_inputs": [{"dataset": dataset}]}
        return 200, {"run": {"info": {"run_id": "r", "status": "FINISHED"}, "inputs": inputs}}
    return 404, {}


def create_model(url):
    sagemaker = client("sagemaker", endpoint_url=url)
    sagemaker.create_model_package_group(ModelPackageGroupName=MODEL)
    data = "s3://analytics-ml/training/churn-1/output/model.tar.gz"
    container = {"Image": "i", "ModelDataUrl": data, "Environment": {"TOKEN": PASSWORD}}
    sagemaker.create_model_package(
        ModelPackageGroupName=MODEL,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )


TRAINED = {
    "TrainingJobName": "churn-1",
    "TrainingJobArn": f"arn:aws:sagemaker:{REGION}:123456789012:training-job/churn-1",
    "TrainingJobStatus": "Completed",
    "ModelArtifacts": {"S3ModelArtifacts": "s3://analytics-ml/training/churn-1/output/model.tar.gz"},
    "HyperParameters": {"api_key": PASSWORD},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": EXPORT}},
        }
    ],
}


def write(base):
    (base / "dump.json").write_text(json.dumps(dump()))
    (base / "plan.json").write_text(json.dumps(plan(difference("CREATE"))))
    (base / "broken.json").write_text("no json")
    for system, answer, host in (
        ("sagemaker", sagemaker_answer(), SAGEMAKER_HOST),
        ("feast", answer_of(spec()), FEAST_HOST),
    ):
        text = answer_text(replace(saved(system, answer, host), file=""))
        (base / f"{system}.json").write_text(text)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The outcome of every case, by one Airflow."""
    base = tmp_path_factory.mktemp("features")
    write(base)
    prepared = {"ListArtifacts": {"ArtifactSummaries": []}, "DescribeTrainingJob": TRAINED}
    with aws_server(prepared) as aws, http_server(mlflow) as server:
        create_model(aws)
        host, _, port = server.removeprefix("http://").partition(":")
        login = {
            "login": CREDENTIALS["aws_access_key_id"],
            "password": CREDENTIALS["aws_secret_access_key"],
        }
        once = {"retries": {"total_max_attempts": 1}}
        connections = {
            "aws": {
                "conn_type": "aws",
                **login,
                "extra": {"region_name": REGION, "endpoint_url": aws, "config_kwargs": once},
            },
            "mlflow_default": {
                "conn_type": "http",
                "host": host,
                "port": int(port),
                "login": "ann",
                "password": PASSWORD,
            },
            "nobody": {"conn_type": "http", "host": "127.0.0.1", "port": 9},
        }
        given = {
            "tecton": TECTON | {"operator": {"definitions": str(base / "dump.json"), **FILES}},
            "tecton_unapplied": TECTON
            | {
                "operator": {
                    "definitions": str(base / "dump.json"),
                    "plan": str(base / "plan.json"),
                    **FILES,
                }
            },
            "tecton_broken": TECTON | {"operator": {"definitions": str(base / "broken.json"), **FILES}},
            "tecton_none": TECTON | {"operator": {}},
            "sagemaker": SAGEMAKER | {"operator": {"aws_conn_id": "aws", "models": MODEL}},
            "sagemaker_unknown": SAGEMAKER | {"operator": {"aws_conn_id": "aws", "models": ["nothing"]}},
            "sagemaker_saved": SAGEMAKER | {"operator": {"saved_answer": str(base / "sagemaker.json")}},
            "mlflow": MLFLOW | {"operator": {}},
            "mlflow_down": MLFLOW | {"operator": {"conn_id": "nobody"}},
            "feast_saved": FEAST | {"operator": {"saved_answer": str(base / "feast.json")}},
            "feast_none": FEAST | {"operator": {"repository": str(base)}},
            "wrong_saved": FEAST | {"operator": {"saved_answer": str(base / "sagemaker.json")}},
        }
        environment = {f"AIRFLOW_CONN_{name.upper()}": json.dumps(one) for name, one in connections.items()}
        yield run_cases(base / "airflow", given, environment)


def ended(case, name):
    (event,) = (one for one in case.events if one["eventType"] != "START" and one["job"]["name"] == name)
    return event


@pytest.mark.parametrize(
    ("case", "job", "source", "target"),
    [
        ("tecton", f"prod.{VIEW}", "ANALYTICS.GOLD.CUSTOMER_BEHAVIOR", f"prod.{VIEW}"),
        (
            "sagemaker",
            f"model-package-group/{MODEL}",
            "exports/customer_engagement_features/2026-01-20",
            f"model-package-group/{MODEL}",
        ),
        (
            "sagemaker_saved",
            f"model-package-group/{MODEL}",
            "exports/customer_engagement_features/2026-01-20",
            f"model-package-group/{MODEL}",
        ),
        ("mlflow", "model/churn", "exports/customer_engagement_features/2026-01-20", "model/churn"),
        ("feast_saved", f"churn.{VIEW}", "ANALYTICS.GOLD.CUSTOMER_BEHAVIOR", f"churn.{VIEW}"),
    ],
)
def test_a_task_commits_the_edge_of_its_system(cases, case, job, source, target):
    assert cases[case].state == "success", cases[case].error
    event = ended(cases[case], job)
    assert event["eventType"] == "COMPLETE"
    assert [one["name"] for one in event["inputs"]] == [source]
    assert [one["name"] for one in event["outputs"]] == [target]


def test_what_a_system_states_is_in_the_event(cases):
    (output,) = ended(cases["tecton"], f"prod.{VIEW}")["outputs"]
    tags = {(one.get("field"), one["key"]): one["value"] for one in output["facets"]["tags"]["tags"]}
    assert tags[("7_day_event_count", "window")] == "7 days"
    assert tags[(None, "entity")] == "customer_id"
    (output,) = ended(cases["sagemaker"], f"model-package-group/{MODEL}")["outputs"]
    tags = {one["key"]: one["value"] for one in output["facets"]["tags"]["tags"]}
    assert tags == {"version": "1", "approval": "Approved"}


def test_a_task_returns_what_it_saw(cases):
    assert cases["tecton"].returned["jobs"] == {"COMPLETE": 2}
    assert cases["tecton"].returned["saved_answer"] is None
    assert cases["feast_saved"].returned["saved_answer"] == "2026-01-31T12:00:00+00:00"


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("mlflow_down", "MLflow (connection 'nobody')"),
        ("tecton_unapplied", f"feature view {VIEW} is defined and not applied to the workspace yet"),
    ],
)
def test_what_may_mend_itself_is_tried_again(cases, case, error):
    assert cases[case].error.startswith(error)
    assert "AirflowFailException" not in cases[case].log


@pytest.mark.parametrize(
    ("case", "error"),
    [
        ("tecton_broken", "is not JSON"),
        ("tecton_none", "Tecton needs the file that `tecton dump` printed, the cluster and the workspace"),
        ("sagemaker_unknown", "has no model and no model package group nothing in this account and region"),
        ("feast_none", "is no Feast repository: it has no feature_store.yaml"),
        ("wrong_saved", "is a saved answer of sagemaker, and one of feast is asked for"),
    ],
)
def test_what_no_retry_mends_fails_for_good_and_claims_nothing(cases, case, error):
    assert error in cases[case].error
    assert "AirflowFailException" in cases[case].log
    assert cases[case].events == []


def test_no_secret_is_in_a_log_or_an_event(cases):
    for case in cases.values():
        assert PASSWORD not in case.log
        assert PASSWORD not in json.dumps(case.events)
