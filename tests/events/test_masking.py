"""No secret in an event, and no name changed. `S3CR3T-hunter2` stands for the secret in each form."""

import pytest

from airflow_lineage_provider.events.masking import (
    mask_event,
    mask_event_literals,
    mask_literals,
    mask_text,
    redact_values,
    secret_values,
)
from tests.support.samples import run_event

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"

# Each with the secret `hunter2`, in whole or in part.
SECRETS = [
    # SQL
    "SET password = 'hunter2'",
    "set session s3_secret_access_key='hunter2';",
    "SET s3_secret_access_key TO 'hunter2'",
    "CREATE SECRET s (TYPE s3, KEY_ID 'id', SECRET 'hunter2', REGION 'eu')",
    "create secret (type gcs, key_id 'id', secret 'hunter2')",
    "CREATE SECRET h (TYPE http, BEARER_TOKEN 'hunter2')",
    "CREATE USER me IDENTIFIED BY 'hunter2'",
    "ALTER USER me IDENTIFIED BY PASSWORD 'hunter2'",
    "CREATE ROLE me LOGIN PASSWORD 'hunter2'",
    "ALTER ROLE me WITH ENCRYPTED PASSWORD 'hunter2'",
    "select * from postgres_scan('host=h port=5432 user=me password=hunter2 dbname=d', 'public', 't')",
    "ATTACH 'dbname=d password=hunter2' AS pg (TYPE postgres)",
    "COPY t FROM 's3://b' CREDENTIALS 'aws_access_key_id=AK;aws_secret_access_key=hunter2'",
    "copy into t from @s credentials=(AWS_KEY_ID='k' AWS_SECRET_KEY='hunter2')",
    "create stage s url='azure://x' credentials=(azure_sas_token='?sv=1&sig=hunter2')",
    "select 1 -- password: hunter2",
    "/* token=hunter2 */ select 1",
    "select 1 -- the api_key = hunter2",
    "select 'it''s', \"password\" from t; set password = 'hun''hunter2'",
    "OPTIONS (user 'me', password 'hunter2')",
    "CREATE SERVER s OPTIONS (secret_key => 'hunter2')",
    # text, JSON, YAML, Python
    '{"user": "me", "password": "hunter2"}',
    '{"client_secret":"hunter2","x":1}',
    '{\\"password\\": \\"hunter2\\"}',
    "{'apiKey': 'hunter2'}",
    "connect(host='h', password='hunter2')",
    'Client(token="hunter2")',
    "password: hunter2",
    "user: me\n  password: hunter2\nport: 5",
    "export AWS_SECRET_ACCESS_KEY=hunter2",
    "PGPASSWORD=hunter2 psql -h h",
    "run --password hunter2 --verbose",
    "run --password=hunter2",
    "run --api-key hunter2",
    "Driver=x;UID=me;PWD=hunter2;Host=h",
    "Server=h;Password=hunter2;",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2==;",
    "[s3]\nsecret_access_key = hunter2\nregion = eu",
    "host=h user=me password=hunter2",
    # headers and tokens
    "Authorization: Bearer hunter2hunter2",
    "Authorization: Basic hunter2hunter2==",
    "Authorization: Token hunter2hunter2",
    "X-Api-Key: hunter2",
    f"got {JWT}",
    "using ghp_hunter2hunter2hunter2hunter2",
    "github_pat_11hunter2hunter2hunter2",
    "glpat-hunter2hunter2hunter2",
    "xoxb-12345678-hunter2hunter2",
    "sk_live_hunter2hunter2hunter2",
    "AIzahunter2hunter2hunter2hunter2hunter2",
    "hvs.hunter2hunter2hunter2hunter2",
    "hf_hunter2hunter2hunter2",
    "key -----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY----- end",
    "-----BEGIN PRIVATE KEY-----\nhunter2 cut",
    # URLs
    "postgres://user:hunter2@host:5432/db",
    "postgres://user:p@ss/hunter2@host/db",
    "postgres://user:hun ter hunter2@host/db",
    "mysql://user:it's\"hunter2@host/db",
    "snowflake://me:p%40hunter2@org-acct?x=1",
    "https://hunter2@github.com/org/repo",
    "md:db?motherduck_token=hunter2",
    "https://a.blob.core.windows.net/c?sv=1&sig=hunter2&se=2",
    "s3://b/k?X-Amz-Signature=hunter2&X-Amz-Date=1",
    "https://hooks.slack.com/services/T000/B000/hunter2",
    "https://discord.com/api/webhooks/123/hunter2",
    "https://acme.webhook.office.com/webhookb2/hunter2@x/IncomingWebhook/y/z",
    "https://api.telegram.org/bot123:hunter2/sendMessage",
]

# None of these is changed.
NOT_SECRETS = [
    "select password_reset_count, secret_santa, token_count from t",
    "select a.token from a join b on a.token=b.token",
    "select a.token from a join b on a.token = b.token and a.password = b.password",
    "select count(*) as password_reset_count from resets where password_reset_count > 3",
    "password_reset_count = 5",
    "secret_santa: hunter2",
    "max_tokens=4096",
    "tokens: 512",
    "primary_key='order_id', sort_key='day'",
    "partition_key: order_date",
    "config(unique_key='order_id')",
    "where secretary = 'Ann'",
    "select md5(password) as password_hash from users",
    "password = ?",
    "password=%(password)s",
    "password = :password",
    "password: {{ env_var('DB_PASSWORD') }}",
    "password: str",
    "token = None",
    "select token, 'abc' as kind from t",
    "kind in ('password', 'token')",
    "Parser Error: syntax error at or near token: select",
    "unexpected Token identifier",
    "http://host:8080/path/a@b",
    "git@github.com:org/repo.git",
    "postgres://host:5432",
    "snowflake://org-account",
    "s3://bucket/key.parquet",
    "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "mail ann@example.com: the design is done",
    "monkey: banana2",
    "the basic needs of a bearer",
    "SELECT design, assign FROM t WHERE k_test = 'a'",
    "create table api_keys (key_id int, key_hash text)",
    "task-123 risk-0123456789012345678901234567",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_masked(text):
    masked = mask_text(text)
    assert "hunter2" not in masked
    assert JWT not in masked
    assert "***" in masked


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_in_a_long_text_is_masked(text):
    filler = "select column_1, column_2\nfrom bronze.orders\n" * 20
    masked = mask_text(f"{filler}\n{text}\n{filler}")
    assert "hunter2" not in masked
    assert masked.count("bronze.orders") == (20 if "cut" in text else 40)  # up to where a key would end


@pytest.mark.parametrize("text", NOT_SECRETS)
def test_what_is_no_secret_stays(text):
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://user:secret@host:5432/db", "postgres://user:***@host:5432/db"),
        ("https://ghp_secret@github.com/org/repo", "https://***@github.com/org/repo"),
        ("md:db?motherduck_token=secret", "md:db?motherduck_token=***"),
        ("a?sv=1&sig=abc%2Bd&se=2", "a?sv=1&sig=***&se=2"),
        ("Driver=x;UID=me;PWD=secret;Host=h", "Driver=x;UID=me;PWD=***;Host=h"),
        ("SET password = 'x'; select 1", "SET password = '***'; select 1"),
        ("key: -----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY----- end", "key: *** end"),
    ],
)
def test_what_is_around_a_secret_stays(text, masked):
    assert mask_text(text) == masked


HOSTILE = ("#", "-", "--", "\\", "token ", "token=", "://a:", "a.", "'", "password '", "/*", "\n-", "@")


@pytest.mark.parametrize("part", HOSTILE)
def test_the_time_is_linear(part):
    """A quadratic pattern would take hours."""
    assert "hunter2" not in mask_text(part * 200_000 + "\npassword: hunter2")


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


@pytest.mark.parametrize(
    ("facet", "masked"),
    [
        ({"password": "hunter2"}, {"password": "***"}),
        ({"a": {"clientSecret": "hunter2", "port": 1}}, {"a": {"clientSecret": "***", "port": 1}}),
        ({"token": 12345}, {"token": "***"}),
        ({"tokens": ["a"], "token": ["hunter2"]}, {"tokens": ["a"], "token": "***"}),
        ({"password": "", "secret": None, "token": True}, {"password": "", "secret": None, "token": True}),
        ({"password_reset_count": 5}, {"password_reset_count": 5}),
        ({"password": {"inputFields": []}}, {"password": {"inputFields": []}}),
    ],
)  # fmt: skip
def test_values_under_a_secret_key(facet, masked):
    event = run_event()
    event["run"]["facets"]["x"] = facet
    assert mask_event(event)["run"]["facets"]["x"] == masked


def test_a_credential_in_a_namespace():
    event = run_event()
    event["outputs"] = [{"namespace": "duckdb://md:db?motherduck_token=secret", "name": "t"}]

    assert mask_event(event)["outputs"][0]["namespace"] == "duckdb://md:db?motherduck_token=***"


def test_values_that_are_known_by_name_are_masked_wherever_they_stand():
    """As those of dbt's var() and env_var(), which stand in compiled SQL like any other literal."""
    named = {"API_TOKEN": "hunter2", "HOME": "/root", "PWD": "/opt/dags", "X_PASSWORD": "abc", "COUNT": 5}
    secrets = secret_values(named)
    assert secrets == {"hunter2"}
    assert redact_values(secrets)("select 'hunter2' as x") == "select '***' as x"
    assert redact_values(set()) is None


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


def test_literals_are_masked_in_the_statement_and_in_its_error():
    event = run_event()
    event["job"]["facets"] = {"sql": {"query": "select 1 where ssn = '123-45'", "dialect": "duckdb"}}
    message = "Error: cannot cast string '123-45' to INT32\nLINE 1: where ssn = '123-45' (123-45)"
    event["run"]["facets"]["errorMessage"] = {"message": message, "programmingLanguage": "SQL"}

    masked = mask_event_literals(event)

    assert masked["job"]["facets"]["sql"]["query"] == "select ? where ssn = ?"
    error = masked["run"]["facets"]["errorMessage"]
    assert error["message"] == "Error: cannot cast string ? to INT32\nLINE 1: where ssn = ? (?)"
    assert error["programmingLanguage"] == "SQL"
    assert "123-45" in event["job"]["facets"]["sql"]["query"]
