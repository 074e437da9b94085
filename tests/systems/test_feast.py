# ruff: noqa: E501 - a case is a row
"""Feast's feature views: by its own library on a real registry, and by registries in its JSON form."""

import base64
import copy
import json
import os
import subprocess
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from features_case import MAP, saved, validated_answers

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.movement import EVERY_COLUMN
from airflow_lineage_provider.systems.connection import Connection
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.feast.lineage import feast_lineage, fetch_answer, repository_answer
from airflow_lineage_provider.systems.saved import answer_text
from tests.support.environments import python_of

NOW = datetime(2026, 1, 31, tzinfo=UTC)
HOST = "file:///repository/data/registry.db"
VIEW = "customer_engagement_features"
SETTINGS = """
project: churn
registry: data/registry.db
provider: local
offline_store: {type: file}
online_store: {type: sqlite, path: data/online.db}
entity_key_serialization_version: 3
"""
DEFINITIONS = Path(__file__).with_name("feast_definitions.py")


@pytest.fixture(scope="module")
def python():
    """The Python that has Feast."""
    return python_of("feast")


@pytest.fixture(scope="module")
def repository(tmp_path_factory, python):
    """A Feast repository whose definitions are applied to its registry."""
    folder = tmp_path_factory.mktemp("feast")
    (folder / "data").mkdir()
    (folder / "feature_store.yaml").write_text(SETTINGS)
    environment = os.environ | {"FEAST_USAGE": "False", "PYTHONWARNINGS": "ignore"}
    subprocess.run([python, DEFINITIONS], cwd=folder, env=environment, check=True)
    return folder


@pytest.fixture(scope="module")
def live(repository, python):
    """The answer of the repository."""
    return repository_answer(str(repository), python)


def observed(answer, host=HOST):
    return {one.movement.job_name: one for one in feast_lineage(answer, host, NOW)}


def made_from(seen, feature):
    found = (seen.movement.columns or {}).get(feature)
    return None if found is None else [(one.dataset.name, one.column, one.subtype) for one in found]


@pytest.mark.e2e
def test_a_real_registry_is_read_by_the_python_that_has_feast(live, repository):
    assert live.host == f"file://{repository}/data/registry.db"
    seen = observed(live.answer, live.host)
    view = seen[f"churn.{VIEW}"].movement
    assert view.job_namespace == f"feast://{repository}/data/registry.db"
    assert [(one.name.namespace, one.name.name) for one in view.inputs] == [
        (f"feast://{repository}/data/registry.db", "churn.ANALYTICS.GOLD.CUSTOMER_BEHAVIOR")
    ]
    (output,) = view.outputs
    assert {field.name: field.type for field in output.fields} == {
        "7_day_event_count": "int64",
        "total_revenue": "double",
    }
    assert dict(output.properties) == {"entity": "customer_id", "services": "churn_v1"}
    assert output.owners == ("ml@example.com",)
    assert made_from(seen[f"churn.{VIEW}"], "7_day_event_count") == [
        ("churn.ANALYTICS.GOLD.CUSTOMER_BEHAVIOR", "EVENT_COUNT", "IDENTITY")
    ]


@pytest.mark.e2e
def test_queries_streams_pushes_and_functions_of_a_real_registry_are_read(live):
    seen = observed(live.answer)
    assert made_from(seen["churn.spent"], "spent") == [
        ("churn.analytics.gold.customer_behavior", "total_revenue", "AGGREGATION")
    ]
    assert {one[1] for one in made_from(seen["churn.spent"], EVERY_COLUMN)} == {"customer_id", "event_date"}
    assert [one.name.name for one in seen["churn.pushed"].movement.inputs] == ["x.parquet", "churn.push"]
    trips = seen["churn.trips"].movement
    assert (trips.processing, [one.name.name for one in trips.inputs]) == (
        "STREAMING",
        ["/data/x.parquet", "events"],
    )
    (field,) = trips.outputs[0].fields
    assert dict(field.properties) == {"aggregation": "sum", "window": "7 days"}
    assert made_from(seen["churn.trips"], field.name) == [
        ("/data/x.parquet", "trips", "AGGREGATION"),
        ("events", "trips", "AGGREGATION"),
    ]
    ratio = seen["churn.ratio"].movement
    assert [one.name.name for one in ratio.inputs] == [f"churn.{VIEW}"]
    assert "a function (pandas) computes it" in ratio.problems[0]


@pytest.mark.e2e
def test_no_function_of_a_real_registry_is_in_a_saved_answer(live):
    written = answer_text(live)
    assert "inputs[" not in written
    assert observed(json.loads(written)["answer"]).keys() == observed(live.answer).keys()


@pytest.mark.e2e
def test_the_documented_edge_is_verified_by_a_real_registry(live):
    text = MAP.replace("store: Tecton", "store: Feast")
    head, _, rest = text.partition("    features:\n")
    tail = rest[rest.index("ml_models:") :]
    features = "    features: {7_day_event_count: event_count, total_revenue: }\n"
    answer = live.answer | {"offline_store": STORE}  # the library of Snowflake is not installed there
    comparison = validated_answers(saved("feast", answer, live.host), text=head + features + tail).comparison
    errors = [f"{one.code}: {one.message}" for one in comparison.findings if one.severity == "error"]
    assert all("is not documented" in one for one in errors), errors  # the other views of the repository
    verdicts = {str(one.edge): str(one.verdict) for one in comparison.edges}
    assert verdicts[f"gold.customer_behavior -> {VIEW}"] == "VERIFIED"


@pytest.mark.e2e
def test_an_environment_without_feast_is_one_line(repository):
    with pytest.raises(SystemReadError, match="ModuleNotFoundError: No module named 'feast'") as raised:
        repository_answer(str(repository), python_of("mlflow"))
    assert not raised.value.unreachable
    assert "\n" not in str(raised.value)


@pytest.mark.e2e
def test_a_registry_that_cannot_be_read_may_be_tried_again(tmp_path, python):
    (tmp_path / "feature_store.yaml").write_text(
        "project: churn\nregistry: {registry_type: nothing}\nprovider: local\n"
    )
    with pytest.raises(SystemReadError, match="cannot be read by") as raised:
        repository_answer(str(tmp_path), python)
    assert raised.value.unreachable
    assert "\n" not in str(raised.value)


# ---- registries in JSON --------------------------------------------------------------------------

SNOWFLAKE = {
    "type": "BATCH_SNOWFLAKE",
    "snowflakeOptions": {"database": "ANALYTICS", "schema": "GOLD", "table": "CUSTOMER_BEHAVIOR"},
    "name": "behavior",
}
STORE = {"type": "snowflake.offline", "account": "acme-analytics"}


def spec(name=VIEW, features=("event_count",), source=SNOWFLAKE, **more):
    listed = [{"name": one, "valueType": "INT64"} for one in features]
    view = {"name": name, "project": "churn", "entities": ["customer"], "features": listed}
    return {"spec": view | ({"batchSource": source} if source else {}) | more}


def answer_of(*views, store=STORE, **kinds):
    registry = {
        "entities": [{"spec": {"name": "customer", "joinKey": "customer_id"}}],
        "featureViews": list(views),
    }
    return {"project": "churn", "offline_store": store, "registry": registry | kinds}


@pytest.mark.parametrize(
    ("source", "store", "expected"),
    [
        (SNOWFLAKE, STORE, ("snowflake://acme-analytics", "ANALYTICS.GOLD.CUSTOMER_BEHAVIOR")),
        (SNOWFLAKE, {}, ("feast:///repository/data/registry.db", "churn.ANALYTICS.GOLD.CUSTOMER_BEHAVIOR")),
        ({"redshiftOptions": {"database": "dev", "schema": "gold", "table": "t"}}, {"type": "redshift", "cluster_id": "c", "region": "eu-west-1"}, ("redshift://c.eu-west-1:5439", "dev.gold.t")),
        ({"bigqueryOptions": {"table": "p.d.t"}}, {"type": "bigquery"}, ("bigquery", "p.d.t")),
        ({"fileOptions": {"uri": "s3://lake/gold/t.parquet"}}, {"type": "dask"}, ("s3://lake", "gold/t.parquet")),
        ({"sparkOptions": {"path": "s3://lake/gold/t"}}, {"type": "spark"}, ("s3://lake", "gold/t")),
        ({"customOptions": {"configuration": base64.b64encode(b'{"table": "gold.t"}').decode()}}, {"type": "postgres", "host": "db", "port": "5432"}, ("postgres://db:5432", "gold.t")),
        ({"kafkaOptions": {"kafkaBootstrapServers": "b:9092", "topic": "events"}}, {}, ("kafka://b:9092", "events")),
        ({"kinesisOptions": {"region": "eu-west-1", "streamName": "s"}}, {}, ("kinesis://eu-west-1", "s")),
    ],
)  # fmt: skip
def test_a_source_of_each_kind_has_its_name(source, store, expected):
    (seen, _) = observed(answer_of(spec(source=source), store=store)).values()
    assert [(one.name.namespace, one.name.name) for one in seen.movement.inputs] == [expected]


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        (spec(source={"customOptions": {"configuration": "nonsense"}}), "its data source is of a kind that is not known"),
        (spec(source=None), "its data source is of a kind that is not known"),
        (spec(featureTransformation={"userDefinedFunction": {}}, mode="python"), "a function (python) transforms its source"),
        (spec(aggregations=[{"column": "x", "function": "sum", "timeWindow": "60s"}]), "no aggregation of its view is named so"),
        (spec(source=SNOWFLAKE | {"snowflakeOptions": {"query": "selec x frm y"}}), "its SQL cannot be read"),
        (spec(source=SNOWFLAKE | {"snowflakeOptions": {"query": "select 1 as other"}}), "its source has no column event_count"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_said_and_not_claimed(view, problem):
    (seen, _) = observed(answer_of(view)).values()
    assert made_from(seen, "event_count") is None
    assert seen.movement.problems[0].startswith(f"feature event_count of churn.{VIEW}: ")
    assert problem in seen.movement.problems[0]


def test_drifts_of_a_registry_are_found():
    text = MAP.replace("store: Tecton", "store: Feast")
    head, _, rest = text.partition("    features:\n")
    text = head + "    features: {event_count: }\n" + rest[rest.index("ml_models:") :]
    agreed = answer_of(spec())

    def errors(answer):
        found = validated_answers(saved("feast", answer, HOST), text=text).comparison.findings
        return [f"{one.code}: {one.message}" for one in found if one.severity == "error"]

    assert errors(agreed) == []
    other = copy.deepcopy(agreed)
    other["registry"]["entities"][0]["spec"]["joinKey"] = "household_id"
    assert errors(other) == [
        f"property-changed: {VIEW}: entity is documented as customer_id and is household_id"
    ]
    assert errors(answer_of(spec(features=("event_count", "new")))) == [
        f"column-unexpected: {VIEW}.new is not documented; {VIEW} has this column"
    ]
    renamed = SNOWFLAKE | {"fieldMapping": {"TOTAL_REVENUE": "event_count"}}
    assert errors(answer_of(spec(source=renamed))) == [
        f"column-edge-missing: {VIEW}.event_count is documented as made from gold.customer_behavior.event_count, and is made from gold.customer_behavior.total_revenue"
    ]
    assert errors(answer_of())[0].startswith(f"dataset-missing: {VIEW} is documented and was not produced")


@pytest.mark.parametrize(
    ("extra", "error"),
    [
        ({}, "needs `repository` in its extra"),
        ({"repository": "/nowhere"}, "/nowhere is no Feast repository: it has no feature_store.yaml"),
    ],
)
def test_a_connection_without_a_repository_is_one_line(extra, error):
    with pytest.raises(InputError, match=error):
        fetch_answer(Connection("feast", extra=extra))


def test_feast_that_is_not_installed_is_one_line(tmp_path):
    (tmp_path / "feature_store.yaml").write_text("project: churn\n")
    with pytest.raises(InputError, match="feast is missing: install Feast, or name the Python that has it"):
        repository_answer(str(tmp_path))
    with pytest.raises(InputError, match="/no/python cannot be run"):
        repository_answer(str(tmp_path), "/no/python")


@pytest.mark.parametrize("answer", [None, [], {}, {"registry": 1}])
def test_an_answer_of_another_form_is_refused(answer):
    with pytest.raises(SystemReadError, match="has no registry: fetch it again"):
        feast_lineage(answer, HOST, NOW)


def test_thousands_of_views_stay_small():
    views = [spec(f"v{at}") for at in range(5_000)]
    service = {"spec": {"name": "s", "features": [{"featureViewName": f"v{at}"} for at in range(5_000)]}}
    answer = answer_of(*views, featureServices=[service])
    tracemalloc.start()
    seen = observed(answer)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 5_001
    assert peak < 60 << 20
