"""Amazon SageMaker: models, model packages, the jobs that trained them, and what these read.

https://docs.aws.amazon.com/sagemaker/latest/APIReference. Of each answer only what lineage is made of is
kept: hyperparameters, environment variables and container images never leave this module. What the
credentials may not read is listed in `incomplete`, with AWS's reason.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.plain_json import mapping, mappings, text
from airflow_lineage_provider.systems.aws import (
    MOST_PAGES,
    DeniedError,
    NotFoundError,
    aws_call,
    aws_rows,
)
from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Mapping

    from airflow_lineage_provider.systems.connection import Connection
    from airflow_lineage_provider.systems.saved import SavedAnswer

SYSTEM = "sagemaker"
PAGE = 100
LINEAGE_PAGE = 50
DEPTH = 10
_PERMISSIONS = "sagemaker:List*, sagemaker:Describe* and sagemaker:QueryLineage"
_MODEL_DATA = re.compile(r"s3://.+/([^/]+)/output/model\.tar\.gz")
_OFFLINE_STORE = re.compile(r"s3://.+/offline-store/(.+?)-\d{6,}(?:/|$)")
_TRAINING_COMPONENT = re.compile(r".*:experiment-trial-component/(.+)-aws-training-job")


class SageMakerClient:
    """Reads SageMaker with a boto3 client; `name` is the connection that error messages name."""

    def __init__(self, sagemaker: Any, name: str) -> None:
        self._sagemaker = sagemaker
        self._name = name
        self._incomplete: dict[str, None] = {}
        self._jobs: dict[str, Mapping[str, Any]] = {}
        self._groups: dict[str, Mapping[str, Any]] = {}

    def answer(self, models: Iterable[str] = ()) -> dict[str, Any]:
        """Return the model package groups and models of these names, or all, with what trained them.

        The answer is plain JSON: `groups` each with its newest package and the packages that are in use,
        `models`, `training_jobs` and `feature_groups` that they name, `data_sets` that SageMaker's lineage
        has above each package or model, `all` where no names were given, and `incomplete`. Raises
        SystemReadError for an unknown name.
        """
        names = tuple(models)
        found = [self._model(name) for name in names or self._names("list_models", "Models", "ModelName")]
        listed = names or self._names(
            "list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"
        )
        known = [one for one in found if one]
        used = dict.fromkeys(
            arn
            for one in known
            for container in one["Containers"]
            if (arn := text(container, "ModelPackageName"))
        )
        groups = [one for name in listed if (one := self._group(name, used))]
        groups += self._groups_of(used, groups)
        missing = {*names} - {text(one, "ModelName") for one in known} - {text(g, "name") for g in groups}
        if missing and not self._incomplete:
            raise SystemReadError(
                f"{self._name}: SageMaker has no model and no model package group "
                f"{', '.join(sorted(missing))} in this account and region: check names and region"
            )
        made = [*(package for group in groups for package in group["packages"]), *known]
        data_sets = {_arn(one): self._data_sets(one) for one in made}
        return {
            "groups": groups,
            "models": known,
            "training_jobs": list(self._jobs.values()),
            "feature_groups": list(self._groups.values()),
            "data_sets": data_sets,
            "all": not names,
            "missing": sorted(missing),
            "incomplete": list(self._incomplete),
        }

    def _names(self, operation: str, key: str, name: str) -> tuple[str, ...]:
        return tuple(text(one, name) for one in self._pages(operation, key, MaxResults=PAGE))

    def _model(self, name: str) -> dict[str, Any] | None:
        answer = self._described("describe_model", ModelName=name)
        if answer is None:
            return None
        containers = [mapping(answer.get("PrimaryContainer")), *mappings(answer.get("Containers"))]
        kept = {"ModelName", "ModelArn", "CreationTime"}
        return _kept(answer, kept) | {
            "Containers": [_kept(one, {"ModelDataUrl", "ModelPackageName"}) for one in containers if one]
        }

    def _groups_of(self, used: Iterable[str], groups: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the groups of packages that models are made of and that no group has, as of another name."""
        known = {text(one, "ModelPackageArn") for group in groups for one in group["packages"]}
        for arn in used:
            package = self._package(arn) if arn not in known else None
            if package is None:
                continue
            name = arn.rpartition(":model-package/")[2].partition("/")[0]
            versioned = arn.rpartition("/")[0].replace(":model-package/", ":model-package-group/")
            in_group = "ModelPackageVersion" in package
            yield {"name": name, "arn": versioned if in_group else arn, "packages": [package]}

    def _group(self, name: str, used: Container[str]) -> dict[str, Any] | None:
        """Return a model package group with its newest package, and those that are used."""
        answer = self._described("describe_model_package_group", ModelPackageGroupName=name)
        if answer is None:
            return None
        newest = self._pages(
            "list_model_packages",
            "ModelPackageSummaryList",
            ModelPackageGroupName=name,
            SortBy="CreationTime",
            SortOrder="Descending",
            MaxResults=PAGE,
        )
        summaries = [one for one in newest if text(one, "ModelPackageArn")]
        latest = max(summaries, key=lambda one: int(text(one, "ModelPackageVersion") or 0), default=None)
        arns = dict.fromkeys(arn for one in summaries if (arn := text(one, "ModelPackageArn")) in used)
        arns |= {text(latest, "ModelPackageArn"): None} if latest else {}
        packages = [one for arn in arns if (one := self._package(arn))]
        return {"name": name, "arn": text(answer, "ModelPackageGroupArn"), "packages": packages}

    def _package(self, arn: str) -> dict[str, Any] | None:
        answer = self._described("describe_model_package", ModelPackageName=arn)
        if answer is None:
            return None
        containers = mappings(mapping(answer.get("InferenceSpecification")).get("Containers"))
        kept = {
            "ModelPackageArn",
            "ModelPackageVersion",
            "ModelApprovalStatus",
            "ModelPackageStatus",
            "CreationTime",
        }
        return _kept(answer, kept) | {"Containers": [_kept(one, {"ModelDataUrl"}) for one in containers]}

    def _data_sets(self, made: Mapping[str, Any]) -> list[str]:
        """Return the URIs of the data sets above a package or model, and collect the jobs that trained it."""
        urls = [url for one in made["Containers"] if (url := text(one, "ModelDataUrl"))]
        for url in urls:
            if named := _MODEL_DATA.fullmatch(url):
                self._training_job(named[1])
        starts = [
            text(artifact, "ArtifactArn")
            for uri in (_arn(made), *urls)
            for artifact in self._allowed("list_artifacts", "ArtifactSummaries", SourceUri=uri)
        ]
        found: dict[str, None] = {}
        for vertex in self._upstream(list(dict.fromkeys(starts))):
            arn, kind = text(vertex, "Arn"), text(vertex, "Type")
            if component := _TRAINING_COMPONENT.fullmatch(arn):
                self._training_job(component[1])
            elif kind == "DataSet" and text(vertex, "LineageType") == "Artifact":
                artifact = self._described("describe_artifact", ArtifactArn=arn)
                if uri := text(artifact, "Source", "SourceUri"):
                    found[uri] = None
                    self._feature_group_of(uri)
        return list(found)

    def _upstream(self, starts: list[str]) -> Iterator[Mapping[str, Any]]:
        token: dict[str, str] = {}
        for _ in range(MOST_PAGES if starts else 0):
            try:
                answer = self._call(
                    self._sagemaker.query_lineage,
                    StartArns=starts,
                    Direction="Ascendants",
                    IncludeEdges=False,
                    MaxDepth=DEPTH,
                    MaxResults=LINEAGE_PAGE,
                    **token,
                )
            except DeniedError as error:
                self._incomplete[f"sagemaker:QueryLineage is refused ({error.code})"] = None
                return
            yield from mappings(answer.get("Vertices"))
            if not answer.get("NextToken"):
                return
            token = {"NextToken": str(answer["NextToken"])}

    def _training_job(self, name: str) -> None:
        if name in self._jobs:
            return
        answer = self._described("describe_training_job", TrainingJobName=name)
        if answer is None:
            return
        channels = mappings(answer.get("InputDataConfig"))
        kept = {
            "TrainingJobName",
            "TrainingJobArn",
            "TrainingJobStatus",
            "FailureReason",
            "TrainingEndTime",
        }
        self._jobs[name] = _kept(answer, kept) | {
            "ModelArtifacts": text(answer, "ModelArtifacts", "S3ModelArtifacts"),
            "InputDataConfig": [
                {
                    "ChannelName": text(one, "ChannelName"),
                    "Uri": text(one, "DataSource", "S3DataSource", "S3Uri")
                    or text(one, "DataSource", "FileSystemDataSource", "DirectoryPath"),
                }
                for one in channels
            ],
        }
        for one in channels:
            self._feature_group_of(text(one, "DataSource", "S3DataSource", "S3Uri"))

    def _feature_group_of(self, uri: str) -> None:
        """Read the feature group whose offline store has this URI, where it is one."""
        named = _OFFLINE_STORE.match(uri)
        if named is None or named[1] in self._groups:
            return
        answer = self._described("describe_feature_group", FeatureGroupName=named[1])
        if answer is None:
            return
        kept = {
            "FeatureGroupName",
            "FeatureGroupArn",
            "FeatureGroupStatus",
            "RecordIdentifierFeatureName",
            "EventTimeFeatureName",
        }
        features = mappings(answer.get("FeatureDefinitions"))
        self._groups[named[1]] = _kept(answer, kept) | {
            "FeatureDefinitions": [_kept(one, {"FeatureName", "FeatureType"}) for one in features],
            "OfflineStoreUri": text(answer, "OfflineStoreConfig", "S3StorageConfig", "ResolvedOutputS3Uri"),
        }

    def _allowed(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of all pages; nothing where they may not be read, which is kept as incomplete."""
        try:
            yield from self._pages(operation, key, **arguments)
        except NotFoundError:
            return
        except DeniedError as error:
            self._refused(operation, error)

    def _described(self, operation: str, **arguments: Any) -> Mapping[str, Any] | None:
        """Return an object; None where there is none or it may not be read, which is kept as incomplete."""
        try:
            return self._call(getattr(self._sagemaker, operation), **arguments)
        except NotFoundError:
            return None
        except DeniedError as error:
            self._refused(operation, error, *arguments.values())
            return None

    def _refused(self, operation: str, error: DeniedError, *names: str) -> None:
        action = "".join(word.capitalize() for word in operation.split("_"))
        of = f" of {', '.join(names)}" if names else ""
        self._incomplete[f"sagemaker:{action}{of} is refused ({error.code})"] = None

    def _pages(self, operation: str, key: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
        method = getattr(self._sagemaker, operation)
        return aws_rows(
            lambda page: self._call(method, **arguments, **page),
            key,
            next_key="NextToken",
            what=f"{self._name}: SageMaker answers {operation}",
        )

    def _call(self, operation: Callable[..., Any], **arguments: Any) -> Mapping[str, Any]:
        return aws_call(operation, self._name, _PERMISSIONS, **arguments)


def fetch_answer(connection: Connection) -> SavedAnswer:
    """Return the answer of SageMaker by a connection of type `aws`; `models` in its extra names some only.

    Its login and password are the access key, else boto3 finds credentials; `region_name` and `endpoint_url`
    in its extra as Amazon's provider reads them. Raises InputError where boto3 is missing or has no region.
    """
    try:
        import boto3
    except ModuleNotFoundError:
        raise InputError("boto3 is missing: pip install airflow-lineage-provider[aws]") from None
    from botocore.exceptions import BotoCoreError

    extra = connection.extra
    try:
        client = boto3.client(
            "sagemaker",
            region_name=extra.get("region_name"),
            endpoint_url=extra.get("endpoint_url"),
            aws_access_key_id=connection.login or None,
            aws_secret_access_key=connection.password or None,
            aws_session_token=extra.get("aws_session_token"),
        )
    except (BotoCoreError, ValueError) as error:
        raise InputError(f"{connection}: {one_line(error)}: check its region and credentials") from None
    models = extra.get("models") or ()
    names = [models] if isinstance(models, str) else [str(one) for one in models]
    return client_answer(client, str(connection), names)


def client_answer(sagemaker: Any, name: str, models: Iterable[str]) -> SavedAnswer:
    """Return the answer of a boto3 client; `name` is the connection that errors name."""
    from airflow_lineage_provider.systems.saved import SavedAnswer

    answer = SageMakerClient(sagemaker, name).answer(models)
    return SavedAnswer(SYSTEM, datetime.now(UTC), sagemaker.meta.endpoint_url, answer)


def _arn(made: Mapping[str, Any]) -> str:
    return text(made, "ModelPackageArn") or text(made, "ModelArn")


def _kept(answer: Mapping[str, Any], keys: set[str]) -> dict[str, Any]:
    """Return these keys of an answer as plain JSON: times as ISO 8601."""
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key, value in answer.items()
        if key in keys
    }
