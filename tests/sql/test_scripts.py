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
    ("statement", "audit", "columns"),
    [
        ("insert into tgt (id, name) output inserted.id, inserted.name into audit (a, b) select id, name from src", "audit", {"a": "src.id", "b": "src.name"}),
        ("insert into tgt (id) output inserted.id into dbo.log (k) select id from src", "dbo.log", {"k": "src.id"}),
        ("insert into tgt (id) output inserted.id into [dbo].[my log] (k) values (1)", "dbo.my log", {"k": ""}),
        ("merge into tgt using src on tgt.id = src.id when not matched then insert (id, name) values (src.id, src.name) output inserted.id, inserted.name into audit (a, b);", "audit", {"a": "src.id", "b": "src.name"}),
        ("merge into tgt using src on tgt.id = src.id when matched then update set name = src.name output $action, inserted.name, deleted.name into audit (act, new, old);", "audit", {"act": "", "new": "src.name", "old": "tgt.name"}),
        ("delete from tgt output deleted.id into audit (gone) where id = 1", "audit", {"gone": "tgt.id"}),
        ("delete t output deleted.id, getdate() into audit (gone, at) from tgt t join src on src.id = t.id", "audit", {"gone": "tgt.id", "at": ""}),
        ("update tgt set name = src.name output inserted.name, deleted.name into log (new, old) from src where tgt.id = src.id", "log", {"new": "src.name", "old": "tgt.name"}),
    ],
)  # fmt: skip
def test_output_into_writes_a_second_table(statement, audit, columns):
    first, second = script_lineage(statement, dialect="tsql", schema=SCHEMA)
    assert (str(first.writes), str(second.writes)) == (audit, "tgt")
    assert {c.name: " ".join(f"{s.table}.{s.column}" for s in c.sources) for c in first.columns} == columns
    assert second.problems == ()
