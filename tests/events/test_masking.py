"""No secret in an event, and no name changed."""

import pytest

from airflow_lineage_provider.events.masking import mask_event, mask_literals, mask_text
from tests.support.samples import run_event


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://user:secret@host:5432/db", "postgres://user:***@host:5432/db"),
        (
            "could not connect to snowflake://me:p%40ss@org-acct?x=1",
            "could not connect to snowflake://me:***@org-acct?x=1",
        ),
        ("https://ghp_secret@github.com/org/repo", "https://***@github.com/org/repo"),
        ("md:db?motherduck_token=secret", "md:db?motherduck_token=***"),
        (
            "https://a.blob.core.windows.net/c?sv=1&sig=abc%2Bd&se=2",
            "https://a.blob.core.windows.net/c?sv=1&sig=***&se=2",
        ),
        ("s3://b/k?X-Amz-Signature=abc&X-Amz-Date=1", "s3://b/k?X-Amz-Signature=***&X-Amz-Date=1"),
        ("Driver=x;UID=me;PWD=secret;Host=h", "Driver=x;UID=me;PWD=***;Host=h"),
        ("Authorization: Bearer abcdef.ghi-jkl", "Authorization: Bearer ***"),
        ("key: -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- end", "key: *** end"),
        (
            "select a.token from a join b on a.token=b.token",
            "select a.token from a join b on a.token=b.token",
        ),
        ("http://host:8080/path/a@b", "http://host:8080/path/a@b"),
        ("git@github.com:org/repo.git", "git@github.com:org/repo.git"),
        ("postgres://host:5432", "postgres://host:5432"),
    ],
)
def test_credentials_in_text(text, masked):
    assert mask_text(text) == masked


def test_a_secret_that_is_part_of_a_name_leaves_the_name():
    """Airflow's own redaction breaks the lineage of a column that contains a registered secret."""
    event = run_event(inputs=["silver.orders"])
    event["inputs"][0]["facets"] = {
        "schema": {"fields": [{"name": "silver_id", "type": "VARCHAR", "description": "the silver key"}]},
        "columnLineage": {"fields": {"password": {"inputFields": [{"field": "silver_id"}]}}},
    }

    masked = mask_event(event, lambda text: text.replace("silver", "***"))

    facets = masked["inputs"][0]["facets"]
    assert masked["inputs"][0]["name"] == "silver.orders"
    assert facets["schema"]["fields"] == [
        {"name": "silver_id", "type": "VARCHAR", "description": "the *** key"}
    ]
    assert facets["columnLineage"] == event["inputs"][0]["facets"]["columnLineage"]


def test_values_beside_a_secret_name():
    event = run_event()
    variables = [
        {"name": "DB_PASSWORD", "value": "hunter2"},
        {"name": "apiKey", "value": "k"},
        {"name": "HOME", "value": "/h"},
    ]
    event["run"]["facets"]["environmentVariables"] = {"environmentVariables": variables}

    masked = mask_event(event)["run"]["facets"]["environmentVariables"]["environmentVariables"]

    assert [variable["value"] for variable in masked] == ["***", "***", "/h"]
    assert variables[0]["value"] == "hunter2"


def test_a_credential_in_a_namespace():
    event = run_event()
    event["outputs"] = [{"namespace": "duckdb://md:db?motherduck_token=secret", "name": "t"}]

    assert mask_event(event)["outputs"][0]["namespace"] == "duckdb://md:db?motherduck_token=***"


@pytest.mark.parametrize(
    ("sql", "dialect", "masked"),
    [
        (
            "select 'a', 1.5, b from t where c = 'it''s' -- x",
            "duckdb",
            "select ?, ?, b from t where c = ? -- x",
        ),
        ('select $$secret$$, "A" from t', "postgres", 'select ?, "A" from t'),
        ("select E'a\\'b' from t1", "postgres", "select ? from t1"),
        ("select 'unfinished", "duckdb", "***"),
    ],
)
def test_literals_of_sql(sql, dialect, masked):
    assert mask_literals(sql, dialect) == masked


def test_literals_are_masked_by_policy():
    event = run_event()
    event["job"]["facets"] = {"sql": {"query": "select 1 where ssn = '123-45'", "dialect": "duckdb"}}

    assert mask_event(event)["job"]["facets"]["sql"]["query"] == "select 1 where ssn = '123-45'"
    assert mask_event(event, literals=True)["job"]["facets"]["sql"]["query"] == "select ? where ssn = ?"
