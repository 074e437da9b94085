"""Equality of data types: synonyms and default parameters of a dialect are equal."""

import pytest

from airflow_lineage_provider.sql.datatypes import same_type
from airflow_lineage_provider.sql.limits import SqlError

SAME = {
    "": [("NUMBER(38,0)", "decimal(38, 0)"), ("TIMESTAMP", "TIMESTAMP_NTZ")],
    "snowflake": [
        ("NUMBER", "NUMBER(38, 0)"),
        ("NUMBER(38,0)", "int"),
        ("NUMBER(10)", "DECIMAL(10, 0)"),
        ("TIMESTAMP", "TIMESTAMP_NTZ(9)"),
        ("DATETIME", "timestamp without time zone"),
        ("TIMESTAMP_TZ", "TIMESTAMP_TZ(9)"),
        ("TIME", "TIME(9)"),
        ("STRING", "VARCHAR"),
        ("TEXT", "VARCHAR(16777216)"),
        ("CHAR", "VARCHAR(1)"),
        ("FLOAT", "DOUBLE"),
        ("REAL", "FLOAT8"),
        ("VARBINARY", "BINARY(8388608)"),
        ("ARRAY(INT)", "ARRAY(NUMBER(38,0))"),
        ("NUMBER", "DECIMAL(10,2)"),
    ],
    "postgres": [
        ("NUMERIC(10, 2)", "decimal(10,2)"),
        ("int4", "INTEGER"),
        ("bigserial", "int8"),
        ("serial4", "integer"),
        ("varchar(20)", "character varying(20)"),
        ("char", "character(1)"),
        ("timestamp", "timestamp(6) without time zone"),
        ("timestamptz", "timestamp(6) with time zone"),
        ("time", "time(6)"),
        ("float", "double precision"),
        ("float(24)", "real"),
        ("integer[3]", "int4[]"),
    ],
    "bigquery": [
        ("INT64", "INTEGER"),
        ("INT64", "SMALLINT"),
        ("FLOAT64", "FLOAT"),
        ("NUMERIC", "DECIMAL(38, 9)"),
        ("STRUCT<a INT64>", "STRUCT<A INTEGER>"),
    ],
    "databricks": [
        ("LONG", "BIGINT"),
        ("DEC", "DECIMAL(10,0)"),
        ("TIMESTAMP", "TIMESTAMP_LTZ"),
        ("STRUCT<a: INT, b: STRING>", "struct<a:integer,b:string>"),
    ],
    "duckdb": [
        ("DECIMAL", "NUMERIC(18,3)"),
        ("DECIMAL(10)", "DECIMAL(10, 0)"),
        ("VARCHAR[]", "text[]"),
        ("DATETIME", "TIMESTAMP(6)"),
        ("CHAR(3)", "VARCHAR"),
        ("GUID", "UUID"),
        ("STRUCT(a INT, b TEXT)", "STRUCT(a INTEGER, b VARCHAR)"),
    ],
    "redshift": [
        ("decimal", "numeric(18,0)"),
        ("text", "character varying(256)"),
        ("bpchar", "char(256)"),
        ("nchar", "character(1)"),
    ],
    "trino": [("timestamp", "timestamp(3)"), ("decimal", "decimal(38,0)"), ("row(a int)", "ROW(A INTEGER)")],
    "tsql": [("REAL", "FLOAT(24)"), ("FLOAT", "DOUBLE PRECISION"), ("DATETIME2", "DATETIME2(7)")],
    "mysql": [("BOOL", "TINYINT(1)"), ("INT(11)", "INTEGER"), ("DATETIME", "DATETIME(0)")],
}
DIFFERENT = {
    "snowflake": [
        ("TIMESTAMP", "TIMESTAMP_NTZ(3)"),
        ("TIMESTAMP", "TIMESTAMP_TZ"),
        ("TIMESTAMP_LTZ", "TIMESTAMP_TZ"),
        ("CHAR", "VARCHAR(16777216)"),
        ("NUMBER(38,0)", "DECIMAL(10,2)"),
        ("INT", "NUMBER(10,2)"),
    ],
    "postgres": [
        ("DECIMAL(10,2)", "DECIMAL(12,2)"),
        ("VARCHAR(10)", "VARCHAR(20)"),
        ("INT", "BIGINT"),
        ("TIMESTAMP", "TIMESTAMPTZ"),
        ("real", "double precision"),
        ("char(10)", "varchar(10)"),
        ("citext", "tsvector"),
    ],
    "bigquery": [
        ("NUMERIC", "BIGNUMERIC"),
        ("DATETIME", "TIMESTAMP"),
        ("STRUCT<a INT64>", "STRUCT<b INT64>"),
    ],
    "databricks": [("TIMESTAMP", "TIMESTAMP_NTZ")],
    "duckdb": [
        ("DATE", "TIMESTAMP"),
        ("FLOAT", "DOUBLE"),
        ("INTEGER[3]", "INTEGER[]"),
        ("TIMESTAMP_MS", "TIMESTAMP"),
    ],
    "tsql": [("REAL", "FLOAT"), ("VARCHAR(10)", "NVARCHAR(10)"), ("DATETIME", "DATETIME2")],
}


def _cases(by_dialect):
    return [pytest.param(a, b, d, id=f"{d}: {a}, {b}") for d, pairs in by_dialect.items() for a, b in pairs]


@pytest.mark.parametrize(("a", "b", "dialect"), _cases(SAME))
def test_same_type(a, b, dialect):
    assert same_type(a, b, dialect)
    assert same_type(b, a, dialect)


@pytest.mark.parametrize(("a", "b", "dialect"), _cases(DIFFERENT))
def test_different_type(a, b, dialect):
    assert not same_type(a, b, dialect)


def test_length_matters_where_both_state_one():
    assert same_type("VARCHAR", "VARCHAR(10)", "postgres")
    assert same_type("VARCHAR", "VARCHAR(10)", "snowflake")
    assert not same_type("VARCHAR(10)", "VARCHAR(16777216)", "snowflake")


def test_a_user_defined_type_equals_itself():
    assert same_type("public.Mood", "PUBLIC.mood", "postgres")
    assert not same_type("public.mood", "public.weather", "postgres")


@pytest.mark.parametrize("text", ["ARRAY<" * 3000, "STRUCT<a " * 3000, "a'b"])
def test_text_that_is_not_a_type(text):
    with pytest.raises(SqlError):
        same_type(text, "INT", "duckdb")
