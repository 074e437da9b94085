"""Names of outputs without an alias, as the engine generates them."""

import duckdb
import pytest

from airflow_lineage_provider.sql import column_lineage

EXPRESSIONS = """
count(*); a + 1; (a + 1); a + b * 2; (a + b) * 2; ((a)) + 1; a > b; a % 2; cast(ts as varchar); ts::varchar;
a::int; cast(a + 1 as bigint); sum(a + 1); count(*) + 1; max(a); count(distinct a); abs((a)); round(a + 1, 2);
upper(s); sum(a) over (partition by b)
"""


def name(expression, dialect):
    schema = {"t": ["a", "b", "ts", "s"]}
    return column_lineage(f"select {expression} from t", dialect=dialect, schema=schema).columns[0].name


@pytest.mark.parametrize("expression", [one.strip() for one in EXPRESSIONS.split(";")])
def test_name_of_duckdb(expression):
    with duckdb.connect() as engine:
        engine.execute("create table t (a int, b int, ts timestamp, s varchar)")
        expected = engine.execute(f"select {expression} from t").description[0][0]
    assert name(expression, "duckdb") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("array[a, b]", "array"),
        ("array(select a from t)", "array"),
        ("(select max(a) from t)", "max"),
        ("(select a + 1 from t)", "?column?"),
        ("case when a > 1 then b end", "case"),
    ],
)
def test_name_of_postgres(expression, expected):
    assert name(expression, "postgres") == expected
