# ruff: noqa: E501 - a case is a row
"""Drifts of feature views and models from their map: each is found, alone, and says where both sides stand."""

import pytest
from features_case import (
    ACCOUNT,
    EXPORT,
    MAP,
    MODEL,
    package,
    sagemaker_answer,
    tecton,
    training_job,
    validated,
)
from tecton_definitions import (
    SQL,
    aggregate,
    difference,
    entity,
    feature_view,
    plan,
    service,
    snowflake_source,
    transformation,
)

from airflow_lineage_provider.graph import Verdict

DAYS = {"name": "", "column": "days_since_last_purchase", "columnDtype": {"type": "DATA_TYPE_INT64"}}
COUNT, AMOUNT = (
    aggregate("7_day_event_count", "event_count", "sum", 7),
    aggregate("30_day_purchase_amount", "total_revenue", "sum", 30),
)


def findings(validation):
    return [f"{one.code}: {one.message}" for one in validation.comparison.findings if one.severity == "error"]


def with_features(*aggregations, attributes=(DAYS,)):
    batch = {
        "timestampField": "event_date",
        "aggregations": list(aggregations),
        "attributes": list(attributes),
    }
    return tecton(snowflake_source(), entity(), transformation(), feature_view(batch=batch), service())


def test_what_is_documented_agrees():
    validation = validated()
    assert findings(validation) == []
    assert {(str(one.edge), one.verdict) for one in validation.comparison.edges} == {
        ("gold.customer_behavior -> customer_engagement_features", Verdict.VERIFIED),
        ("customer_engagement_features -> churn_prediction_model", Verdict.VERIFIED),
    }
    assert validation.comparison.column_edges[Verdict.VERIFIED] == 3


FEATURE_DRIFTS = {
    "a window changed": (
        with_features(aggregate("7_day_event_count", "event_count", "sum", 14), AMOUNT),
        "property-changed: customer_engagement_features.7_day_event_count: window is documented as 7 days and is 14 days",
    ),
    "an aggregation changed": (
        with_features(COUNT, aggregate("30_day_purchase_amount", "total_revenue", "max", 30)),
        "property-changed: customer_engagement_features.30_day_purchase_amount: aggregation is documented as sum and is max",
    ),
    "a feature is no longer aggregated": (
        with_features(
            COUNT, attributes=(DAYS, {"name": "30_day_purchase_amount", "column": "total_revenue"})
        ),
        "property-changed: customer_engagement_features.30_day_purchase_amount: aggregation is documented as sum and is none; window is documented as 30 days and is none",
    ),
    "a feature is made from another column": (
        with_features(COUNT, aggregate("30_day_purchase_amount", "event_count", "sum", 30)),
        "column-edge-missing: customer_engagement_features.30_day_purchase_amount is documented as made from gold.customer_behavior.total_revenue, and is made from gold.customer_behavior.event_count",
    ),
    "the SQL makes a feature from another column": (
        tecton(
            snowflake_source(),
            entity(),
            transformation(body=SQL.replace("THEN event_date", "THEN customer_id")),
            feature_view(),
        ),
        "column-edge-missing: customer_engagement_features.days_since_last_purchase is documented as made from gold.customer_behavior.event_date, and is made from gold.customer_behavior.customer_id",
    ),
    "a feature is gone": (
        with_features(COUNT),
        "column-missing: customer_engagement_features.30_day_purchase_amount is documented, and customer_engagement_features has no such column",
    ),
    "a feature is new": (
        with_features(COUNT, AMOUNT, aggregate("60_day_orders", "event_count", "sum", 60)),
        "column-unexpected: customer_engagement_features.60_day_orders is not documented; customer_engagement_features has this column",
    ),
    "the source is another table": (
        tecton(snowflake_source(table="CUSTOMER_BEHAVIOR_V2"), entity(), transformation(), feature_view()),
        "edge-missing: customer_engagement_features is documented to read gold.customer_behavior, and reads gold.customer_behavior_v2",
    ),
    "the source is another documented table": (
        tecton(
            snowflake_source(table="ORDERS"),
            entity(),
            transformation(body=SQL),
            feature_view(),
        ),
        "edge-missing: customer_engagement_features is documented to read gold.customer_behavior, and reads gold.orders",
    ),
    "the entity is another": (
        tecton(snowflake_source(), entity(keys=("household_id",)), transformation(), feature_view()),
        "property-changed: customer_engagement_features: entity is documented as customer_id and is household_id",
    ),
    "the entity is gone": (
        tecton(snowflake_source(), transformation(), feature_view(entities=[])),
        "property-changed: customer_engagement_features: entity is documented as customer_id and is none",
    ),
    "the view is not applied": (
        tecton(changes=plan(difference("CREATE"))),
        "dataset-missing: customer_engagement_features is documented and was not produced: prod.customer_engagement_features ended ABORT (feature view customer_engagement_features is defined and not applied to the workspace yet: run `tecton apply`)",
    ),
}


@pytest.mark.parametrize("case", FEATURE_DRIFTS)
def test_a_drift_of_a_feature_view_is_found(case):
    answer, expected = FEATURE_DRIFTS[case]
    assert findings(validated(features=answer)) == [expected]


def test_a_view_that_is_gone_is_found_beside_the_one_that_is_new():
    renamed = tecton(snowflake_source(), entity(), transformation(), feature_view(name="other_features"))
    found = findings(validated(features=renamed))
    assert [one.partition(":")[0] for one in found] == ["dataset-unexpected", "edge-missing"]
    assert "tecton://acme.tecton.ai/prod.other_features is not documented" in found[0]


MODEL_DRIFTS = {
    "trained on another view": (
        sagemaker_answer(jobs=[training_job(uri=EXPORT.replace("customer_engagement", "household"))]),
        "edge-missing: churn_prediction_model is documented to read customer_engagement_features, and reads s3://analytics-ml/exports/household_features/2026-01-20",
    ),
    "the package is not approved": (
        sagemaker_answer(package(approval="PendingManualApproval")),
        "property-changed: churn_prediction_model: approval is documented as Approved and is PendingManualApproval",
    ),
    "another version": (
        sagemaker_answer(package(4)),
        "property-changed: churn_prediction_model: version is documented as 3 and is 4",
    ),
    "the training failed": (
        sagemaker_answer(jobs=[training_job(status="Failed", FailureReason="AlgorithmError: x")]),
        "dataset-missing: churn_prediction_model is documented and was not produced: model-package-group/churn-prediction-model ended FAIL (training job churn-1 of model-package-group/churn-prediction-model is Failed: AlgorithmError: x)",
    ),
    "what it was trained on may not be read": (
        sagemaker_answer(
            jobs=[],
            incomplete=["sagemaker:DescribeTrainingJob of churn-1 is refused (AccessDeniedException)"],
        ),
        "dataset-missing: churn_prediction_model is documented and was not produced: model-package-group/churn-prediction-model ended ABORT (what model-package-group/churn-prediction-model was trained on is not known: sagemaker:DescribeTrainingJob of churn-1 is refused (AccessDeniedException))",
    ),
    "it is in no registry": (
        sagemaker_answer(
            groups=[],
            models=[
                {
                    "ModelName": MODEL,
                    "ModelArn": f"{ACCOUNT}:model/{MODEL}",
                    "Containers": [
                        {"ModelDataUrl": "s3://analytics-ml/training/churn-1/output/model.tar.gz"}
                    ],
                }
            ],
        ),
        "property-changed: churn_prediction_model: version is documented as 3 and is none; approval is documented as Approved and is none",
    ),
}


@pytest.mark.parametrize("case", MODEL_DRIFTS)
def test_a_drift_of_a_model_is_found(case):
    answer, expected = MODEL_DRIFTS[case]
    assert findings(validated(model=answer)) == [expected]


def test_the_package_that_a_model_is_made_of_counts_and_not_the_newest():
    used = {
        "ModelName": MODEL,
        "ModelArn": f"{ACCOUNT}:model/{MODEL}",
        "Containers": [{"ModelPackageName": package(3)["ModelPackageArn"]}],
    }
    answer = sagemaker_answer(package(3), package(4, approval="PendingManualApproval"), models=[used])
    assert findings(validated(model=answer)) == []


def test_a_window_of_the_same_length_in_other_words_is_no_drift():
    assert findings(validated(text=MAP.replace("window: 7 days", "window: 1 week"))) == []
