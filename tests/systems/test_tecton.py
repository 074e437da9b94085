# ruff: noqa: E501 - a case is a row
"""Tecton's feature views by the JSON of its command line."""

import json
import tracemalloc
from datetime import UTC, datetime

import pytest
from http_stub import http_server
from openlineage.client.event_v2 import RunState
from tecton_definitions import (
    HOST,
    VIEW,
    aggregate,
    an_id,
    difference,
    dump,
    entity,
    feature_view,
    info,
    plan,
    snowflake_source,
    source_node,
    transformation,
    transformed,
)

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.movement import EVERY_COLUMN
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.connection import Connection
from airflow_lineage_provider.systems.errors import SystemReadError
from airflow_lineage_provider.systems.saved import answer_text
from airflow_lineage_provider.systems.tecton.feature_views import tecton_answer, tecton_lineage
from airflow_lineage_provider.systems.tecton.fetch import fetch_answer

NOW = datetime(2026, 1, 31, tzinfo=UTC)
BEHAVIOR = DatasetName("snowflake://acme-analytics", "ANALYTICS.GOLD.CUSTOMER_BEHAVIOR")
SECRET = "pass-that-nobody-prints"


def view_of(*definitions, changes=None, name=VIEW):
    answer = tecton_answer(dump(*definitions), changes, workspace="prod")
    seen, _ = tecton_lineage(answer, HOST, NOW)
    return next(one for one in seen if one.movement.job_name == f"prod.{name}")


def made_from(seen, feature):
    """Return what a feature is made from: (dataset, column, subtype); None where it is not known."""
    found = (seen.movement.columns or {}).get(feature)
    return None if found is None else [(one.dataset.name, one.column, one.subtype) for one in found]


def view_over(body, *definitions, mode="SNOWFLAKE_SQL", more=()):
    """A view whose attribute is the column `total` of a transformation over the source."""
    batch = {"attributes": [{"column": "total"}], "timestampField": "event_date"}
    view = feature_view(batch=batch, root=transformed(source_node(), *more))
    return view_of(*(definitions or (snowflake_source(),)), entity(), transformation(3, body, mode), view)


def test_a_view_has_its_source_entity_features_windows_and_services():
    movement = view_of().movement
    assert (movement.job_namespace, movement.job_name) == ("tecton://acme.tecton.ai", f"prod.{VIEW}")
    assert [(one.name, one.kind) for one in movement.inputs] == [(BEHAVIOR, "TABLE")]
    (output,) = movement.outputs
    assert output.name == DatasetName("tecton://acme.tecton.ai", f"prod.{VIEW}")
    assert {field.name: (field.type, dict(field.properties)) for field in output.fields} == {
        "7_day_event_count": ("float64", {"aggregation": "sum", "window": "7 days"}),
        "30_day_purchase_amount": ("float64", {"aggregation": "sum", "window": "30 days"}),
        "days_since_last_purchase": ("int64", {"aggregation": "none", "window": "none"}),
    }
    assert dict(output.properties) == {"entity": "customer_id", "services": "churn_service"}
    assert output.owners == ("ml-platform",)


def test_features_are_made_from_the_columns_of_the_table_through_the_sql():
    seen = view_of()
    assert made_from(seen, "7_day_event_count") == [(BEHAVIOR.name, "EVENT_COUNT", "AGGREGATION")]
    direct = {one for one in made_from(seen, "days_since_last_purchase") if one[2] == "AGGREGATION"}
    assert direct == {(BEHAVIOR.name, "EVENT_DATE", "AGGREGATION")}
    (count,) = seen.movement.columns["7_day_event_count"]
    assert count.expression == "SUM(event_count)"
    assert made_from(seen, EVERY_COLUMN) == [(BEHAVIOR.name, "CUSTOMER_ID", "GROUP_BY")]


def test_a_count_has_none_of_the_values_that_it_counts():
    batch = {"aggregations": [aggregate("n", "event_count", "approx_count_distinct", 1)]}
    seen = view_of(snowflake_source(), entity(), transformation(), feature_view(batch=batch))
    (source,) = seen.movement.columns["n"]
    assert source.masking


@pytest.mark.parametrize(
    ("more", "window", "name"),
    [
        ({"timeWindow": {"windowDuration": "604800s"}}, "7 days", "x_sum_7d_1d"),
        ({"timeWindowLegacy": "3600s"}, "1 hour", "x_sum_1h_1d"),
        ({"lifetimeWindow": {}}, "lifetime", "x_sum_lifetime_1d"),
        (
            {"timeWindow": {"windowDuration": "604800s", "offset": "-86400s"}},
            "7 days offset -1 day",
            "x_sum_604800s offset -86400s_1d",
        ),
        (
            {"timeWindowSeries": {"windowDuration": "86400s"}},
            "series of 1 day",
            "x_sum_series of 86400s_1d",
        ),
    ],
)
def test_each_kind_of_window_is_read_and_names_a_feature_without_a_name(more, window, name):
    batch = {
        "aggregationInterval": "86400s",
        "aggregations": [{"name": "", "column": "x", "function": "sum"} | more],
    }
    (output,) = view_of(
        snowflake_source(), entity(), feature_view(batch=batch, root=source_node())
    ).movement.outputs
    (field,) = output.fields
    assert (field.name, dict(field.properties)["window"]) == (name, window)


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"redshiftDsConfig": {"endpoint": "c.abc.eu-west-1.redshift.amazonaws.com:5439/dev", "table": "gold.t"}}, ("redshift://c.eu-west-1:5439", "dev.gold.t")),
        ({"bigqueryDsConfig": {"projectId": "p", "dataset": "d", "table": "t"}}, ("bigquery", "p.d.t")),
        ({"hiveDsConfig": {"database": "gold", "table": "t"}}, ("tecton://acme.tecton.ai", "hive.gold.t")),
        ({"unityDsConfig": {"catalog": "c", "schema": "s", "table": "t"}}, ("tecton://acme.tecton.ai", "unity.c.s.t")),
        ({"fileDsConfig": {"uri": "s3://lake/gold/t/"}}, ("s3://lake", "gold/t")),
        ({"snowflakeDsConfig": {"url": "https://o-a.snowflakecomputing.com/", "database": "db", "schema": "s", "table": "t"}}, ("snowflake://o-a", "DB.S.T")),
        ({"snowflakeDsConfig": {"url": "https://o-a.snowflakecomputing.com", "database": "db", "schema": "s", "table": "x.y.t"}}, ("snowflake://o-a", "X.Y.T")),
        ({"kafkaDsConfig": {"kafkaBootstrapServers": "b1:9092,b2:9092", "topics": "events"}}, ("kafka://b1:9092", "events")),
        ({"kinesisDsConfig": {"region": "eu-west-1", "streamName": "events"}}, ("kinesis://eu-west-1", "events")),
        ({"pushConfig": {"logOffline": True}}, ("tecton://acme.tecton.ai", "prod.src")),
    ],
)  # fmt: skip
def test_a_source_of_each_kind_has_its_name(config, expected):
    source = {"virtualDataSource": {"virtualDataSourceId": an_id(1), "info": info("src")} | config}
    batch = {"attributes": [{"column": "x"}]}
    seen = view_of(source, entity(), feature_view(batch=batch, root=source_node()))
    assert [(one.name.namespace, one.name.name) for one in seen.movement.inputs] == [expected]
    assert made_from(seen, "x") == [(expected[1], "x", "IDENTITY")]


def test_features_of_a_stream_source_are_made_from_the_topic_and_its_history():
    source = snowflake_source()
    source["virtualDataSource"]["kafkaDsConfig"] = {"kafkaBootstrapServers": "b:9092", "topics": "events"}
    seen = view_over(
        "def f(s):\n    return f'select total_revenue as total from {s}'", source, mode="SPARK_SQL"
    )
    assert made_from(seen, "total") == [
        (BEHAVIOR.name, "total_revenue", "IDENTITY"),
        ("events", "total_revenue", "IDENTITY"),
    ]


def test_a_query_is_read_as_the_tables_in_it():
    query = "select o.customer_id, o.amount * 2 as total from gold.orders o join gold.customers c using (customer_id)"
    seen = view_over("def f(s):\n    return f'select * from {s}'", snowflake_source(table="", query=query))
    assert made_from(seen, "total") == [("ANALYTICS.GOLD.ORDERS", "AMOUNT", "TRANSFORMATION")]
    assert {one.name.name for one in seen.movement.inputs} == {
        "ANALYTICS.GOLD.ORDERS",
        "ANALYTICS.GOLD.CUSTOMERS",
    }


@pytest.mark.parametrize(
    "body",
    [
        "def f(s):\n    return f'select total_revenue as total from {s}'",
        "@transformation(mode='snowflake_sql')\ndef f(s):\n    'Say why.'\n    return f'''select total_revenue as total from {s}'''",
        "    def f(s, context):\n        return f\"select total_revenue as total from {s} where d > '{context.start_time}'\"",
    ],
)
def test_sql_of_a_function_is_read_without_running_it(body):
    seen = view_over(body, more=[{"materializationContextNode": {}}])
    assert made_from(seen, "total") == [(BEHAVIOR.name, "TOTAL_REVENUE", "IDENTITY")]
    assert seen.movement.problems == ()


@pytest.mark.parametrize(
    ("body", "mode", "reason"),
    [
        ("def f(s):\n    return s.withColumn('total', 1)", "PYSPARK", "is pyspark: what its columns are made from is not known"),
        ("def f(s):\n    return s", "PANDAS", "is pandas: what its columns are made from is not known"),
        ("def f(s):\n    t = 'x'\n    return f'select 1 as total from {s}'", "SPARK_SQL", "does not return plain SQL text"),
        ("def f(s):\n    return f'select {g()} as total from {s}'", "SPARK_SQL", "does not return plain SQL text"),
        ("import os; os.remove('/tmp/x')\ndef f(s: return", "SPARK_SQL", "does not return plain SQL text"),
        ("def f(s):\n    return f'selec total frm {s}'", "SPARK_SQL", "its SQL cannot be read"),
        ("def f(s):\n    return f'select 1 as other from {s}'", "SPARK_SQL", "its pipeline has no column total"),
    ],
)  # fmt: skip
def test_what_cannot_be_known_is_said_and_not_claimed(body, mode, reason):
    seen = view_over(body, mode=mode)
    assert made_from(seen, "total") is None
    assert [one.name.name for one in seen.movement.inputs] == [BEHAVIOR.name]
    (problem,) = seen.movement.problems
    assert problem.startswith(f"feature total of prod.{VIEW}: ")
    assert reason in problem


def test_one_sql_transformation_over_another_is_read_through():
    outer = "def g(a, factor):\n    return f'select total * {factor} as twice from {a}'"
    inner = "def f(s):\n    return f'select total_revenue as total from {s}'"
    root = transformed(transformed(source_node()), {"constantNode": {"intConst": "2"}}, number=6)
    seen = view_of(
        snowflake_source(),
        entity(),
        transformation(3, inner),
        transformation(6, outer, name="g"),
        feature_view(batch={"attributes": [{"column": "twice"}]}, root=root),
    )
    assert made_from(seen, "twice") == [(BEHAVIOR.name, "TOTAL_REVENUE", "TRANSFORMATION")]


def test_a_realtime_view_reads_views_and_says_that_python_is_not_known():
    root = transformed(
        {"featureViewNode": {"featureViewId": an_id(4)}}, {"requestDataSourceNode": {}}, number=6
    )
    realtime = {"attributes": [{"name": "ratio", "columnDtype": {"type": "DATA_TYPE_FLOAT64"}}]}
    seen = view_of(
        snowflake_source(),
        entity(),
        transformation(),
        feature_view(),
        transformation(6, "def r(v, request):\n    return v", "PYTHON", "r"),
        feature_view(7, "ratios", root=root, batch={}, realtimeArgs=realtime),
        name="ratios",
    )
    assert [(one.name.name, one.kind) for one in seen.movement.inputs] == [(f"prod.{VIEW}", "FEATURE VIEW")]
    assert "is python" in seen.movement.problems[0]


def test_features_that_are_not_listed_are_those_of_the_schema():
    schema = {"columns": [{"name": name} for name in ("customer_id", "event_date", "event_count")]}
    seen = view_of(
        snowflake_source(),
        entity(),
        feature_view(batch={"schema": schema, "timestampField": "event_date"}, root=source_node()),
    )
    assert [field.name for field in seen.movement.outputs[0].fields] == ["event_count"]


def test_a_view_without_features_says_so():
    seen = view_of(snowflake_source(), entity(), feature_view(batch={}, root=source_node()))
    assert seen.movement.problems == (f"feature view {VIEW}: its definition lists no features",)


@pytest.mark.parametrize(
    ("transition", "state", "said"),
    [
        ("CREATE", RunState.ABORT, "is defined and not applied to the workspace yet: run `tecton apply`"),
        ("UPDATE", RunState.COMPLETE, "was changed and the change is not applied"),
        ("DELETE", RunState.COMPLETE, "is in the workspace and no longer defined"),
        ("UNCHANGED", RunState.COMPLETE, ""),
    ],
)
def test_a_plan_says_what_the_workspace_lacks(transition, state, said):
    seen = view_of(changes=plan(difference(transition)))
    assert seen.state == state
    assert said in " ".join((seen.error, *seen.movement.problems))


def test_a_plan_of_other_objects_is_a_problem_of_the_whole():
    answer = tecton_answer(dump(), plan(difference("UPDATE", "customer", "ENTITY")), workspace="prod")
    _, problems = tecton_lineage(answer, HOST, NOW)
    assert problems == [
        "Tecton's entity customer was changed and the change is not applied to the workspace yet: see `tecton plan`"
    ]


def test_no_secret_of_the_definitions_is_in_a_saved_answer(tmp_path):
    source = snowflake_source(password={"scope": "s", "key": SECRET}, privateKey={"key": SECRET})
    (tmp_path / "dump.json").write_text("Importing...\n" + json.dumps(dump(source, entity(), feature_view())))
    extra = {"dump": str(tmp_path / "dump.json"), "workspace": "prod"}
    answer = fetch_answer(Connection("tecton", host=f"https://u:{SECRET}@acme.tecton.ai", extra=extra))
    written = answer_text(answer)
    assert SECRET not in written
    assert json.loads(written)["host"] == "https://acme.tecton.ai"
    seen, _ = tecton_lineage(answer.answer, answer.host, NOW)
    assert seen[0].movement.job_namespace == "tecton://acme.tecton.ai"
    assert SECRET not in repr(seen)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("[1, 2]", "the definitions are not the JSON of `tecton dump`"),
        ('{"request": {"fcoArgs": 3}}', "the definitions are not the JSON of `tecton dump`"),
        ("no json here", "is not JSON"),
        ('{"request": ' + "[" * 100_000, "is not JSON"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path, content, error):
    (tmp_path / "dump.json").write_text(content)
    extra = {"dump": str(tmp_path / "dump.json"), "workspace": "prod"}
    with pytest.raises(InputError, match=error):
        fetch_answer(Connection("tecton", host="acme.tecton.ai", extra=extra))


@pytest.mark.parametrize("answer", [None, [], {}, {"definitions": "x"}])
def test_an_answer_of_another_form_is_refused(answer):
    with pytest.raises(SystemReadError, match="has no definitions: fetch it again"):
        tecton_lineage(answer, HOST, NOW)


@pytest.mark.parametrize("nonsense", [None, 1, "x", [], {"root": 3}, {"root": {"transformationNode": 1}}])
def test_nonsense_in_a_definition_claims_nothing(nonsense):
    seen = view_of(snowflake_source(), entity(), feature_view(pipeline=nonsense, entities=nonsense))
    assert seen.movement.columns is None
    assert len(seen.movement.problems) == 3


def served(tmp_path, answer, seen=None):
    """Fetch the definitions, and from the feature server what it answers for the one feature service."""
    (tmp_path / "dump.json").write_text(json.dumps(dump()))
    extra = {"dump": str(tmp_path / "dump.json"), "workspace": "prod"}
    with http_server(lambda *_: answer, seen) as url:
        return fetch_answer(Connection("tecton", host=url, password=SECRET, extra=extra))


def test_the_feature_server_names_what_is_served_by_an_api_key(tmp_path):
    names = ("7_day_event_count", "60_day_orders")
    values = [{"name": f"{VIEW}.{name}", "dataType": {"type": "int64"}} for name in names]
    seen = []
    answer = served(tmp_path, (200, {"featureValues": values, "inputJoinKeys": []}), seen)
    assert [(path, key) for path, _, key in seen] == [
        ("/api/v1/feature-service/metadata", f"Tecton-key {SECRET}")
    ]
    (view, _), problems = tecton_lineage(answer.answer, HOST, NOW)
    assert [field.name for field in view.movement.outputs[0].fields][-1] == "60_day_orders"
    assert view.movement.problems == (
        f"feature 60_day_orders of prod.{VIEW}: the cluster serves it, and the repository does not define it",
    )
    assert problems == []
    assert SECRET not in answer_text(answer)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((403, {}), "feature service churn_service may not be read"),
        ((404, {}), "feature service churn_service is not in workspace prod"),
        ((200, {"featureValues": 1}), "feature service churn_service is not in workspace prod"),
        ((200, "nonsense"), "feature service churn_service may not be read"),
    ],
)
def test_a_service_that_may_not_be_read_makes_the_answer_incomplete(tmp_path, answer, reason):
    _, (problem,) = tecton_lineage(served(tmp_path, answer).answer, HOST, NOW)
    assert problem.startswith(f"Tecton: {reason}")
    assert problem.endswith("the answer is incomplete")


@pytest.mark.parametrize("answer", [(503, {}), (429, {}, {"Retry-After": "99"})])
def test_a_feature_server_that_is_busy_may_be_tried_again(tmp_path, answer):
    with pytest.raises(SystemReadError, match="Tecton ") as raised:
        served(tmp_path, answer)
    assert raised.value.unreachable
    assert SECRET not in str(raised.value)


def test_names_with_quotes_slashes_emoji_and_500_characters_survive():
    name = 'views/"äö" 🚀 ' + "x" * 500
    batch = {"attributes": [{"name": name, "column": 'a"b'}]}
    seen = view_of(
        snowflake_source(), entity(), feature_view(name=name, batch=batch, root=source_node()), name=name
    )
    assert seen.movement.outputs[0].name.name == f"prod.{name}"
    assert made_from(seen, name) == [(BEHAVIOR.name, 'a"b', "IDENTITY")]


def test_thousands_of_views_stay_small():
    views = [feature_view(1_000 + at, f"view_{at}", root=source_node()) for at in range(2_000)]
    answer = tecton_answer(dump(snowflake_source(), entity(), *views), workspace="prod")
    tracemalloc.start()
    seen, _ = tecton_lineage(answer, HOST, NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 2_001  # the listing too
    assert all(len(one.movement.outputs[0].fields) == 3 for one in seen[:-1])
    assert peak < 60 << 20
