# ruff: noqa: E501 - a binding is a line
"""A map with a feature view and a model, and its validation against saved answers of both systems."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from openlineage.client.serde import Serde
from tecton_definitions import HOST, dump, plan

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.events.context import RunContext
from airflow_lineage_provider.events.movement import movement_event
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.systems.answers import observe_answer
from airflow_lineage_provider.systems.saved import SavedAnswer
from airflow_lineage_provider.systems.tecton.feature_views import tecton_answer

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MAP = """
document: {title: Customer analytics}
layers:
  gold:
    tables:
      customer_behavior:
        columns: [customer_id, event_date, event_type, event_count, total_orders, total_revenue]
      orders: {columns: [customer_id, total_revenue]}
feature_views:
  customer_engagement_features:
    store: Tecton
    entity: customer_id
    from: gold.customer_behavior
    features:
      7_day_event_count: {from: event_count, aggregation: sum, window: 7 days}
      30_day_purchase_amount: {from: total_revenue, aggregation: sum, window: 30 days}
      days_since_last_purchase: event_date
ml_models:
  churn_prediction_model:
    platform: SageMaker
    version: "3"
    approval: Approved
    from: customer_engagement_features
environments:
  prod:
    bindings:
      - {dataset: customer_engagement_features, namespace: "tecton://*", name: prod.customer_engagement_features}
      - {dataset: customer_engagement_features, namespace: "feast://*", name: churn.customer_engagement_features}
      - {dataset: customer_engagement_features, namespace: "s3://*", name: "*/customer_engagement_features/*"}
      - {dataset: churn_prediction_model, namespace: "arn:aws:sagemaker:*", name: "*/churn-prediction-model"}
      - {dataset: churn_prediction_model, namespace: "mlflow://*", name: model/churn_prediction_model}
      - {dataset: "{layer}.{table}", namespace: "snowflake://*", name: "ANALYTICS.{layer}.{table}", ignore_case: true}
"""
ACCOUNT = "arn:aws:sagemaker:eu-west-1:123456789012"
MODEL = "churn-prediction-model"
EXPORT = "s3://analytics-ml/exports/customer_engagement_features/2026-01-20/"
SAGEMAKER_HOST = "https://api.sagemaker.eu-west-1.amazonaws.com"


def package(version=3, approval="Approved", status="Completed", job="churn-1"):
    return {
        "ModelPackageArn": f"{ACCOUNT}:model-package/{MODEL}/{version}",
        "ModelPackageVersion": version,
        "ModelPackageStatus": status,
        "ModelApprovalStatus": approval,
        "Containers": [{"ModelDataUrl": model_data(job)}],
    }


def model_data(job):
    return f"s3://analytics-ml/training/{job}/output/model.tar.gz"


def training_job(name="churn-1", uri=EXPORT, status="Completed", **more):
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"{ACCOUNT}:training-job/{name}",
        "TrainingJobStatus": status,
        "ModelArtifacts": model_data(name),
        "InputDataConfig": [{"ChannelName": "train", "Uri": uri}],
        **more,
    }


def sagemaker_answer(*packages, jobs=None, models=(), **more):
    group = {
        "name": MODEL,
        "arn": f"{ACCOUNT}:model-package-group/{MODEL}",
        "packages": list(packages or (package(),)),
    }
    return {
        "groups": [group],
        "models": list(models),
        "training_jobs": [training_job()] if jobs is None else jobs,
        "feature_groups": [],
        "data_sets": {},
        "missing": [],
        "incomplete": [],
        **more,
    }


def tecton(*definitions, changes=None):
    return tecton_answer(dump(*definitions), changes or plan(), workspace="prod")


def saved(system, answer, host):
    return SavedAnswer(system, NOW, host, copy.deepcopy(answer), file=f"{system}.json")


def events_of(*answers, now=NOW):
    observed = (one for answer in answers for one in observe_answer(answer, now).observations)
    return [
        Serde.to_dict(movement_event(one.movement, one.state, now, RunContext(), one.error))
        for one in observed
    ]


def validated(features=None, model=None, text=MAP):
    """Validate an answer of Tecton and one of SageMaker; None is the documented one."""
    answers = (
        saved("tecton", tecton() if features is None else features, HOST),
        saved("sagemaker", sagemaker_answer() if model is None else model, SAGEMAKER_HOST),
    )
    return validated_answers(*answers, text=text)


def validated_answers(*answers, text=MAP):
    from dataclasses import replace

    lineage_map = parse_map(text, "map.yaml")
    evidence = read_evidence("event", events_of(*answers), lineage_map, "prod")
    evidence = replace(evidence, only_consumers=True)
    return validate(evidence, lineage_map, environment="prod", now=NOW)
