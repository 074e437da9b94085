# ruff: noqa: E501 - a case is a row
"""Structs whose fields the schema knows, and structs that a statement builds."""

import pytest

from airflow_lineage_provider.sql import column_lineage

NUMBERS = {"id": "int", "lo": "int", "hi": "int"}
TYPES = {
    "duckdb": NUMBERS | {"st": "STRUCT(f VARCHAR, g STRUCT(h INTEGER, k INTEGER))", "items": "STRUCT(price INTEGER, sku VARCHAR)[]"},
    "bigquery": NUMBERS | {"st": "STRUCT<f STRING, g STRUCT<h INT64, k INT64>>", "items": "ARRAY<STRUCT<price INT64, sku STRING>>"},
    "databricks": NUMBERS | {"st": "struct<f:string,g:struct<h:int,k:int>>", "items": "array<struct<price:int,sku:string>>"},
    "trino": NUMBERS | {"st": "row(f varchar, g row(h integer, k integer))", "items": "array(row(price integer, sku varchar))"},
}  # fmt: skip


def sources(sql, dialect, schema=None):
    lineage = column_lineage(sql, dialect=dialect, schema={"t": TYPES[dialect]} if schema is None else schema)
    assert lineage.problems == ()
    return {c.name: " ".join(s.column for s in c.sources) for c in lineage.columns}


@pytest.mark.parametrize(
    ("dialect", "sql", "columns"),
    [
        *((d, "select st.* from t", {"f": "st", "g": "st"}) for d in ("duckdb", "bigquery", "databricks")),
        ("bigquery", "select t.st.* except (f) from t", {"g": "st"}),
        ("bigquery", "select st.g.*, st.g.h as i from t", {"h": "st", "k": "st", "i": "st"}),
        ("duckdb", "select unnest(st) from t", {"f": "st", "g": "st"}),
        ("duckdb", "select unnest(st, recursive := true) from t", {"f": "st", "h": "st", "k": "st"}),
        ("duckdb", "select unnest(items, max_depth := 2) from t", {"price": "items", "sku": "items"}),
        ("duckdb", "select x.* from (select unnest(items) as x from t) i", {"price": "items", "sku": "items"}),
        ("duckdb", "select x.price from t, unnest(t.items) u(x)", {"price": "items"}),
        ("bigquery", "select r.*, at from t, unnest(t.items) as r with offset as at", {"price": "items", "sku": "items", "at": ""}),
        ("bigquery", "select r.price, sku from t left join t.items as r", {"price": "items", "sku": "items"}),
        ("bigquery", "select (select sum(price) from unnest(items)) as total from t", {"total": "items"}),
        ("databricks", "select item.*, item.price as p from t lateral view explode(items) x as item", {"price": "items", "sku": "items", "p": "items"}),
        ("databricks", "select inline(items) from t", {"price": "items", "sku": "items"}),
        ("databricks", "select p, s from t lateral view inline(items) x as p, s", {"p": "items", "s": "items"}),
        ("trino", "select a, b from t cross join unnest(items) as r (a, b)", {"a": "items", "b": "items"}),
    ],
)  # fmt: skip
def test_struct_of_the_schema(dialect, sql, columns):
    assert sources(sql, dialect) == columns


@pytest.mark.parametrize(
    ("dialect", "sql", "columns"),
    [
        ("bigquery", "select a, b from t, unnest([struct(lo as a, hi as b)])", {"a": "lo", "b": "hi"}),
        ("bigquery", "select x.b from t, unnest([struct(lo as a, id as b), struct(lo, hi)]) as x", {"b": "id hi"}),
        ("bigquery", "select x.a from t, unnest(array(select as struct lo as a, hi as b)) as x", {"a": "lo"}),
        ("bigquery", "select array_agg(struct(lo as a, hi as b))[offset(0)].b as z from t", {"z": "hi"}),
        ("duckdb", "select unnest({'a': lo, 'b': hi}) from t", {"a": "lo", "b": "hi"}),
        ("duckdb", "select {'a': lo, 'b': hi}['b'] as z, struct_extract({'a': lo, 'b': hi}, 'a') as y from t", {"z": "hi", "y": "lo"}),
        ("duckdb", "select x.a from (select unnest([{'a': lo, 'b': hi}]) as x from t) i", {"a": "lo"}),
        ("duckdb", "select x.a from (select {'a': lo, 'b': hi} as x from t union all select {'a': id, 'b': id} from t) i", {"a": "lo id"}),
        ("duckdb", "select map {lo: hi}['x'] as y, map {'x': lo, 'y': hi}['x'] as z from t", {"y": "lo hi", "z": "lo"}),
        ("duckdb", "select map {lo: hi} as y, map {abs(lo): id} as z from t", {"y": "lo hi", "z": "lo id"}),
        ("trino", "select cast(row(lo, hi) as row(a integer, b integer)).b as z from t", {"z": "hi"}),
    ],
)  # fmt: skip
def test_struct_of_the_statement(dialect, sql, columns):
    assert sources(sql, dialect) == columns


def test_a_field_that_the_schema_lacks_is_reported():
    lineage = column_lineage("select st.nope as z from t", dialect="duckdb", schema={"t": TYPES["duckdb"]})
    assert lineage.columns[0].sources == ()
    assert "column 'nope' is not a known column of" in str(lineage.problems[0])


METHODS = {
    "c.upper()": "c",
    "t.c.upper()": "c",
    "trim(c).upper().concat(b)": "c b",
    "l.list_sum()": "l",
    "l.list_transform(lambda x: x || b).list_aggregate('max')": "l b",
    "[x.upper() for x in l]": "l",
    "l[1].upper()": "l",
    "(c::varchar).upper()": "c",
    "case when c.starts_with('a') then b end": "c b",
    "main.upper(c)": "c",
}


@pytest.mark.parametrize(("call", "columns"), METHODS.items(), ids=METHODS)
@pytest.mark.parametrize("schema", [{"t": ["b", "c", "l"]}, {}], ids=["known", "unknown"])
def test_method_call_of_duckdb(call, columns, schema):
    assert sources(f"select {call} as z from t", "duckdb", schema) == {"z": columns}
