"""Equality of expressions: different spellings of one expression are equal."""

import pytest

from airflow_lineage_provider.sql.expressions import same_expression
from airflow_lineage_provider.sql.limits import SqlError

SAME = [
    ("CAST(amount AS DECIMAL(10,2))", "cast( o.amount as decimal(10, 2) ) as order_amount", ""),
    ("CAST(amount AS DECIMAL(10,2))", "amount::numeric(10,2)", "postgres"),
    ("CAST(amount AS DECIMAL(10,2))", "amount::number(10,2)", "snowflake"),
    ("TRIM(UPPER(email))", "trim(upper(c.email)) -- clean", "duckdb"),
    ("SUM(order_amount)", "sum(orders.order_amount)", "snowflake"),
    ("SUM(order_amount)", 'sum("ORDER_AMOUNT")', "snowflake"),
    ("a <> b", "(a) != b", ""),
    ("(a * b) + c", "a * b + c", ""),
    ("NVL(a, 0)", "COALESCE(a, 0)", "snowflake"),
    ("DATE_TRUNC('day', event_timestamp)", "date_trunc('DAY', e.event_timestamp)", "snowflake"),
    ("CAST(t AS TIMESTAMP)", "t::timestamp_ntz(9)", "snowflake"),
    ("COUNT(*)", "count( * )", "bigquery"),
    ("my_udf(a)", "MY_UDF(t.a)", "databricks"),
    ("case when a>1 then 'x' end", "CASE WHEN a > 1 THEN 'x' END", "tsql"),
]
DIFFERENT = [
    ("CAST(amount AS DECIMAL(10,2))", "CAST(amount AS DECIMAL(12,2))", ""),
    ("CAST(amount AS DECIMAL(10,2))", "TRY_CAST(amount AS DECIMAL(10,2))", "duckdb"),
    ("TRIM(UPPER(email))", "UPPER(TRIM(email))", ""),
    ("TRIM(UPPER(email))", "TRIM(LOWER(email))", ""),
    ("SUM(amount)", "SUM(DISTINCT amount)", ""),
    ("SUM(amount)", "SUM(tax)", ""),
    ("a - b", "b - a", ""),
    ("(a + b) * c", "a + b * c", ""),
    ("'X'", "'x'", ""),
    ("DATE_TRUNC('day', t)", "DATE_TRUNC('month', t)", "snowflake"),
    ('"Id"', "id", "snowflake"),
]


@pytest.mark.parametrize(("a", "b", "dialect"), SAME)
def test_same(a, b, dialect):
    assert same_expression(a, b, dialect)
    assert same_expression(b, a, dialect)


@pytest.mark.parametrize(("a", "b", "dialect"), DIFFERENT)
def test_different(a, b, dialect):
    assert not same_expression(a, b, dialect)


@pytest.mark.parametrize("text", ["", "a b c", "select", "1; drop table x", "a, b", "(" * 500])
def test_text_that_is_not_an_expression(text):
    with pytest.raises(SqlError):
        same_expression(text, "a", "duckdb")
