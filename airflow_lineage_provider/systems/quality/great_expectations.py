"""Run suites with Great Expectations (GX Core 1.x): on SQL warehouses in SQL, on DuckDB in pandas.

Importing GX takes seconds: only a running task imports this module's functions' dependencies.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError, LineageError
from airflow_lineage_provider.systems.errors import SystemReadError, one_line
from airflow_lineage_provider.systems.quality.expectations import SuiteRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow_lineage_provider.systems.quality.expectations import Suite

# Counts of the rows that do not meet an expectation, without their values.
RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0}
_OF_COLUMNS = ("column", "column_A", "column_B")
_LISTS = ("column_list",)


def run_suite(suite: Suite, credentials: Any, docs: Path | None, docs_url: str = "") -> SuiteRun:
    """Run a suite on its table in the warehouse of dbt's credentials (duckdb, postgres or snowflake).

    Its page of data docs is written to `docs`, a folder that `docs_url` serves, in a folder of its own.

    Raises InputError for a missing package, another adapter, or a suite that GX does not accept, and
    SystemReadError where the warehouse does not answer.
    """
    gx = _great_expectations()
    started_at = datetime.now(UTC)
    context = gx.get_context(mode="ephemeral")
    context.variables.analytics_enabled = False
    context.variables.progress_bars = {"globally": False}
    expectations = _accepted(context, suite)
    try:
        with _batch(context, suite, credentials) as (definition, parameters):
            validation = context.validation_definitions.add(
                gx.ValidationDefinition(name=suite.table, data=definition, suite=expectations)
            )
            result = validation.run(batch_parameters=parameters, result_format=RESULT_FORMAT)
    except LineageError:
        raise
    except Exception as error:  # noqa: BLE001 - of GX, of SQLAlchemy, of the driver
        text = one_line(_without_password(error, credentials))
        message = f"{suite.table} cannot be read in {credentials.type}: {text}"
        raise SystemReadError(message, unreachable=True) from None
    page = _write_page(result, suite, started_at, docs, docs_url) if docs else ""
    results = tuple(one.to_json_dict() for one in result.results)
    return SuiteRun(suite, results, started_at, str(gx.__version__), page)


def _accepted(context: Any, suite: Suite) -> Any:
    """Return the suite as GX's own object. GX leaves out the kinds that it does not know."""
    gx = _great_expectations()
    try:
        found = context.suites.add(
            gx.ExpectationSuite(name=suite.table, expectations=[dict(one) for one in suite.expectations])
        )
    except Exception as error:  # noqa: BLE001 - GX raises many kinds
        raise InputError(f"the suite {suite.file} is not accepted: {one_line(error)}") from None
    known = {one.expectation_type for one in found.expectations}
    if left_out := sorted({one["type"] for one in suite.expectations} - known):
        raise InputError(f"the suite {suite.file} is not accepted: unknown {', '.join(left_out)}")
    return found


def _great_expectations() -> Any:
    """Import GX, with its telemetry off."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    try:
        import great_expectations as gx
    except ModuleNotFoundError:
        raise InputError(
            "Great Expectations is missing: pip install 'airflow-lineage-provider[great_expectations]'"
        ) from None
    return gx


@contextmanager
def _batch(context: Any, suite: Suite, credentials: Any) -> Iterator[tuple[Any, dict[str, Any] | None]]:
    """Yield the definition of the batch that is the whole table, and its parameters."""
    if credentials.type == "duckdb":
        asset = context.data_sources.add_pandas("warehouse").add_dataframe_asset(suite.table)
        yield (
            asset.add_batch_definition_whole_dataframe("table"),
            {"dataframe": _frame(suite, credentials)},
        )
        return
    schema, table = suite.table.split(".", 1)
    url, options = _engine(credentials)
    source = context.data_sources.add_sql(
        "warehouse", connection_string=url, kwargs={"connect_args": options} if options else {}
    )
    try:
        asset = source.add_table_asset(suite.table, table_name=table, schema_name=schema)
        yield asset.add_batch_definition_whole_table("table"), None
    finally:
        source.get_engine().dispose()


def _engine(credentials: Any) -> tuple[str, dict[str, Any]]:
    """Return the SQLAlchemy URL of dbt's credentials, and the driver's options beside it.

    Raises InputError for an adapter that suites cannot run on.
    """
    from sqlalchemy import URL

    if credentials.type == "postgres":
        query = {"sslmode": credentials.sslmode} if credentials.sslmode else {}
        login = credentials.user, credentials.password, credentials.host, int(credentials.port)
        url = URL.create("postgresql+psycopg2", *login, credentials.database, query)
        return url.render_as_string(hide_password=False), {}
    if credentials.type == "snowflake":
        url = URL.create("snowflake", credentials.user, host=credentials.account)
        names = ("host", "port", "protocol", "role", "warehouse", "database", "schema")
        options = {name: getattr(credentials, name, None) for name in names} | credentials.auth_args()
        return str(url), {name: value for name, value in options.items() if value}
    raise InputError(
        f"suites run on duckdb, postgres and snowflake, not on {credentials.type!r}: choose another target"
    )


def _frame(suite: Suite, credentials: Any) -> Any:
    """Return the columns of a DuckDB table that the suite names, or all where it is about the table."""
    import duckdb

    columns = _columns(suite)
    table = ".".join(map(_quoted, suite.table.split(".", 1)))
    local = ":" not in credentials.path
    try:
        with duckdb.connect(credentials.path, read_only=local) as connection:
            connection.execute("set TimeZone = 'UTC'")
            known = connection.execute(f"select * from {table} limit 0").description or ()  # noqa: S608
            here = [name for name, *_ in known if name in columns or not columns]
            listed = ", ".join(map(_quoted, here)) or "*"
            return connection.execute(f"select {listed} from {table}").df()  # noqa: S608 - quoted
    except duckdb.Error as error:
        raise SystemReadError(
            f"{suite.table} cannot be read in DuckDB: {one_line(error)}", unreachable=True
        ) from None


def _columns(suite: Suite) -> list[str]:
    """Return the columns that the expectations name; none where one of them is about the whole table."""
    found: dict[str, None] = {}
    for expectation in suite.expectations:
        kwargs = expectation.get("kwargs", {})
        named = [kwargs[key] for key in _OF_COLUMNS if isinstance(kwargs.get(key), str)]
        named += [name for key in _LISTS for name in kwargs.get(key) or () if isinstance(name, str)]
        if not named:
            return []
        found |= dict.fromkeys(named)
    return list(found)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _without_password(error: object, credentials: Any) -> str:
    """Return an error's text without the password, which SQLAlchemy may print."""
    password = getattr(credentials, "password", None)
    return str(error).replace(password, "***") if password else str(error)


def _write_page(result: Any, suite: Suite, started_at: datetime, docs: Path, docs_url: str) -> str:
    """Write the page of data docs of a run; return its URL, or its path where nothing serves it."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    name = f"{suite.table}/{started_at:%Y%m%dT%H%M%S%fZ}.html"
    file = docs / name
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"data docs cannot be written to {file}: {error.strerror}; set `data_docs`"
        ) from None
    return f"{docs_url.rstrip('/')}/{name}" if docs_url else str(file.resolve())
