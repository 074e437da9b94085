# ruff: noqa: E501 - a case is a row
"""The names of tables behind Tableau, and the columns of custom SQL."""

import pytest

from airflow_lineage_provider.events.movement import ColumnSource
from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.systems.tableau.tables import Tables, custom_sql, table_name

SERVER = {"name": "crm", "connectionType": "postgres", "hostName": "crm-db", "port": 5432}


def table(kind, schema="public", name="orders", database=None, **more):
    return {"schema": schema, "name": name, "connectionType": kind, "database": database or {}, **more}


@pytest.mark.parametrize(
    ("node", "namespace", "name"),
    [
        (table("postgres", database=SERVER), "postgres://crm-db:5432", "crm.public.orders"),
        (
            table("snowflake", "GOLD", "X", {"name": "DB", "hostName": "Acme-Prod.snowflakecomputing.com"}),
            "snowflake://acme-prod",
            "DB.GOLD.X",
        ),
        (
            table("postgres", "", "x", SERVER, fullName="[sales].[odd]]name]"),
            "postgres://crm-db:5432",
            "crm.sales.odd]name",
        ),
        (table("excel-direct", "", "", {"name": "Book.xls"}, fullName="[Orders$]"), "excel-direct://Book.xls", "Orders$"),
        (table("", name="t"), "unknown://", "public.t"),
    ],
)  # fmt: skip
def test_a_table_is_named_as_dbt_names_it(node, namespace, name):
    assert table_name(node) == DatasetName(namespace, name)


def sources(query, *columns, kind="postgres"):
    listed = {f"t{n}": table(kind, name=one, database=SERVER, columns=[{"name": c} for c in columns]) for n, one in enumerate(("orders", "people"))}  # fmt: skip
    node = {
        "query": query,
        "connectionType": kind,
        "database": SERVER,
        "tables": [{"id": one} for one in listed],
    }
    tables = Tables(listed, {"sql": node})
    return tables, lambda column: tables.sources("sql", column)


ORDERS = DatasetName("postgres://crm-db:5432", "crm.public.orders")


def test_columns_of_custom_sql_are_followed_to_tables():
    tables, made = sources(
        "select sum(o.amount) as Total, 1 as one from orders o where o.id >> <[Parameters].[P 1]>"
    )
    assert made("total") == (ColumnSource(ORDERS, "amount", "AGGREGATION"),)
    assert made("ONE") == ()
    assert made("other") is None
    assert tables.problems == {}


def test_a_name_without_a_table_is_looked_up_in_the_columns_that_tableau_knows():
    _, made = sources("select amount, o.id from orders o, other p")
    assert made("amount") is None
    listed = {
        "t": table("postgres", name="orders", database=SERVER, columns=[{"name": "amount"}, {"name": "id"}])
    }
    listed["u"] = table("postgres", name="other", database=SERVER, columns=[{"name": "x"}])
    node = {"query": "select amount from orders o, other p", "connectionType": "postgres", "database": SERVER}
    tables = Tables(listed, {"sql": node | {"tables": [{"id": "t"}, {"id": "u"}]}})
    assert tables.sources("sql", "amount") == (ColumnSource(ORDERS, "amount"),)


@pytest.mark.parametrize("query", ["", "not sql at all (", "select * from nowhere", "exec sp_who"])
def test_sql_that_cannot_be_read_leaves_columns_unknown_and_is_said(query):
    tables, made = sources(query)
    assert made("total") is None
    assert query == "" or tables.problems


def test_parameters_and_doubled_signs_are_what_the_database_receives():
    query = "where a << 3 and b >> <[Parameters].[Start Date]> and c = <Parameters.End>"
    assert custom_sql(query) == "where a < 3 and b > '?' and c = '?'"
