# ruff: noqa: E501 - a case is a row
"""What statements do to tables and columns themselves, in the words of each dialect."""

import pytest

from airflow_lineage_provider.sql.changes import table_changes

CHANGES = [
    ("postgres", "alter table gold.x rename to y", ["rename gold.x gold.y"]),
    ("postgres", "alter table gold.x rename a to b", ["rename column gold.x.a b"]),
    ("postgres", "alter table x rename constraint a to b", []),
    (
        "postgres",
        "alter table x add column a numeric(10,2) default 1, drop column b, alter c type bigint using c::bigint",
        ["add column x.a numeric(10,2)", "drop column x.b", "change type x.c bigint"],
    ),
    ("postgres", "alter table x alter c set not null, alter d drop default", []),
    ("postgres", "alter table x set schema old", ["rename x old.x"]),
    ("postgres", "drop schema gold cascade", ["drop schema gold.*"]),
    ("postgres", "drop materialized view if exists a.b, c cascade", ["drop a.b", "drop c"]),
    ("postgres", "create temp table a (b int); drop table a", ["create a", "drop a"]),
    ("postgres", "truncate table only a.b, c restart identity", ["truncate a.b", "truncate c"]),
    ("snowflake", "truncate table if exists a", ["truncate A"]),
    ("postgres", "alter table x add primary key (a), owner to bob", []),
    ("snowflake", "alter table x modify column c number(10), column d set not null", ["change type X.C number(10)"]),
    ("snowflake", "alter table a swap with b", ["swap A B"]),
    ("snowflake", "alter table x add column a int, b int", ["add column X.A int", "add column X.B int"]),
    ("snowflake", "create or replace transient table d.s.x as select 1 a", ["create D.S.X replace"]),
    ("mysql", "rename table a to b, c to d", ["rename a b", "rename c d"]),
    ("mysql", "alter table a change column b c int", ["rename column a.b c", "change type a.c int"]),
    ("bigquery", "alter table `p.d.x` drop column if exists a", ["drop column p.d.x.a"]),
    ("tsql", "exec sp_rename 'dbo.a.b', 'c', 'COLUMN'", ["rename column dbo.a.b c"]),
    ("tsql", "alter table x drop column a, b", ["drop column x.a", "drop column x.b"]),
    ("tsql", "alter table x alter column a varchar(10) not null", ["change type x.a varchar(10)"]),
    ("oracle", "alter table x modify (a number(10), b varchar2(3))", ["change type X.A number(10)", "change type X.B varchar2(3)"]),
    ("databricks", "alter table x drop columns (a, b)", ["drop column x.a", "drop column x.b"]),
    ("duckdb", "alter table x drop a", ["drop column x.a"]),
    ("", "select 1; insert into t select 2; grant select on t to bob", []),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "sql", "expected"), CHANGES)
def test_a_statement_changes_tables_and_columns(dialect, sql, expected):
    changes, problems = table_changes(sql, dialect)
    assert [_text(change) for change in changes] == expected
    assert problems == ()


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("postgres", "do $$ begin drop table x; end $$"),
        ("postgres", "alter table x frobnicate y"),
        ("postgres", "alter table"),
        ("postgres", "alter table x drop column 'a'"),
        ("tsql", "exec sp_rename @old, @new"),
        ("postgres", "select 'unclosed"),
        ("postgres", "alter table {{ this }} drop column a"),
    ],
)
def test_a_statement_that_is_not_understood_is_a_problem(dialect, sql):
    assert table_changes(sql, dialect)[1]


def test_the_line_of_each_change_is_known():
    changes, _ = table_changes("-- header\nalter table a drop column b;\n\ndrop table c", "postgres")
    assert [change.line for change in changes] == [2, 4]


def _text(change):
    about = f"{change.table}.{change.column}" if change.column else str(change.table)
    return " ".join(filter(None, (change.action, about, change.to, str(change.renamed or ""))))
