# ruff: noqa: E501 - a case is a row
"""The tables that a script writes."""

import pytest

from airflow_lineage_provider.sql import script_lineage

SCHEMA = {"src": ["id", "name"], "tgt": ["id", "name"]}


@pytest.mark.parametrize(
    ("sql", "dialect", "left"),
    [
        ("create temp table t (like src); insert into t select * from src; insert into tgt select * from t", "postgres", ["tgt"]),
        ("create temporary table t (id int); insert into t select id from src; insert into tgt (id) select id from t", "snowflake", ["tgt"]),
        ("create table t (id int); insert into t select id from src; insert into tgt (id) select id from t", "postgres", ["t", "tgt"]),
        ("create temp table t (id int); drop table t; create table t (id int); insert into t select id from src", "postgres", ["t"]),
        ("create temp table t (id int); insert into t select id from src", "postgres", ["t"]),
    ],
)  # fmt: skip
def test_temporary_tables_are_left_out_unless_there_are_no_others(sql, dialect, left):
    found = script_lineage(sql, dialect=dialect, schema=SCHEMA)
    assert [str(one.writes) for one in found] == left
    assert not found[-1].problems


@pytest.mark.parametrize(
    "statement",
    [
        "insert into tgt (id, name) output inserted.id, inserted.name into audit (a, b) select id, name from src",
        "merge into tgt using src on tgt.id = src.id when not matched then insert (id, name) values (src.id, src.name) output inserted.id, inserted.name into audit (a, b);",
    ],
)
def test_output_into_writes_a_second_table(statement):
    audit, target = script_lineage(statement, dialect="tsql", schema=SCHEMA)
    assert (str(audit.writes), str(target.writes)) == ("audit", "tgt")
    assert [(c.name, str(c.sources[0].table), c.sources[0].column) for c in audit.columns] == [
        ("a", "src", "id"),
        ("b", "src", "name"),
    ]
