"""A query log as writes: shapes, temporary tables, transactions, dbt's comments, and what is not known."""

import pytest

from airflow_lineage_provider.lineage_map import Bindings
from airflow_lineage_provider.readers import READERS
from airflow_lineage_provider.readers.query_log import LoggedStatement, QueryLog, read_writes
from airflow_lineage_provider.readers.query_log import analysis as analysis_module
from airflow_lineage_provider.readers.query_log.shapes import shape_of, shown

DBT = '/* {"app": "dbt", "node_id": "model.shop.orders"} */\n'


def logged(*statements, dialect="postgres", **options):
    """Read statements, each `sql` or (session, user, sql)."""
    rows = [one if isinstance(one, tuple) else ("s", "", one) for one in statements]
    given = [
        LoggedStatement(sql, f"2026-01-01 00:00:{number:02}", user, session)
        for number, (session, user, sql) in enumerate(rows)
    ]
    return read_writes(QueryLog(given, dialect, **options), Bindings())


def flows(found):
    return sorted(f"{write.target} <- {', '.join(write.sources)}".rstrip() for write in found.writes)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("select 1, 'a'", "select  2,\n'b''c'"),
        ("select * from t where a in (1, 2)", "select * from t where a in (3,4,5)"),
        ("insert into t values (1, 'a'), (2, 'b')", "insert into t values (1, 'a')"),
        ("select a -- it's\nfrom t", 'select a /* "x" */ from t'),
        ("select $$a'b$$, E'\\'x'", "select $t$c$t$, E'y'"),
        ("select 1.5e-3", "select 10"),
    ],
)
def test_statements_that_differ_in_literals_and_comments_have_one_shape(first, second):
    assert shape_of(first, "postgres").text == shape_of(second, "postgres").text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("select a1 from t", "select a2 from t"),
        ('select "1" from t', 'select "2" from t'),
        ("copy t from 's3://a/x.csv'", "copy t from 's3://b/x.csv'"),
        ("select * from read_parquet('a.parquet')", "select * from read_parquet('b.parquet')"),
    ],
)
def test_statements_that_name_other_columns_or_files_have_other_shapes(first, second):
    assert shape_of(first, "duckdb").text != shape_of(second, "duckdb").text


@pytest.mark.parametrize(
    "sql",
    [
        "insert into t values ('topsecret', 4111111111111111)",
        "insert into t values ('topsecret 4111111111111111",
        "insert into t select $x$topsecret 4111111111111111",
        "insert into t /* topsecret 4111111111111111",
        "call f('topsecret', 4111111111111111)",
        "copy t from 's3://user:topsecret@bucket/x.csv'",
        "insert into t select 'topsecret' = E'\\'topsecret', 4111111111111111 fro",
    ],
)
def test_literals_are_never_shown(sql):
    found = logged(sql)
    text = repr([*found.problems, *found.gaps, *(write.statement for write in found.writes), shown(sql, "")])
    assert "topsecret" not in text
    assert "4111" not in text


def test_an_expression_with_a_literal_is_not_kept():
    (write,) = logged("create table t as select a || 'topsecret' as b, upper(c) as d from s").writes
    assert [edge.transformations[0].expression for edge in write.column_edges] == ["", "UPPER(c)"]


def test_equal_shapes_are_one_write_with_its_times():
    (write,) = logged(
        "insert into t (a) select a from s where b = 1", "insert into t (a) select a from s where b = 2"
    ).writes
    assert (write.calls, write.first, write.last) == (2, "2026-01-01 00:00:00", "2026-01-01 00:00:01")


def test_parameters_without_blanks_are_no_dollar_quotes():
    found = logged("insert into t (a, b) select a, $1 from s where b in ($2,$3) and c = $tag$x$tag$")
    assert (flows(found), found.problems) == (["t <- s"], ())


@pytest.mark.parametrize(
    "what", ["extension x", "index i on t (a)", "role r", "schema s", "user u password 'p'"]
)
def test_what_is_created_beside_tables_is_no_problem(what):
    found = logged(f"create {what}")
    assert (found.writes, found.problems, found.gaps) == ((), (), ())


def test_a_temporary_table_is_followed_over_its_session():
    found = logged(
        ("one", "ann", "create temp table x as select a from s1"),
        ("two", "bob", "create temp table x as select a from s2"),
        ("one", "ann", "insert into x select a from s3"),
        ("one", "ann", "insert into t1 (b) select a from x"),
        ("two", "bob", "insert into t2 (b) select a from x"),
        ("six", "eve", "insert into t3 (b) select a from x"),
    )
    assert flows(found) == ["t1 <- s1, s3", "t2 <- s2", "t3 <- x"]


def test_without_sessions_temporary_tables_are_not_followed_and_it_is_said():
    found = logged(
        ("", "ann", "create temp table x as select a from s"),
        ("", "ann", "insert into t (a) select a from x"),
    )
    assert flows(found) == ["t <- x"]
    assert "the log names no session" in found.problems[0]


def test_a_temporary_table_does_not_hide_the_table_whose_name_it_has():
    found = logged(
        "create temp table t as select a from s",
        "insert into gold.t select a from t",
        default_schema="public",
    )
    assert flows(found) == ["gold.t <- public.s"]


def test_dbts_tables_count_under_their_last_name():
    found = logged(
        DBT + 'create table "gold"."orders__dbt_tmp" as (select a from silver.stg)',
        DBT + 'alter table "gold"."orders" rename to "orders__dbt_backup"',
        DBT + 'alter table "gold"."orders__dbt_tmp" rename to "orders"',
        DBT + 'drop table if exists "gold"."orders__dbt_backup" cascade',
    )
    assert flows(found) == ["gold.orders <- silver.stg"]
    assert found.writes[0].node == "model.shop.orders"


def test_numbered_intermediate_tables_of_dbt_are_one_shape():
    found = logged(
        *(
            sql
            for number in (105137, 201500)
            for sql in (
                f'create temporary table "o__dbt_tmp{number}" as (select a from silver.stg)',
                f'insert into gold.o (a) (select a from "o__dbt_tmp{number}")',
            )
        )
    )
    assert [(write.sources, write.calls) for write in found.writes] == [(("silver.stg",), 2)]


@pytest.mark.parametrize("end", ["rollback", "ROLLBACK;", "abort"])
def test_what_is_rolled_back_is_no_write(end):
    assert flows(logged("begin", "insert into t (a) select a from s", end)) == []


def test_a_script_in_one_text_is_read_statement_by_statement():
    found = logged(
        "begin; insert into t (a) select a from s; rollback",
        DBT
        + "create temp table x as select a from s; insert into u (a) select ';' || a from x; drop table x",
    )
    assert flows(found) == ["u <- s"]
    assert found.writes[0].node == "model.shop.orders"


def test_what_is_committed_is_a_write():
    found = logged("begin", "insert into t (a) select a from s", "commit", "rollback")
    assert flows(found) == ["t <- s"]


def test_a_table_that_its_session_drops_is_no_write():
    assert flows(logged("create table x as select a from s", "drop table x")) == []


def test_the_search_path_completes_names():
    found = logged(
        "set search_path to gold, public", "insert into t (a) select a from silver.s", default_schema="public"
    )
    assert flows(found) == ["gold.t <- silver.s"]


def test_a_comment_of_dbt_within_a_literal_attributes_nothing():
    found = logged(f"insert into t (a) select a from s where b = '{DBT}'")
    assert found.writes[0].node == ""


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("call load_orders()", "not in the log"),
        ("do $$ begin insert into t select 1; end $$", "not in the log"),
        ("insert into t selec", "could not be parsed"),
        ("insert into t select " + "(" * 500 + "1" + ")" * 500, "could not be parsed"),
        ("insert into t select '" + "x" * 1_100_000 + "'", "could not be parsed"),
        ("insert into t select \x00", "could not be parsed"),
    ],
)
def test_what_cannot_be_read_is_said(sql, reason):
    (problem,) = logged(sql).problems
    assert reason in problem


def test_a_statement_that_the_log_cut_off_is_said():
    log = QueryLog([LoggedStatement("insert into t select a from", truncated=True)], "postgres")
    (problem,) = read_writes(log, Bindings()).problems
    assert "cut it off" in problem


def test_columns_that_are_not_known_are_a_gap_and_no_missing_write():
    found = logged("create table t as select * from s")
    assert (flows(found), found.problems, len(found.gaps)) == (["t <- s"], (), 1)


def test_known_columns_expand_a_star():
    found = logged("create table t as select * from s", columns={"s": ["a", "b"]})
    assert [str(edge) for edge in found.writes[0].column_edges] == ["s.a -> t.a", "s.b -> t.b"]


def test_more_shapes_than_are_analysed_are_said(monkeypatch):
    monkeypatch.setattr(analysis_module, "MOST_SHAPES", 2)
    found = logged(*(f"insert into t{number} (a) select a from s" for number in range(5)))
    assert len(found.writes) == 2
    assert "3 statements were not analysed" in found.problems[0]


def test_a_query_log_is_a_kind_of_evidence():
    log = QueryLog([LoggedStatement("insert into gold.t (a) select a from silver.s")], "postgres")
    evidence = READERS["query"](log, Bindings())
    assert list(evidence.graph.edges) == [("silver.s", "gold.t")]
