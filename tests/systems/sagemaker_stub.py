"""Answers of SageMaker as botocore stubs check them."""

from datetime import UTC, datetime

from botocore.stub import Stubber
from dms import PASSWORD, client
from features_case import ACCOUNT, MODEL

from airflow_lineage_provider.systems.sagemaker.client import SageMakerClient

NOW = datetime(2026, 1, 31, tzinfo=UTC)
NAME = "connection 'aws'"
ROLE = "arn:aws:iam::123456789012:role/sagemaker"
GROUP_ARN = f"{ACCOUNT}:model-package-group/{MODEL}"
PACKAGE_ARN = f"{ACCOUNT}:model-package/{MODEL}/3"
JOB, DATA = "churn-1", "s3://analytics-ml/training/churn-1/output/model.tar.gz"
STORE = (
    "s3://analytics-ml/store/123456789012/sagemaker/eu-west-1/offline-store/customer-features-1700000000/data"
)
ARTIFACT, DATA_SET = f"{ACCOUNT}:artifact/{'a' * 32}", f"{ACCOUNT}:artifact/{'b' * 32}"


def stubbed(*answers):
    """Return a client that gives these answers: (operation, answer, expected parameters or an error code)."""
    sagemaker = client("sagemaker")
    stubber = Stubber(sagemaker)
    for operation, answer, expected in answers:
        if isinstance(answer, str):
            stubber.add_client_error(operation, answer, service_message="no", expected_params=expected)
        else:
            stubber.add_response(operation, answer, expected)
    stubber.activate()
    return SageMakerClient(sagemaker, NAME), stubber


NO_MODEL = ("describe_model", "ResourceNotFound", {"ModelName": MODEL})
GROUP = (
    "describe_model_package_group",
    {
        "ModelPackageGroupName": MODEL,
        "ModelPackageGroupArn": GROUP_ARN,
        "CreationTime": NOW,
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    },
    {"ModelPackageGroupName": MODEL},
)
PAGED = {
    "ModelPackageGroupName": MODEL,
    "SortBy": "CreationTime",
    "SortOrder": "Descending",
    "MaxResults": 100,
}


def summaries(*versions, **more):
    rows = [
        {
            "ModelPackageArn": f"{ACCOUNT}:model-package/{MODEL}/{version}",
            "ModelPackageVersion": version,
            "ModelPackageGroupName": MODEL,
            "CreationTime": NOW,
            "ModelPackageStatus": "Completed",
            "ModelApprovalStatus": "Approved",
        }
        for version in versions
    ]
    return {"ModelPackageSummaryList": rows} | more


DESCRIBED = (
    "describe_model_package",
    {
        "ModelPackageName": MODEL,
        "ModelPackageArn": PACKAGE_ARN,
        "ModelPackageVersion": 3,
        "CreationTime": NOW,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": []},
        "ModelApprovalStatus": "Approved",
        "InferenceSpecification": {
            "Containers": [{"Image": "i", "ModelDataUrl": DATA, "Environment": {"TOKEN": PASSWORD}}]
        },
    },
    {"ModelPackageName": PACKAGE_ARN},
)
TRAINED = {
    "TrainingJobName": JOB,
    "TrainingJobArn": f"{ACCOUNT}:training-job/{JOB}",
    "ModelArtifacts": {"S3ModelArtifacts": DATA},
    "TrainingJobStatus": "Completed",
    "SecondaryStatus": "Completed",
    "HyperParameters": {"api_key": PASSWORD},
    "AlgorithmSpecification": {"TrainingInputMode": "File"},
    "ResourceConfig": {"VolumeSizeInGB": 1},
    "StoppingCondition": {},
    "CreationTime": NOW,
    "Environment": {"TOKEN": PASSWORD},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": STORE}},
        }
    ],
}
TRAINING = ("describe_training_job", TRAINED, {"TrainingJobName": JOB})
FEATURES = (
    "describe_feature_group",
    {
        "FeatureGroupArn": f"{ACCOUNT}:feature-group/customer-features",
        "FeatureGroupName": "customer-features",
        "RecordIdentifierFeatureName": "customer_id",
        "EventTimeFeatureName": "at",
        "FeatureDefinitions": [
            {"FeatureName": name, "FeatureType": "Fractional"}
            for name in ("customer_id", "at", "event_count_7d", "amount_30d")
        ],
        "CreationTime": NOW,
        "NextToken": "",
        "OfflineStoreConfig": {
            "S3StorageConfig": {"S3Uri": "s3://analytics-ml/store", "ResolvedOutputS3Uri": STORE}
        },
    },
    {"FeatureGroupName": "customer-features"},
)


def artifacts(uri, *arns, **more):
    rows = [{"ArtifactArn": arn, "Source": {"SourceUri": uri}} for arn in arns]
    return ("list_artifacts", {"ArtifactSummaries": rows} | more, {"SourceUri": uri})


ASKED = {
    "StartArns": [ARTIFACT],
    "Direction": "Ascendants",
    "IncludeEdges": False,
    "MaxDepth": 10,
    "MaxResults": 50,
}


def lineage(*vertices, asked=ASKED, **more):
    rows = [{"Arn": arn, "Type": kind, "LineageType": of} for arn, kind, of in vertices]
    return ("query_lineage", {"Vertices": rows} | more, asked)


def artifact(arn, uri):
    return (
        "describe_artifact",
        {"ArtifactArn": arn, "Source": {"SourceUri": uri}, "ArtifactType": "DataSet"},
        {"ArtifactArn": arn},
    )


def whole(*after):
    """The answers for the model package group up to its training job, then others."""
    return (
        NO_MODEL,
        GROUP,
        ("list_model_packages", summaries(2, 3), PAGED),
        DESCRIBED,
        TRAINING,
        FEATURES,
        *after,
    )
