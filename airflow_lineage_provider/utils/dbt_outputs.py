"""The output of a dbt profile for each type of Airflow connection.

A declaration has dbt's adapter, its fields and its secret fields. Each field names the places of its value in
the connection: `host`, `port`, `login`, `password`, `schema`, `extra.NAME`. The first that holds a value
counts; `=VALUE` is the default. What depends on how a connection signs in is the declaration's variant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.naming import snowflake_account

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airflow.sdk import Connection

Output = tuple[dict[str, Any], dict[str, Any]]
"""The fields of a dbt profile output: the plain ones, and the secret ones; both may be nested."""

_WORDS = {"true": True, "false": False}
_ODBC_DRIVER = "ODBC Driver 18 for SQL Server"
_AZURE_LOGIN = ("azure_tenant_id", "use_azure_managed_identity", "use_default_azure_credential")


@dataclass(frozen=True, slots=True)
class Declaration:
    """How a connection of one type becomes the output of one adapter."""

    adapter: str
    fields: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    variant: Callable[[Connection], Output | None] = lambda _: None
    """Returns fields and secrets beside `fields` and in place of `secrets`; None for none."""

    def output(self, conn: Connection) -> Output:
        """Return the output of a connection. Raises ValueError or TypeError for an extra of another form."""
        more, secrets = self.variant(conn) or ({}, None)
        found = {name: _value(conn, places) for name, places in self.fields.items()} | more
        if secrets is None:
            secrets = {name: _value(conn, places) for name, places in self.secrets.items()}
        plain = {name: value for name, value in found.items() if value is not None}
        return plain, {name: value for name, value in secrets.items() if value is not None}


def _value(conn: Connection, places: str) -> Any:
    """Return the first value that the connection has at these places."""
    for place in places.split():
        where, _, name = place.partition(".")
        if place.startswith("="):
            return int(place[1:]) if place[1:].isdecimal() else place[1:]
        found = conn.extra_dejson.get(name) if where == "extra" else getattr(conn, where)
        if found is not None and found != "":
            return _WORDS.get(str(found).lower(), found) if where == "extra" else found
    return None


def _is_set(conn: Connection, *names: str) -> bool:
    return any(str(conn.extra_dejson.get(name) or "false").lower() != "false" for name in names)


def _snowflake(conn: Connection) -> Output | None:
    extra = conn.extra_dejson
    account = snowflake_account(str(extra.get("account") or conn.host or ""), private_link=True)
    if (region := extra.get("region")) and "." not in account:
        account = f"{account}.{region}"
    phrase = {"private_key_passphrase": conn.password} if conn.password else {}
    if key := extra.get("private_key_content"):
        return {"account": account}, {"private_key": key, **phrase}
    if path := extra.get("private_key_file"):
        return {"account": account, "private_key_path": path}, phrase
    return {"account": account}, {"password": conn.password or ""}


def _duckdb(conn: Connection) -> Output | None:
    path = conn.host or ":memory:"
    if conn.password:
        return {"path": path}, {"motherduck_token": conn.password}
    # The path of a MotherDuck database can hold a token, as in md:analytics?motherduck_token=...
    return ({}, {"path": path}) if "?" in path else ({"path": path}, {})


def _bigquery(conn: Connection) -> Output | None:
    extra = conn.extra_dejson
    if key_path := extra.get("key_path"):
        return {"method": "service-account", "keyfile": key_path}, {}
    if given := extra.get("keyfile_dict"):
        key = json.loads(given) if isinstance(given, str) else dict(given)
        secret = {"keyfile_json": {"private_key": key.pop("private_key", "")}}
        return {"method": "service-account-json", "keyfile_json": key}, secret
    return {"method": "oauth"}, {}


def _databricks(conn: Connection) -> Output | None:
    """Return the host without its scheme, and a service principal in place of a token."""
    host = {"host": (conn.host or "").removeprefix("https://").rstrip("/")}
    if _is_set(conn, "service_principal_oauth"):
        return {**host, "auth_type": "oauth", "client_id": conn.login}, {"client_secret": conn.password}
    if _is_set(conn, *_AZURE_LOGIN):
        azure = {**host, "auth_type": "oauth", "azure_client_id": conn.login}
        return azure, {"azure_client_secret": conn.password}
    return host, {"token": _value(conn, "extra.token password")}


def _redshift(conn: Connection) -> Output | None:
    """Return the fields of a login by IAM, for which there is no password."""
    if not _is_set(conn, "iam"):
        return None
    places = {
        "cluster_id": "extra.cluster_identifier",
        "region": "extra.region",
        "iam_profile": "extra.profile",
        "user": "extra.db_user login",
        "is_serverless": "extra.is_serverless",
        "serverless_work_group": "extra.serverless_work_group",
        "serverless_acct_id": "extra.serverless_acct_id",
    }
    return {"method": "iam", **{name: _value(conn, place) for name, place in places.items()}}, {}


def _trino(conn: Connection) -> Output | None:
    """Return the fields of each way to sign in; without one, the scheme of the connection counts."""
    way = conn.extra_dejson.get("auth")
    if way == "jwt":
        return {"method": "jwt"}, {"jwt_token": _value(conn, "extra.jwt__token")}
    if way == "certs":
        files = {"client_certificate": "cert", "client_private_key": "key"}
        found = {name: _value(conn, f"extra.certs__client_{file}_path") for name, file in files.items()}
        return {"method": "certificate", **found}, {}
    if way == "kerberos":
        names = {"principal": "principal", "service_name": "service_name", "krb5_config": "config"}
        found = {name: _value(conn, f"extra.kerberos__{place}") for name, place in names.items()}
        return {"method": "kerberos", **found}, {}
    if conn.password:
        return {"method": "ldap"}, {"password": conn.password}
    return {"method": "none", "http_scheme": _value(conn, "extra.protocol =http")}, {}


def _sqlserver(conn: Connection) -> Output | None:
    """Return a user and password, or a service principal where the connection names its tenant."""
    driver = {"driver": conn.extra_dejson.get("driver") or _ODBC_DRIVER}
    if not (tenant := conn.extra_dejson.get("tenant_id")):
        return {**driver, "user": conn.login}, {"password": conn.password or ""}
    principal = {"authentication": "ServicePrincipal", "tenant_id": tenant, "client_id": conn.login}
    return driver | principal, {"client_secret": conn.password}


def _clickhouse(conn: Connection) -> Output | None:
    """Return the port that the driver would choose, which is part of OpenLineage's name."""
    native, secure = conn.extra_dejson.get("driver") == "native", _is_set(conn, "secure")
    default = {(False, False): 8123, (False, True): 8443, (True, False): 9000, (True, True): 9440}
    return {"port": conn.port or default[native, secure]}, {"password": conn.password or ""}


_BIGQUERY = Declaration(
    "bigquery",
    {
        "project": "extra.project extra.project_id",
        "dataset": "schema extra.dataset",
        "location": "extra.location",
        "impersonate_service_account": "extra.impersonation_chain",
    },
    variant=_bigquery,
)
_ATHENA = Declaration(
    "athena",
    {
        "region_name": "extra.region_name =us-east-1",
        "s3_staging_dir": "extra.s3_staging_dir",
        "s3_data_dir": "extra.s3_data_dir",
        "work_group": "extra.work_group",
        "database": "extra.catalog =awsdatacatalog",
        "schema": "schema extra.schema =default",
        "aws_profile_name": "extra.profile_name",
        "aws_access_key_id": "login extra.aws_access_key_id",
        "assume_role_arn": "extra.role_arn",
        "assume_role_external_id": "extra.external_id",
        "endpoint_url": "extra.endpoint_url",
    },
    {
        "aws_secret_access_key": "password extra.aws_secret_access_key",
        "aws_session_token": "extra.aws_session_token",
    },
)
_REDSHIFT = Declaration(
    "redshift",
    {
        "host": "host",
        "port": "port =5439",
        "user": "login",
        "dbname": "schema extra.database",
        "schema": "extra.schema =public",
        "sslmode": "extra.sslmode",
        "region": "extra.region",
    },
    {"password": "password ="},
    _redshift,
)

DECLARATIONS: dict[str, Declaration] = {
    "athena": _ATHENA,
    "aws": _ATHENA,
    "clickhouse": Declaration(
        "clickhouse",
        {
            "driver": "extra.driver",
            "host": "host =localhost",
            "user": "login =default",
            "schema": "schema =default",
            "secure": "extra.secure",
            "verify": "extra.verify",
            "cluster": "extra.cluster",
            "database_engine": "extra.database_engine",
        },
        variant=_clickhouse,
    ),
    "databricks": Declaration(
        "databricks",
        {
            "http_path": "extra.http_path",
            "catalog": "extra.catalog",
            "schema": "schema extra.schema =default",
        },
        variant=_databricks,
    ),
    "duckdb": Declaration("duckdb", {"schema": "schema =main"}, variant=_duckdb),
    "gcpbigquery": _BIGQUERY,
    "google_cloud_platform": _BIGQUERY,
    "mssql": Declaration(
        "sqlserver",
        {
            "host": "host",
            "port": "port =1433",
            "database": "schema extra.database",
            "schema": "extra.schema =dbo",
            "encrypt": "extra.encrypt",
            "trust_cert": "extra.trust_cert extra.TrustServerCertificate",
        },
        variant=_sqlserver,
    ),
    "mysql": Declaration(
        "mysql",
        {
            "server": "host =localhost",
            "port": "port =3306",
            "username": "login",
            "schema": "schema",
            "unix_socket": "extra.unix_socket",
            "charset": "extra.charset",
        },
        {"password": "password ="},
    ),
    "postgres": Declaration(
        "postgres",
        {
            "host": "host",
            "port": "port =5432",
            "user": "login",
            "dbname": "schema",
            "schema": "extra.schema =public",
            "sslmode": "extra.sslmode",
        },
        {"password": "password ="},
    ),
    "redshift": _REDSHIFT,
    "snowflake": Declaration(
        "snowflake",
        {
            "host": "extra.host",
            "port": "extra.port port",
            "protocol": "extra.protocol",
            "user": "login",
            "database": "extra.database",
            "schema": "schema =public",
            "warehouse": "extra.warehouse",
            "role": "extra.role",
        },
        variant=_snowflake,
    ),
    "trino": Declaration(
        "trino",
        {
            "host": "host",
            "port": "port =8080",
            "user": "login",
            "database": "extra.catalog",
            "schema": "schema extra.schema",
            "cert": "extra.verify",
        },
        variant=_trino,
    ),
}
"""By Airflow's type of a connection."""
