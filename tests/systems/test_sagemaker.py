# ruff: noqa: E501 - a case is a row
"""SageMaker against moto, and against stubs whose requests and answers botocore's service model validates."""

import json
import tracemalloc

import pytest
from botocore.exceptions import EndpointConnectionError
from dms import PASSWORD, aws_server, client
from features_case import ACCOUNT, EXPORT, MODEL, package, sagemaker_answer, training_job
from moto import mock_aws
from openlineage.client.event_v2 import RunState
from sagemaker_stub import (
    ARTIFACT,
    ASKED,
    DATA,
    DATA_SET,
    DESCRIBED,
    FEATURES,
    GROUP,
    JOB,
    NAME,
    NO_MODEL,
    NOW,
    PACKAGE_ARN,
    PAGED,
    ROLE,
    TRAINED,
    TRAINING,
    artifact,
    artifacts,
    lineage,
    stubbed,
    summaries,
    whole,
)

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.answers import fetch_answer
from airflow_lineage_provider.systems.connection import Connection
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.sagemaker.client import SageMakerClient, client_answer
from airflow_lineage_provider.systems.sagemaker.lineage import sagemaker_lineage
from airflow_lineage_provider.systems.saved import answer_text


def test_a_model_is_made_from_the_feature_group_that_its_training_read():
    found, stubber = stubbed(*whole(artifacts(PACKAGE_ARN), artifacts(DATA)))
    answer = found.answer([MODEL])
    stubber.assert_no_pending_responses()
    (seen,), problems = sagemaker_lineage(answer, NOW)
    movement = seen.movement
    assert (seen.state, problems) == (RunState.COMPLETE, [])
    assert [(one.name, one.kind) for one in movement.inputs] == [
        (DatasetName(ACCOUNT, "feature-group/customer-features"), "FEATURE VIEW")
    ]
    (output,) = movement.outputs
    assert (output.name, output.kind, output.version) == (
        DatasetName(ACCOUNT, f"model-package-group/{MODEL}"),
        "MODEL",
        "3",
    )
    assert dict(output.properties) == {"version": "3", "approval": "Approved"}
    assert {name: sources[0].column for name, sources in movement.columns.items()} == {
        "event_count_7d": "event_count_7d",
        "amount_30d": "amount_30d",
    }


def test_nothing_secret_is_kept_of_an_answer():
    found, _ = stubbed(*whole(artifacts(PACKAGE_ARN), artifacts(DATA)))
    assert PASSWORD not in json.dumps(found.answer([MODEL]))


def test_sagemakers_own_lineage_names_jobs_and_data_sets_over_all_pages():
    trial = f"{ACCOUNT}:experiment-trial-component/{JOB}-aws-training-job"
    other = DESCRIBED[1] | {
        "InferenceSpecification": {"Containers": [{"Image": "i", "ModelDataUrl": "s3://other/m.tar.gz"}]}
    }
    exported = {key: value for key, value in TRAINED.items() if key != "InputDataConfig"}
    found, stubber = stubbed(
        NO_MODEL,
        GROUP,
        ("list_model_packages", summaries(3), PAGED),
        ("describe_model_package", other, {"ModelPackageName": PACKAGE_ARN}),
        artifacts(PACKAGE_ARN, ARTIFACT, NextToken="more"),
        (
            "list_artifacts",
            {"ArtifactSummaries": []},
            {"SourceUri": PACKAGE_ARN, "NextToken": "more"},
        ),
        artifacts("s3://other/m.tar.gz"),
        lineage((trial, "SagemakerTrainingJob", "Trial Component"), NextToken="next"),
        ("describe_training_job", exported, {"TrainingJobName": JOB}),
        lineage((DATA_SET, "DataSet", "Artifact"), asked=ASKED | {"NextToken": "next"}),
        artifact(DATA_SET, EXPORT),
    )
    answer = found.answer([MODEL])
    stubber.assert_no_pending_responses()
    (seen,), _ = sagemaker_lineage(answer, NOW)
    assert [(one.name.namespace, one.name.name) for one in seen.movement.inputs] == [
        ("s3://analytics-ml", "exports/customer_engagement_features/2026-01-20")
    ]
    assert seen.movement.columns is None
    assert "names its training data only" in seen.movement.problems[0]


def test_a_model_of_another_name_is_traced_to_the_package_that_it_is_made_of():
    deployed = {
        "ModelName": "endpoint-7",
        "ModelArn": f"{ACCOUNT}:model/endpoint-7",
        "CreationTime": NOW,
        "PrimaryContainer": {"ModelPackageName": PACKAGE_ARN},
    }
    found, stubber = stubbed(
        ("describe_model", deployed, {"ModelName": "endpoint-7"}),
        ("describe_model_package_group", "ResourceNotFound", {"ModelPackageGroupName": "endpoint-7"}),
        DESCRIBED,
        TRAINING,
        FEATURES,
        artifacts(PACKAGE_ARN),
        artifacts(DATA),
        artifacts(f"{ACCOUNT}:model/endpoint-7"),
    )
    answer = found.answer(["endpoint-7"])
    stubber.assert_no_pending_responses()
    registered, model = sagemaker_lineage(answer, NOW)[0]
    assert registered.movement.outputs[0].name.name == f"model-package-group/{MODEL}"
    assert [one.name.name for one in registered.movement.inputs] == ["feature-group/customer-features"]
    assert [one.name.name for one in model.movement.inputs] == [f"model-package-group/{MODEL}"]
    assert dict(model.movement.outputs[0].properties) == {"version": "3", "approval": "Approved"}


def test_all_pages_of_packages_are_read_and_the_highest_version_is_the_newest():
    found, stubber = stubbed(
        NO_MODEL,
        GROUP,
        ("list_model_packages", summaries(*range(1, 3), NextToken="x"), PAGED),
        ("list_model_packages", summaries(3), PAGED | {"NextToken": "x"}),
        DESCRIBED,
        TRAINING,
        FEATURES,
        artifacts(PACKAGE_ARN),
        artifacts(DATA),
    )
    (group,) = found.answer([MODEL])["groups"]
    stubber.assert_no_pending_responses()
    assert [one["ModelPackageVersion"] for one in group["packages"]] == [3]


DENIED = "AccessDeniedException"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (
            (
                *whole()[:4],
                ("describe_training_job", DENIED, {"TrainingJobName": JOB}),
                artifacts(PACKAGE_ARN),
                artifacts(DATA),
            ),
            f"sagemaker:DescribeTrainingJob of {JOB} is refused (AccessDeniedException)",
        ),
        (
            (
                *whole()[:4],
                ("describe_training_job", "ResourceNotFound", {"TrainingJobName": JOB}),
                artifacts(PACKAGE_ARN, ARTIFACT),
                artifacts(DATA),
                ("query_lineage", DENIED, ASKED),
            ),
            "sagemaker:QueryLineage is refused (AccessDeniedException)",
        ),
        (
            (
                *whole()[:4],
                ("describe_training_job", "ResourceNotFound", {"TrainingJobName": JOB}),
                ("list_artifacts", DENIED, {"SourceUri": PACKAGE_ARN}),
                ("list_artifacts", DENIED, {"SourceUri": DATA}),
            ),
            "sagemaker:ListArtifacts is refused (AccessDeniedException)",
        ),
    ],
    ids=["training job", "lineage", "artifacts"],
)
def test_what_may_not_be_read_makes_the_model_unknown_with_the_reason(answers, reason):
    found, stubber = stubbed(*answers)
    answer = found.answer([MODEL])
    stubber.assert_no_pending_responses()
    assert answer["incomplete"] == [reason]
    (seen,), problems = sagemaker_lineage(answer, NOW)
    assert seen.state is RunState.ABORT
    assert seen.error.endswith(f"was trained on is not known: {reason}")
    assert problems == [f"SageMaker: {reason}: the answer is incomplete"]


@pytest.mark.parametrize(
    ("code", "unreachable", "message"),
    [
        ("ThrottlingException", True, "AWS answers ThrottlingException"),
        ("ExpiredTokenException", False, "AWS refuses the credentials (ExpiredTokenException): allow"),
        (DENIED, False, "AWS refuses the credentials (AccessDeniedException): allow sagemaker:List*"),
        ("ValidationException", False, "AWS answers ValidationException"),
    ],
)  # fmt: skip
def test_an_error_of_the_listing_is_one_line_that_names_the_connection(code, unreachable, message):
    found, _ = stubbed(("list_models", code, {"MaxResults": 100}))
    with pytest.raises(SystemReadError) as raised:
        found.answer()
    assert str(raised.value).startswith(f"{NAME}: {message}")
    assert raised.value.unreachable is unreachable
    assert "\n" not in str(raised.value)


def test_throttling_within_an_answer_is_tried_again_and_not_taken_for_incomplete():
    found, _ = stubbed(
        *whole()[:4], ("describe_training_job", "ThrottlingException", {"TrainingJobName": JOB})
    )
    with pytest.raises(SystemReadError) as raised:
        found.answer([MODEL])
    assert raised.value.unreachable


def test_an_endpoint_that_is_down_may_be_tried_again():
    sagemaker = client("sagemaker", endpoint_url="http://127.0.0.1:9")
    with pytest.raises(SystemReadError, match="AWS cannot be reached") as raised:
        SageMakerClient(sagemaker, NAME).answer([MODEL])
    assert raised.value.unreachable
    assert EndpointConnectionError.__name__ not in str(raised.value)


def test_a_name_that_there_is_not_is_one_line():
    found, _ = stubbed(
        ("describe_model", "ResourceNotFound", {"ModelName": "nothing"}),
        ("describe_model_package_group", "ResourceNotFound", {"ModelPackageGroupName": "nothing"}),
    )
    with pytest.raises(
        SystemReadError, match="has no model and no model package group nothing in this account"
    ):
        found.answer(["nothing"])


@pytest.fixture
def aws():
    with mock_aws():
        yield client("sagemaker")


def create(sagemaker, name=MODEL):
    group = sagemaker.create_model_package_group(ModelPackageGroupName=name)
    sagemaker.create_model_package(
        ModelPackageGroupName=name,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [{"Image": "i", "ModelDataUrl": f"s3://other/{name}.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    return group["ModelPackageGroupArn"]


def without_lineage(sagemaker):
    """Answer `list_artifacts`, which moto does not have, with nothing."""

    def nothing(**_):
        return {"ArtifactSummaries": []}

    sagemaker.list_artifacts = nothing
    return sagemaker


def test_groups_packages_and_models_are_read_from_a_server(aws):
    arn = create(aws)
    (made,) = aws.list_model_packages(ModelPackageGroupName=MODEL)["ModelPackageSummaryList"]
    aws.create_model(
        ModelName=MODEL,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"ModelPackageName": made["ModelPackageArn"], "Environment": {"TOKEN": PASSWORD}},
    )
    saved = client_answer(without_lineage(aws), NAME, ())
    assert (saved.host, saved.answer["all"]) == ("https://api.sagemaker.eu-west-1.amazonaws.com", True)
    assert PASSWORD not in answer_text(saved)
    registered, deployed = sagemaker_lineage(saved.answer, NOW)[0]
    namespace, _, name = arn.rpartition(":")
    assert registered.movement.outputs[0].name == DatasetName(namespace, name)
    assert registered.state is RunState.ABORT
    assert "no training job and no lineage of SageMaker name it" in registered.error
    assert [one.name.name for one in deployed.movement.inputs] == [f"model-package-group/{MODEL}"]
    assert deployed.movement.outputs[0].name.name == f"model/{MODEL}"


def test_hundreds_of_groups_are_read_page_by_page(aws):
    for at in range(120):
        create(aws, f"model-{at}")
    answer = client_answer(without_lineage(aws), NAME, ()).answer
    assert len(answer["groups"]) == 120
    assert all(group["packages"] for group in answer["groups"])


def test_thousands_of_models_stay_small():
    groups = [
        {
            "name": f"m{at}",
            "arn": f"{ACCOUNT}:model-package-group/m{at}",
            "packages": [package(at, job=f"j{at}")],
        }
        for at in range(2_000)
    ]
    answer = sagemaker_answer(groups=groups, jobs=[training_job(f"j{at}") for at in range(2_000)])
    tracemalloc.start()
    seen, _ = sagemaker_lineage(answer, NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 2_000
    assert all(one.movement.inputs for one in seen)
    assert peak < 60 << 20


@pytest.mark.parametrize("answer", [None, [], {}, {"groups": [], "models": 1}])
def test_an_answer_of_another_form_is_refused(answer):
    with pytest.raises(SystemReadError, match="has no groups and models: fetch it again"):
        sagemaker_lineage(answer, NOW)


@pytest.mark.parametrize(
    ("status", "state", "error"),
    [
        ("Failed", RunState.FAIL, f"version 3 of model-package-group/{MODEL} is Failed: see it in SageMaker"),
        ("InProgress", RunState.ABORT, f"version 3 of model-package-group/{MODEL} is InProgress: it is not ready"),
    ],
)  # fmt: skip
def test_a_package_that_is_not_complete_claims_no_lineage(status, state, error):
    (seen,), _ = sagemaker_lineage(sagemaker_answer(package(status=status)), NOW)
    assert (seen.state, seen.error) == (state, error)


def test_an_answer_is_fetched_by_the_fields_of_an_aws_connection():
    with aws_server({"ListArtifacts": {"ArtifactSummaries": []}}) as url:
        create(client("sagemaker", endpoint_url=url))
        extra = {"region_name": "eu-west-1", "endpoint_url": url, "models": MODEL}
        given = {"login": "AKIAEXAMPLE", "password": PASSWORD}
        answer = fetch_answer("sagemaker", Connection("aws", **given, extra=extra))
    assert [group["name"] for group in answer.answer["groups"]] == [MODEL]
    assert (answer.host, answer.answer["all"]) == (url, False)
    assert PASSWORD not in answer_text(answer)


def test_a_connection_without_a_region_is_one_line(monkeypatch):
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError, match=r"connection 'aws': .*: check its region and credentials"):
        fetch_answer("sagemaker", Connection("aws"))
