"""Suites of Great Expectations, run by the operator in a real Airflow on DuckDB, Postgres and Snowflake."""

import json
import subprocess
import sys

import duckdb
import psycopg2
import pytest
from airflow_cases import run_cases

from tests.support.gx import gx_path
from tests.support.snowflake_server import fakesnow

CUSTOMERS = """
    create table silver.stg_customers as select * from (values
        ('C1', 'ADA@X.IO', cast(5 as decimal(10,2)), cast('2025-07-01' as timestamp)),
        ('C2', 'bob at home', cast(-3 as decimal(10,2)), cast('2025-07-02' as timestamp)),
        ('C3', cast(null as varchar(99)), cast(12.5 as decimal(10,2)), cast('1970-01-01' as timestamp))
    ) as t(customer_id, email, amount, created_at)
"""
BETWEEN = "expect_column_values_to_be_between"
REGEX = "expect_column_values_to_match_regex"
EXECUTE = """
import json, sys
import snowflake.connector
options, statements = json.loads(sys.argv[1])
with snowflake.connector.connect(**options) as connection, connection.cursor() as cursor:
    for statement in statements:
        cursor.execute(statement)
"""
PROFILE = """
shop:
  target: duckdb
  outputs:
    duckdb: {{type: duckdb, path: '{path}', schema: silver}}
    snowflake:
      {{type: snowflake, account: acme, user: fake, password: s3cret, database: analytics, schema: silver,
       host: localhost, port: '{{{{ env_var("FAKESNOW_PORT") | as_number }}}}', protocol: http}}
"""


def suite(*expectations, name="silver.stg_customers"):
    return json.dumps(
        {
            "name": name,
            "expectations": [
                {"type": kind, "kwargs": kwargs, "severity": severity}
                for kind, kwargs, severity in expectations
            ],
        }
    )


EMAIL = (REGEX, {"column": "email", "regex": "^[^@ ]+@[^@ ]+[.][A-Z]+$"}, "critical")
AMOUNT = (BETWEEN, {"column": "amount", "min_value": 0, "max_value": 100}, "warning")
DATE = (
    BETWEEN,
    {"column": "created_at", "min_value": "2000-01-01T00:00:00", "max_value": "2100-01-01T00:00:00"},
    "warning",
)
SUITES = {
    "outside": suite(AMOUNT, name="../../etc.stg_customers"),
    "failing": suite(EMAIL, AMOUNT, DATE),
    "warning": suite(AMOUNT, DATE),
    "unknown_column": suite((BETWEEN, {"column": "no_such", "min_value": 0}, "critical")),
    "unknown_table": suite(AMOUNT, name="silver.nowhere"),
    "unknown_kind": suite(("expect_the_unexpected", {"column": "email"}, "critical")),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("expectations") / "shop"
    folder.mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
    (folder / "profiles.yml").write_text(PROFILE.format(path=folder / "warehouse.duckdb"))
    for name, text in SUITES.items():
        (folder / f"{name}.json").write_text(text)
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        connection.execute("create schema silver")
        connection.execute(CUSTOMERS)
    return folder


@pytest.fixture(scope="module")
def snowflake_port(tmp_path_factory):
    """A server of Snowflake's protocol with the table of customers; gives its port."""
    with fakesnow(tmp_path_factory.mktemp("snowflake") / "log") as options:
        customers = CUSTOMERS.replace("table silver.", "table analytics.silver.")
        statements = ["create database analytics", "create schema analytics.silver", customers]
        # A process of its own: here `snowflake` is the module of the tests.
        subprocess.run([sys.executable, "-c", EXECUTE, json.dumps([options, statements])], check=True)
        yield options["port"]


@pytest.fixture(scope="module")
def outcomes(project, postgres, snowflake_port, tmp_path_factory):
    login = {key.removeprefix("PG").lower(): value for key, value in postgres.items()}
    with psycopg2.connect(dbname=login.pop("database"), **login) as connection, connection.cursor() as cursor:
        cursor.execute("drop schema if exists silver cascade; create schema silver")
        cursor.execute(CUSTOMERS)
    connection.close()
    pg = {
        "conn_type": "postgres",
        "host": postgres["PGHOST"],
        "port": int(postgres["PGPORT"]),
        "login": postgres["PGUSER"],
        "password": postgres["PGPASSWORD"],
        "schema": postgres["PGDATABASE"],
    }
    here = {"class": "great_expectations.GreatExpectationsOperator"}
    where = {"project_dir": str(project), "profiles_dir": str(project), "retries": 0}
    cases = {
        name: {**here, "operator": {"suites": f"{name}.json", **where}} for name in (*SUITES, "no_such_suite")
    }
    for name in ("failing", "warning", "unknown_table"):
        on_postgres = {"suites": f"{name}.json", "profile_conn_id": "pg", "project_dir": str(project)}
        cases[f"{name}_on_postgres"] = {
            **here,
            "operator": {**on_postgres, "retries": 0, "data_docs_url": "https://docs.example.com/gx/"},
        }
    for name in ("failing", "warning"):
        cases[f"{name}_on_snowflake"] = {
            **here,
            "operator": {"suites": f"{name}.json", "target": "snowflake", **where},
        }
    environ = {
        "AIRFLOW_CONN_PG": json.dumps(pg),
        "FAKESNOW_PORT": str(snowflake_port),
        "PYTHONPATH": str(gx_path()),
    }
    return run_cases(tmp_path_factory.mktemp("airflow"), cases, environ)


def assertions(outcome):
    (event,) = [e for e in outcome.events if e["eventType"] in {"COMPLETE", "FAIL"}]
    (table,) = event["inputs"]
    return {one["column"]: one for one in table["inputFacets"]["dataQualityAssertions"]["assertions"]}, event


@pytest.mark.parametrize("warehouse", ["", "_on_postgres", "_on_snowflake"])
def test_an_unmet_critical_expectation_fails_the_task_and_the_event_has_counts_by_column(outcomes, warehouse):
    outcome = outcomes[f"failing{warehouse}"]
    found, event = assertions(outcome)

    assert outcome.state == "failed"
    assert outcome.error == f"{REGEX} of silver.stg_customers.email: 1 of 3 rows do not meet it"
    assert event["eventType"] == "FAIL"
    assert (found["email"]["success"], found["email"]["severity"]) == (False, "error")
    assert (found["amount"]["success"], found["amount"]["severity"]) == (False, "warn")
    assert found["email"]["params"].items() >= {"element_count": 3, "unexpected_count": 1}.items()
    assert found["email"]["params"]["missing_count"] == 1
    assert [found[column]["actual"] for column in ("email", "amount", "created_at")] == ["1", "1", "1"]


@pytest.mark.parametrize("warehouse", ["", "_on_postgres", "_on_snowflake"])
def test_an_unmet_expectation_of_severity_warning_warns(outcomes, warehouse):
    outcome = outcomes[f"warning{warehouse}"]
    found, event = assertions(outcome)

    assert (outcome.state, event["eventType"]) == ("success", "COMPLETE")
    warned = f"{BETWEEN} of silver.stg_customers.amount: 1 of 3 rows do not meet it"
    assert warned in outcome.returned["warnings"]
    assert warned in outcome.log
    assert not found["amount"]["success"]


def test_the_table_is_the_dataset_that_dbt_names(outcomes, project, postgres):
    _, on_duckdb = assertions(outcomes["warning"])
    _, on_postgres = assertions(outcomes["warning_on_postgres"])

    assert [(one["namespace"], one["name"]) for one in on_duckdb["inputs"]] == [
        (f"duckdb://{project}/warehouse.duckdb", "warehouse.silver.stg_customers")
    ]
    assert [(one["namespace"], one["name"]) for one in on_postgres["inputs"]] == [
        (f"postgres://{postgres['PGHOST']}:{postgres['PGPORT']}", "analytics.silver.stg_customers")
    ]


def test_data_docs_are_kept_and_linked_and_neither_they_nor_the_events_have_values_of_rows(outcomes, project):
    pages = sorted((project / "target" / "data_docs" / "silver.stg_customers").glob("*.html"))
    _, event = assertions(outcomes["failing_on_postgres"])
    linked = event["job"]["facets"]["documentation"]["description"]

    assert len(pages) >= 4
    assert "https://docs.example.com/gx/silver.stg_customers/" in linked
    assert linked.rpartition("/")[2].removesuffix(")") in {page.name for page in pages}
    assert all("expect" in page.read_text() or "Expectation" in page.read_text() for page in pages)
    everything = json.dumps([o.events for o in map(outcomes.get, outcomes)]) + "".join(
        page.read_text() for page in pages
    )
    assert "bob at home" not in everything
    assert "1970-01-01" not in everything


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("unknown_column", "silver.stg_customers.no_such: was not evaluated"),
        ("unknown_table", "silver.nowhere cannot be read in DuckDB"),
        ("unknown_table_on_postgres", "silver.nowhere cannot be read in postgres"),
        ("unknown_kind", "unknown_kind.json is not accepted"),
        ("outside", "is named '../../etc.stg_customers': name it by its table, as in silver.orders"),
        ("no_such_suite", "no_such_suite.json cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_checked_fails_the_task_with_one_line(outcomes, postgres, case, message):
    assert outcomes[case].state == "failed"
    assert message in outcomes[case].error
    assert postgres["PGPASSWORD"] not in outcomes[case].log
