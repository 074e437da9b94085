"""What SageMaker's models are made from, as observations.

The namespace is the ARN of the service in the account, `arn:aws:sagemaker:<region>:<account>`, and a name is
the rest of an object's ARN: `model-package-group/<name>`, `model/<name>`, `feature-group/<name>`. A
registered model is its model package group; version and approval are those of the package that a model of
the same answer is made of, else of the newest package. Training data of no feature group is a file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from openlineage.client.event_v2 import RunState

from airflow_lineage_provider.events.movement import ColumnSource, MovedDataset, MovedField, Movement
from airflow_lineage_provider.events.naming import DatasetName, file_name
from airflow_lineage_provider.lineage_map.features import NONE
from airflow_lineage_provider.plain_json import mapping, mappings, text, texts
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.features import FEATURE_VIEW
from airflow_lineage_provider.systems.listing import listing
from airflow_lineage_provider.systems.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from airflow_lineage_provider.systems.answers import Observed
    from airflow_lineage_provider.systems.saved import SavedAnswer

    Answer = Mapping[str, Any]

MODEL, PLATFORM = "MODEL", "SageMaker"
_FAILED = frozenset({"Failed", "Stopped", "Stopping", "Deleting"})
_PENDING = frozenset({"Pending", "InProgress"})


def sagemaker_lineage(answer: Any, now: datetime) -> tuple[list[Observation], list[str]]:
    """Return the observation of each model package group and of each model, and what could not be read.

    Raises SystemReadError for an answer of another form.
    """
    answer = mapping(answer)
    if not isinstance(answer.get("groups"), list) or not isinstance(answer.get("models"), list):
        raise SystemReadError("the answer of SageMaker has no groups and models: fetch it again")
    account = _Account(answer, now)
    problems = [
        *(f"SageMaker: {one}: the answer is incomplete" for one in texts(answer.get("incomplete"))),
        *(f"SageMaker: model {one} may not be read" for one in texts(answer.get("missing"))),
    ]
    return [*account.observations()], problems


def observe_answer(saved: SavedAnswer, now: datetime) -> Observed:
    """Return what an answer of SageMaker shows."""
    from airflow_lineage_provider.systems.answers import Observed

    observations, problems = sagemaker_lineage(saved.answer, now)
    if mapping(saved.answer).get("all"):
        namespace = next((one.movement.job_namespace for one in observations), saved.host)
        incomplete = texts(mapping(saved.answer).get("incomplete"))
        observations.append(listing(namespace, "SAGEMAKER", PLATFORM, now, incomplete))
    return Observed(observations, tuple(problems))


@dataclass(frozen=True, slots=True)
class _Package:
    """A model package, or a model that is of none."""

    arn: str
    urls: tuple[str, ...]
    version: str = NONE
    approval: str = NONE
    status: str = ""


@dataclass(frozen=True, slots=True)
class _Training:
    """What a model was made from, with its columns where they are known."""

    inputs: tuple[MovedDataset, ...] = ()
    columns: dict[str, tuple[ColumnSource, ...]] | None = None
    state: RunState = RunState.COMPLETE
    error: str = ""


class _Account:
    """The objects of an answer by what names them."""

    def __init__(self, answer: Answer, now: datetime) -> None:
        self.now = now
        self.groups = mappings(answer.get("groups"))
        self.models = mappings(answer.get("models"))
        jobs = mappings(answer.get("training_jobs"))
        self.jobs_by_output = {text(one, "ModelArtifacts"): one for one in jobs}
        self.jobs_by_name = {text(one, "TrainingJobName"): one for one in jobs}
        self.stores = {
            store: one
            for one in mappings(answer.get("feature_groups"))
            if (store := text(one, "OfflineStoreUri").rstrip("/"))
        }
        self.packages = {
            text(one, "ModelPackageArn"): (group, one)
            for group in self.groups
            for one in mappings(group.get("packages"))
        }
        self.data_sets = mapping(answer.get("data_sets"))
        self.incomplete = texts(answer.get("incomplete"))

    def observations(self) -> Iterator[Observation]:
        used = {text(one, "ModelPackageName") for model in self.models for one in _containers(model)}
        for group in self.groups:
            packages = [_package(one) for one in mappings(group.get("packages"))]
            name = _name(text(group, "arn"))
            if packages:
                package = next((one for one in packages if one.arn in used), packages[-1])
                yield self._trained(name, package)
            else:
                error = f"model package group {text(group, 'name')} has no package that can be read"
                yield self._moved(name, _Training(state=RunState.ABORT, error=error))
        for model in self.models:
            yield self._model(model)

    def _model(self, model: Answer) -> Observation:
        name = _name(text(model, "ModelArn"))
        made_of = [url for one in _containers(model) if (url := text(one, "ModelPackageName"))]
        for arn in made_of:
            if arn in self.packages:
                group, package = self.packages[arn]
                registered = MovedDataset(_name(text(group, "arn")), MODEL)
                return self._moved(name, _Training((registered,)), _package(package), MODEL)
        urls = tuple(url for one in _containers(model) if (url := text(one, "ModelDataUrl")))
        return self._trained(name, _Package(text(model, "ModelArn"), urls))

    def _trained(self, name: DatasetName, package: _Package) -> Observation:
        """Return the observation of a model that a training job made: what the training read."""
        jobs = self._jobs(package.urls)
        channels = [channel for job in jobs for channel in mappings(job.get("InputDataConfig"))]
        uris = [*(text(one, "Uri") for one in channels), *texts(self.data_sets.get(package.arn))]
        inputs = tuple({one.name: one for one in map(self._input, filter(None, uris))}.values())
        state, error = _state(name, package, jobs)
        if not inputs and not error:
            why = "; ".join(self.incomplete) or "no training job and no lineage of SageMaker name it"
            state, error = RunState.ABORT, f"what {name.name} was trained on is not known: {why}"
        return self._moved(name, _Training(inputs, self._columns(inputs), state, error), package)

    def _jobs(self, urls: tuple[str, ...]) -> list[Answer]:
        """Return the training jobs that made model data: by its URL, or by their name in it."""
        found = {}
        for url in urls:
            named = (self.jobs_by_name[part] for part in url.split("/") if part in self.jobs_by_name)
            job = self.jobs_by_output.get(url) or next(named, None)
            if job is not None:
                found[text(job, "TrainingJobName")] = job
        return list(found.values())

    def _input(self, uri: str) -> MovedDataset:
        """Return the feature group whose offline store a URI is in, else the file that it is."""
        store = uri.rstrip("/")
        while store.count("/") > 2 and store not in self.stores:  # noqa: PLR2004 - s3://bucket
            store = store.rpartition("/")[0]
        if group := self.stores.get(store):
            name = _name(text(group, "FeatureGroupArn"))
            return MovedDataset(name, FEATURE_VIEW, tuple(_features(group)))
        return MovedDataset(file_name(uri), "FILE")

    def _columns(self, inputs: tuple[MovedDataset, ...]) -> dict[str, tuple[ColumnSource, ...]] | None:
        """Return the features of a model: those of its feature groups, where these are all of its inputs."""
        if not inputs or not all(one.fields for one in inputs):
            return None
        found: dict[str, tuple[ColumnSource, ...]] = {}
        for one in inputs:
            for field in one.fields:
                found[field.name] = (*found.get(field.name, ()), ColumnSource(one.name, field.name))
        return found

    def _moved(
        self, name: DatasetName, training: _Training, package: _Package | None = None, kind: str = "TRAINING"
    ) -> Observation:
        output = MovedDataset(
            name,
            MODEL,
            tuple(MovedField(one) for one in training.columns or ()),
            version=package.version if package and package.version != NONE else "",
            properties=(("version", package.version), ("approval", package.approval)) if package else (),
        )
        unknown = training.columns is None and not training.error and kind != MODEL
        gap = f"which features {name.name} uses is not known: SageMaker names its training data only"
        movement = Movement(
            job_namespace=name.namespace,
            job_name=name.name,
            started_at=self.now,
            integration="SAGEMAKER",
            job_type=kind,
            engine="Amazon SageMaker",
            inputs=training.inputs,
            outputs=(output,),
            columns=training.columns,
            problems=(gap,) if unknown else (),
        )
        return Observation(movement, training.state, training.error)


def _package(found: Answer) -> _Package:
    return _Package(
        arn=text(found, "ModelPackageArn"),
        urls=tuple(url for one in _containers(found) if (url := text(one, "ModelDataUrl"))),
        version=text(found, "ModelPackageVersion") or NONE,
        approval=text(found, "ModelApprovalStatus") or NONE,
        status=text(found, "ModelPackageStatus"),
    )


def _state(name: DatasetName, package: _Package, jobs: list[Answer]) -> tuple[RunState, str]:
    """Return the state of a model by its package and its training jobs, and what is wrong with it."""
    if package.status in _FAILED:
        error = f"version {package.version} of {name.name} is {package.status}: see it in SageMaker"
        return RunState.FAIL, error
    if package.status in _PENDING:
        return (
            RunState.ABORT,
            f"version {package.version} of {name.name} is {package.status}: it is not ready",
        )
    for job in jobs:
        if text(job, "TrainingJobStatus") in _FAILED:
            reason = text(job, "FailureReason") or "no reason given"
            what = f"training job {text(job, 'TrainingJobName')} of {name.name}"
            return RunState.FAIL, f"{what} is {text(job, 'TrainingJobStatus')}: {reason}"
    return RunState.COMPLETE, ""


def _containers(made: Answer) -> list[Answer]:
    return mappings(made.get("Containers"))


def _features(group: Answer) -> Iterator[MovedField]:
    keys = {text(group, "RecordIdentifierFeatureName"), text(group, "EventTimeFeatureName")}
    for one in mappings(group.get("FeatureDefinitions")):
        if (name := text(one, "FeatureName")) and name not in keys:
            yield MovedField(name, text(one, "FeatureType"))


def _name(arn: str) -> DatasetName:
    """Return the dataset that an ARN of SageMaker names."""
    parts = arn.split(":", 5)
    return DatasetName(":".join(parts[:5]), parts[5] if len(parts) > 5 else arn)  # noqa: PLR2004 - an ARN's parts
