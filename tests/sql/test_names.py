"""Names of outputs without an alias, as the engine generates them.

`expressions/` has one expression a line; the engine itself gives the expected names.
"""

import os
import subprocess
from pathlib import Path

import duckdb
import pytest

from airflow_lineage_provider.sql import column_lineage
from airflow_lineage_provider.sql.naming.duckdb_words import KEYWORDS

EXPRESSIONS = Path(__file__).parent / "expressions"
DUCKDB_TABLE = """
create table t (a int, b int, ts timestamp, d date, s varchar, l int[], st struct(x int, y varchar),
    m map(varchar, int))
"""
POSTGRES_TABLE = """
create temporary table t (a int, b int, max_b int, s text, l int[], ts timestamp, j jsonb, "A b" int)
"""


def expressions(engine):
    return (EXPRESSIONS / f"{engine}.txt").read_text().splitlines()


def statement(expression):
    grouped = " group by a" if expression.startswith("grouping") else ""
    window = " window w as (partition by b order by ts)" if expression.endswith("over w") else ""
    return f"select {expression} from t{grouped}{window}"


def name(sql, dialect):
    schema = {"t": ["a", "b", "max_b", "ts", "d", "s", "l", "st", "m", "j", "A b"]}
    return column_lineage(sql, dialect=dialect, schema=schema).columns[0].name


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        connection.execute(DUCKDB_TABLE)
        yield connection


@pytest.fixture(scope="module")
def postgres_names(postgres):
    """The names that Postgres gives to all expressions."""
    queries = [f"{statement(one)} limit 0" for one in expressions("postgres")]
    commands = [part for sql in (POSTGRES_TABLE, *queries) for part in ("-c", sql)]
    psql = ["psql", "-qAX", "-P", "footer=off", "-v", "ON_ERROR_STOP=1", *commands]
    done = subprocess.run(psql, env={**os.environ, **postgres}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(expressions("postgres"), done.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("expression", expressions("duckdb"))
def test_name_of_duckdb(expression, engine):
    sql = statement(expression)
    assert name(sql, "duckdb") == engine.sql(sql).columns[0]


@pytest.mark.parametrize("expression", expressions("postgres"))
def test_name_of_postgres(expression, postgres_names):
    assert name(statement(expression), "postgres") == postgres_names[expression]


def test_keywords_are_the_ones_of_duckdb(engine):
    assert {
        word for (word,) in engine.execute("select keyword_name from duckdb_keywords()").fetchall()
    } == KEYWORDS


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1 as x, lower(s), a::text from t", ["x", "lower(s)", "CAST(a AS text)"]),
        ("select distinct a + 1, b is distinct from a from t", ["(a + 1)", "(b IS DISTINCT FROM a)"]),
        ("with q as (select substr(s, 1, 2) from t) select * from q", ["substr(s, 1, 2)"]),
        ("from t select a + 1", ["(a + 1)"]),
        ("create table x as select len(s), 'a,b' || s from t", ["len(s)", "('a,b' || s)"]),
        ("select (select max(a) from t), nvl(a, 1) from t", ["(SELECT max(a) FROM t)", "nvl(a, 1)"]),
        ("select 1 + 1 union all select 2 + 2", ["(1 + 1)"]),
    ],
)
def test_each_item_is_named_by_its_own_text(sql, expected):
    lineage = column_lineage(sql, dialect="duckdb", schema={"t": ["a", "b", "s"]})
    assert [column.name for column in lineage.columns] == expected


def test_a_form_that_is_not_known_is_named_by_its_sql():
    sql = "select (select a from t join u using (a)) + 1 from t"
    assert "SELECT a FROM t JOIN u USING (a)" in name(sql, "duckdb")


@pytest.mark.parametrize(
    ("sql", "dialect"),
    [
        ('select "max(a)" + 1 as x from (select max(a) from t)', "duckdb"),
        ('with q as (select coalesce(a, 0) from t) select "COALESCE(a, 0)" as x from q', "duckdb"),
        ("select max + 1 as x from (select max(a) from t) q", "postgres"),
        ("with q as (select coalesce(a, 0) from t) select coalesce as x from q", "postgres"),
    ],
)
def test_generated_name_can_be_referred_to(sql, dialect):
    (column,) = column_lineage(sql, dialect=dialect, schema={"t": ["a", "b"]}).columns
    assert [(source.table.name, source.column) for source in column.sources] == [("t", "a")]
