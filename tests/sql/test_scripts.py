# ruff: noqa: E501 - a case is a row
"""The tables that a script writes."""

import json

import pytest

from airflow_lineage_provider.sql import column_lineage, script_lineage
from airflow_lineage_provider.sql.command import answer_batch

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


TWO = {"src": ["id", "x"], "a": ["id", "x"], "b": ["id", "x"]}


@pytest.mark.parametrize(
    ("dialect", "sql", "expected"),
    [
        ("snowflake", "insert all into a (id) values (id) into b (id, x) values (id, x) select id, x from src", {"a": "ID<-src.id", "b": "ID<-src.id X<-src.x"}),
        ("snowflake", "insert all when x > 1 then into a (id) values (id) when id > 1 then into b (id) values (x) select id, x from src", {"a": "ID<-src.id FILTER src.x", "b": "ID<-src.x FILTER src.id"}),
        ("snowflake", "insert first when x > 1 then into a (id) values (id) else into b (id) values (x) select id, x from src", {"a": "ID<-src.id FILTER src.x", "b": "ID<-src.x FILTER src.x"}),
        ("hive", "from src insert overwrite table a select id, x where x > 1 insert into table b select id, x", {"a": "id<-src.id x<-src.x FILTER src.x", "b": "id<-src.id x<-src.x"}),
        ("postgres", "with ins as (insert into a (id) select id from src returning id as k) select ins.k, s.x from ins join src s on s.id = ins.k", {"a": "id<-src.id", "None": "k<-src.id x<-src.x JOIN src.id"}),
        ("postgres", "with ins as (insert into a (id) select id from src) select 1 as one", {"a": "id<-src.id", "None": "one<-"}),
        ("postgres", "with ins as (insert into a (id, x) select id, x from src returning *), upd as (update b set x = ins.x from ins where b.id = ins.id returning b.id, ins.x) select x from upd", {"a": "id<-src.id x<-src.x", "b": "x<-src.x FILTER b.id FILTER src.id", "None": "x<-src.x FILTER b.id FILTER src.id"}),
        ("postgres", "with gone as (delete from a where id > 1 returning *) insert into b select * from gone", {"a": "FILTER a.id", "b": "id<-a.id x<-a.x FILTER a.id"}),
        ("postgres", "with m as (merge into a using src s on s.id = a.id when matched then update set x = s.x returning a.id, s.x as y) select * from m", {"a": "x<-src.x JOIN src.id JOIN a.id", "None": "id<-a.id y<-src.x JOIN src.id JOIN a.id"}),
        ("tsql", "insert into b (id) select id from (merge a using src s on s.id = a.id when matched then update set x = s.x output inserted.id) as changed", {"a": "x<-src.x JOIN src.id JOIN a.id", "b": "id<-a.id JOIN src.id JOIN a.id"}),
    ],
)  # fmt: skip
def test_each_write_has_its_own_lineage(dialect, sql, expected):
    found = script_lineage(sql, dialect=dialect, schema=TWO)
    got = {}
    for one in found:
        columns = [f"{c.name}<-{','.join(f'{s.table}.{s.column}' for s in c.sources)}" for c in one.columns]
        indirect = [f"{s.subtype} {s.table}.{s.column}" for s in one.indirect]
        got[str(one.writes)] = " ".join([*columns, *indirect])
    assert got == expected
    assert found[-1].problems == ()


def test_a_written_table_comes_before_returned_rows():
    sql = "with ins as (insert into a (id) select id from src returning id) select id from ins"
    lineage = column_lineage(sql, dialect="postgres", schema=TWO)
    assert str(lineage.writes) == "a"


def test_batch_answers_all_writes(tmp_path):
    batch = tmp_path / "batch.jsonl"
    script = "create table p as select id from src; create table q as select x from src"
    questions = [{"id": "two", "sql": script}, {"id": "one", "sql": "create table p as select id from src"}]
    batch.write_text("\n".join(json.dumps({**question, "schema": TWO}) for question in questions))
    two, one = (json.loads(answer) for answer in answer_batch(batch))
    assert [each["writes"] for each in two["lineages"]] == ["p", "q"]
    assert list(two["lineages"][0]["columns"]) == ["id"]
    assert (two["writes"], list(two["columns"])) == ("q", ["x"])
    assert (one["writes"], "lineages" in one) == ("p", False)


@pytest.mark.parametrize(
    ("dialect", "procedure"),
    [
        ("mysql", "create procedure p() begin declare n int; insert into a select id, x from b; select row_count() as aff_rows; end"),
        ("mysql", "create definer=`root`@`localhost` procedure p(in n int) begin if n > 1 then update a set x = 1; end if; select case when 1 then 2 end as aff_rows; end"),
        ("tsql", "create or alter proc p as begin try insert into a select id, x from b; end try begin catch select 1 as e end catch; select @@rowcount as aff_rows\ngo"),
        ("oracle", "create or replace procedure p is n int; begin insert into a select id, x from b; select count(*) as aff_rows into n from a; end p"),
        ("snowflake", "create procedure p() returns int language sql as begin insert into a select id, x from b; return 1; end"),
        ("postgres", "create function f() returns int language sql begin atomic insert into a select id, x from b; select 1 as aff_rows; end"),
        ("bigquery", "create or replace procedure d.p(out n int64) begin insert into a select id, x from b; set n = 1; end"),
    ],
)  # fmt: skip
def test_the_body_of_a_procedure_is_refused_as_a_whole(dialect, procedure):
    (alone,) = script_lineage(procedure, dialect=dialect, schema=TWO)
    assert (alone.columns, alone.reads, alone.writes) == ((), (), None)
    assert "is not analysed" in alone.error
    (after,) = script_lineage(f"{procedure};\nselect id from src", dialect=dialect, schema=TWO)
    assert [str(table) for table in after.reads] == ["src"]
    assert len(after.problems) == 1
