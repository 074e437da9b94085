"""The movers' operators in a real Airflow: what their tasks do, say, return and commit."""

import json
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "dbt"), str(TESTS / "operators")]

from airflow.sdk import DAG  # noqa: E402
from airflow_cases import run_cases  # noqa: E402
from dbt_projects import write_project  # noqa: E402

from airflow_lineage_provider.errors import InputError  # noqa: E402
from airflow_lineage_provider.operators.ingest import (  # noqa: E402
    LakeToBronzeOperator,
    PostgresToBronzeOperator,
)
from tests.support.postgres_server import create_database, execute  # noqa: E402

from .streams import Stream, event  # noqa: E402

POSTGRES = {"class": "ingest.PostgresToBronzeOperator"}
TOPIC = {"class": "ingest.KafkaToLakeOperator"}
LAKE = {"class": "ingest.LakeToBronzeOperator"}
AGE = {"class": "data_age.DataAgeCheckOperator"}
DATABASE = "operators_crm"
MAP = """
document: {title: Shop}
sources:
  crm:
    type: postgres
    extraction: {sla: < 1 day fresh}
    datasets: {public.orders: bronze.raw_orders}
layers: {bronze: {retention: RETENTION, tables: [raw_orders, not_there]}}
"""
ORDERS = {"public.orders": "bronze.raw_orders"}
PASSWORD = "not-the-password"


def create_tables(postgres):
    create_database(postgres, DATABASE)
    execute(
        postgres | {"PGDATABASE": DATABASE},
        "create table orders (id bigint primary key, amount numeric(10, 2), at timestamp)",
        "insert into orders select n, n, now() from generate_series(1, 30) n",
        "create table keyless (id bigint)",
        "create table other (id bigint primary key)",
    )


def connections(postgres, servers, bucket):
    crm = {
        "conn_type": "postgres",
        "host": postgres["PGHOST"],
        "port": int(postgres["PGPORT"]),
        "login": postgres["PGUSER"],
        "password": postgres["PGPASSWORD"],
        "schema": DATABASE,
    }
    return {
        "crm": crm,
        "away": crm | {"port": 1},
        "no_database": crm | {"schema": ""},
        "wrong_password": crm | {"password": PASSWORD},
        "kafka": {"conn_type": "kafka", "extra": {"bootstrap.servers": servers.brokers}},
        "kafka_empty": {"conn_type": "kafka", "extra": {}},
        "registry": {"conn_type": "schema_registry", "host": servers.registry},
        "registry_away": {
            "conn_type": "schema_registry",
            "host": "http://127.0.0.1",
            "port": 1,
            "login": "registry",
            "password": "very-secret",
        },
        "s3": {
            "conn_type": "aws",
            "login": bucket.access_key,
            "password": bucket.secret_key,
            "extra": {"region_name": bucket.region, "endpoint_url": bucket.endpoint_url},
        },
        "s3_away": {
            "conn_type": "aws",
            "login": "key",
            "password": PASSWORD,
            "extra": {"region_name": "us-east-1", "endpoint_url": "http://127.0.0.1:1"},
        },
    }


def postgres_cases(base, here):
    crm = {"source_conn_id": "crm", "tables": ORDERS, **here}
    lake = {"source_conn_id": "crm", "tables": {"public.orders": "raw_orders"}}
    return {
        "rows": {
            "params": {"schema": "bronze"},
            "operator": crm
            | {"tables": {"public.orders": "{{ params.schema }}.raw_orders"}, "watermark": "at"},
        },
        "rows_again": {"operator": crm | {"watermark": "at"}},
        "files": {"operator": lake | {"lake": str(base / "files"), "watermark": "at"}},
        "bucket": {"operator": lake | {"lake": "s3://lake/{{ dag.dag_id }}", "s3_conn_id": "s3"}},
        "no_connection": {"operator": crm | {"source_conn_id": "nowhere"}},
        "wrong_type": {"operator": crm | {"source_conn_id": "s3"}},
        "no_database": {"operator": crm | {"source_conn_id": "no_database"}},
        "away": {"operator": crm | {"source_conn_id": "away"}},
        "wrong_password": {"operator": crm | {"source_conn_id": "wrong_password"}},
        "no_table": {"operator": crm | {"tables": ORDERS | {"public.nothing": "bronze.nothing"}}},
        "no_key": {"operator": crm | {"tables": {"public.keyless": "bronze.keyless"}}},
        "odd_name": {"operator": crm | {"tables": {"public.other": "bronze.raw;x"}}},
        "no_profile": {"operator": crm | {"target": "production"}},
        "bucket_away": {"operator": lake | {"lake": "s3://lake/away", "s3_conn_id": "s3_away"}},
        "bucket_wrong_type": {"operator": lake | {"lake": "s3://lake/x", "s3_conn_id": "kafka"}},
        "odd_lake": {"operator": lake | {"lake": "ftp://lake/away"}},
        "odd_deletes": {"operator": crm | {"deletes": "sometimes"}},
    }


def topic_cases(stream, here):
    landing = {
        "topic": stream.name,
        "lake": str(stream.folder),
        "kafka_conn_id": "kafka",
        "registry_conn_id": "registry",
    }
    load = {"topic": stream.name, "lake": str(stream.folder), "table": "bronze.raw_events", **here}
    return {
        "topic_registry_away": TOPIC | {"operator": landing | {"registry_conn_id": "registry_away"}},
        "topic_kafka_empty": TOPIC | {"operator": landing | {"kafka_conn_id": "kafka_empty"}},
        "topic_nowhere": TOPIC | {"operator": landing | {"topic": "nowhere"}},
        "topic": TOPIC | {"operator": landing},
        "topic_again": TOPIC | {"operator": landing},
        "load": LAKE | {"params": {"t": "raw_events"}, "operator": load | {"table": "bronze.{{ params.t }}"}},
        "load_again": LAKE | {"operator": load},
        "load_bucket_away": LAKE | {"operator": load | {"lake": "s3://lake/away", "s3_conn_id": "s3_away"}},
    }


def age_cases(base, here):
    for name, retention in (("kept", "90 days"), ("exceeded", "1 second"), ("none", '""')):
        (base / f"{name}.yaml").write_text(MAP.replace("RETENTION", retention))
    check = here | {"grace": "0 seconds"}
    return {
        "age": AGE | {"operator": check | {"map_path": str(base / "kept.yaml")}},
        "age_exceeded": AGE | {"operator": check | {"map_path": str(base / "exceeded.yaml")}},
        "age_no_job": AGE
        | {"operator": check | {"map_path": str(base / "kept.yaml"), "retention_job": "shop.delete_old"}},
        "age_no_retention": AGE | {"operator": check | {"map_path": str(base / "none.yaml")}},
        "age_odd_column": AGE
        | {"operator": check | {"map_path": str(base / "kept.yaml"), "column": "a; drop table x"}},
    }


@pytest.fixture(scope="module")
def cases(tmp_path_factory, postgres, servers, bucket, event_stream):
    """The outcome of every case, by one Airflow."""
    create_tables(postgres)
    base = tmp_path_factory.mktemp("movers")
    project = str(write_project(base / "shop", {"models/gold/one.sql": "select 1 as id"}))
    here = {"project_dir": project, "profiles_dir": project}
    stream = Stream(event_stream, servers, base / "lake")
    stream.produce([event(0), event(3)])
    stream.produce_bytes(b"not Avro")
    given = {name: POSTGRES | case for name, case in postgres_cases(base, here).items()}
    return run_cases(
        base / "airflow",
        given | topic_cases(stream, here) | age_cases(base, here),
        {
            f"AIRFLOW_CONN_{name.upper()}": json.dumps(conn)
            for name, conn in connections(postgres, servers, bucket).items()
        },
    )


def end(ran):
    """Return the one event that is no START."""
    (found,) = [event for event in ran.events if event["eventType"] != "START"]
    return found


def edges(ran):
    """Return the sources of each column of the one output."""
    (output,) = end(ran)["outputs"]
    fields = output["facets"]["columnLineage"]["fields"]
    return {name: [source["field"] for source in made["inputFields"]] for name, made in fields.items()}


def test_tables_are_templated_and_the_summary_is_returned(cases):
    ran = cases["rows"]
    assert (ran.state, ran.tries) == ("success", 1)
    assert ran.returned == {
        "moved": {"bronze.raw_orders": {"rows": 30, "deleted": 0}},
        "events": 2,
        "events_lost": 0,
    }
    assert cases["rows_again"].returned["moved"] == {"bronze.raw_orders": {"rows": 30, "deleted": 0}}


@pytest.mark.parametrize("target", [{}, {"lake": "/lake", "project_dir": "/shop"}])
def test_a_move_has_one_target(target):
    with pytest.raises(InputError, match="name the target: a lake, or the project_dir"):
        PostgresToBronzeOperator(task_id="crm", source_conn_id="crm", tables=ORDERS, **target)


def test_arguments_of_the_warehouse_may_be_the_dags_defaults():
    with DAG("movers", schedule=None, default_args={"project_dir": "/shop", "target": "dev"}):
        moved = PostgresToBronzeOperator(task_id="crm", source_conn_id="crm", tables=ORDERS)
        loaded = LakeToBronzeOperator(task_id="events", topic="t", lake="/lake", table="bronze.raw_events")
    assert (moved.project_dir, moved.target) == (loaded.project_dir, loaded.target) == ("/shop", "dev")


def test_a_move_is_a_job_with_its_columns_and_rows(cases):
    start, complete = cases["rows"].events
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert (complete["job"]["namespace"], complete["job"]["name"]) == ("ingest", "bronze.raw_orders")
    (source,), (target,) = complete["inputs"], complete["outputs"]
    assert source["name"] == f"{DATABASE}.public.orders"
    assert target["name"].endswith("bronze.raw_orders")
    assert edges(cases["rows"]) == {
        "id": ["id"], "amount": ["amount"], "at": ["at"], "_op": [], "_loaded_at": [],
    }  # fmt: skip
    assert target["outputFacets"]["outputStatistics"]["rowCount"] == 30


@pytest.mark.parametrize(("case", "namespace"), [("files", "file"), ("bucket", "s3://lake")])
def test_files_are_a_dataset_with_columns_too(cases, case, namespace):
    ran = cases[case]
    assert ran.state == "success"
    assert ran.returned["moved"] == {"raw_orders": {"rows": 30, "deleted": 0}}
    (target,) = end(ran)["outputs"]
    assert (target["namespace"], target["name"].rpartition("/")[2]) == (namespace, "raw_orders")
    assert edges(ran)["amount"] == ["amount"]
    assert edges(ran)["_load"] == []


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("no_connection", "The conn_id `nowhere` isn't defined"),
        ("wrong_type", "connection 's3' is not of type postgres, or names no database"),
        ("no_database", "connection 'no_database' is not of type postgres, or names no database"),
        ("wrong_password", "connection 'wrong_password' (Postgres "),
        ("wrong_password", "refuses the login"),
        ("no_table", "has no table 'public.nothing', or its user may not see it"),
        ("no_key", "public.keyless has no primary key"),
        ("odd_name", "the table 'bronze.raw;x' is not named as schema.table"),
        ("no_profile", "production"),
        ("bucket_wrong_type", "connection 'kafka' is of type 'kafka'; a bucket needs one of type aws"),
        ("odd_lake", "neither a folder nor s3://BUCKET/FOLDER"),
        ("odd_deletes", "deletes must be compare, slot or none"),
        ("topic_kafka_empty", "connection 'kafka_empty' has no 'bootstrap.servers' in its extra"),
        ("topic_nowhere", "have no topic 'nowhere'"),
    ],
)
def test_what_the_same_input_fails_on_again_fails_without_a_retry(cases, case, said):
    assert cases[case].state == "failed"
    assert said in cases[case].error
    assert PASSWORD not in cases[case].log


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("away", "connection 'away' (Postgres 127.0.0.1:1/operators_crm) cannot be reached"),
        ("bucket_away", "s3://lake/away/raw_orders (connection 's3_away'): "),
        ("topic_registry_away", "connection 'registry_away'"),
        ("load_bucket_away", "s3://lake/away (connection 's3_away'): "),
    ],
)
def test_a_system_that_does_not_answer_is_one_line_that_names_the_connection(cases, case, said):
    ran = cases[case]
    assert ran.state == "failed"
    assert "AirflowException" in ran.log  # which Airflow tries again where the task has retries
    assert "AirflowFailException" not in ran.log
    assert said in ran.error
    assert PASSWORD not in ran.log
    assert "very-secret" not in ran.log


@pytest.mark.parametrize("case", ["no_connection", "no_database", "away", "wrong_password", "odd_lake"])
def test_a_move_that_did_not_begin_claims_no_lineage(cases, case):
    assert cases[case].events == []


@pytest.mark.parametrize("case", ["no_key", "bucket_away", "topic_registry_away", "load_bucket_away"])
def test_a_move_that_failed_claims_no_columns(cases, case):
    failed = end(cases[case])
    assert failed["eventType"] == "FAIL"
    assert all("columnLineage" not in output.get("facets", {}) for output in failed["outputs"])


def test_tables_before_the_one_that_failed_keep_their_lineage(cases):
    states = {event["job"]["name"]: event["eventType"] for event in cases["no_table"].events}
    assert states == {"bronze.raw_orders": "COMPLETE", "bronze.nothing": "FAIL"}


def test_a_topic_s_records_are_moved_with_their_columns(cases):
    ran = cases["topic"]
    (counted,) = ran.returned["moved"].values()
    assert counted == {"rows": 2, "dead_letters": 1, "tombstones": 0, "expired": 0}
    assert "1 records cannot be decoded: see " in ran.log
    assert edges(ran)["page_url"] == ["page_url"]
    assert edges(ran)["kafka_offset"] == []
    (again,) = cases["topic_again"].returned["moved"].values()
    assert again["rows"] == 0
    assert edges(cases["topic_again"])["page_url"] == ["page_url"]


def test_landed_files_are_loaded_with_their_columns(cases):
    ran = cases["load"]
    assert ran.returned["moved"] == {"bronze.raw_events": {"rows": 2, "redelivered": 0}}
    assert edges(ran)["page_url"] == ["page_url"]
    assert cases["load_again"].returned["moved"] == {"bronze.raw_events": {"rows": 0, "redelivered": 0}}


def test_the_age_of_rows_is_held_to_the_documented_retention(cases):
    ran = cases["age"]
    assert ran.state == "success"
    assert ran.returned["findings"] == []
    assert set(ran.returned["oldest"]) == set(ran.returned["newest"]) == {"bronze.raw_orders"}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("age_exceeded", "retention-exceeded: the oldest row of bronze.raw_orders is 0.0 days old"),
        (
            "age_no_job",
            "shop.delete_old, which keeps the retention of bronze, has never been seen to complete",
        ),
        ("age_no_retention", "documents no retention of a layer 'bronze'"),
        ("age_odd_column", "is not named as schema.table"),
    ],
)
def test_what_is_too_old_or_cannot_be_checked_fails_without_a_retry(cases, case, said):
    assert cases[case].state == "failed"
    assert said in cases[case].error
    assert "AirflowFailException" in cases[case].log
