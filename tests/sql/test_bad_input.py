"""Invalid or oversized input: an error of one line, for that statement only."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.sql import column_lineage
from airflow_lineage_provider.sql.command import answer_batch

DEEP = 10_000
REFUSED = {
    "a word": ("hello world", "is not a SQL statement"),
    "a sentence": ("this is no sql at all, really", "line 1, column"),
    "an open quote": ("select 'abc\nfrom t", "' is not closed"),
    "a clause without a condition": ("select a from t where )", "line 1, column 23, at ')'"),
    "ten thousand parentheses": ("select " + "(" * DEEP + "1" + ")" * DEEP, "nested more than"),
    "ten thousand brackets": ("select " + "[" * DEEP + "]" * DEEP, "nested more than"),
    "ten thousand CASEs": (
        "select " + "case when a then b else " * DEEP + "1" + " end" * DEEP,
        "nested more than",
    ),
    "ten thousand NOTs": ("select " + "not " * DEEP + "1", "'not' is repeated more than"),
    "ten thousand minus signs": ("select " + "- " * DEEP + "1", "'-' is repeated more than"),
    "ten thousand nested joins": ("select 1 from " + "a join " * DEEP + "b " + "on 1 " * DEEP, "joins"),
    "FROM without end": ("from " * DEEP, "'from' is repeated more than"),
    "five megabytes": (
        "select " + ", ".join(f"a{i}" for i in range(700_000)) + " from t",
        "at most 1,000,000 are",
    ),
    "a template": ("select *\nfrom {{ ref('stg_orders') }}", "line 2: {{ is a template: compile it first"),
    "a template's statement": ("{% if target.name == 'x' %} select 1 {% endif %}", "{% is a template"),
    "binary": (bytes(range(256)).decode("latin-1"), "not text: character 0 is"),
    "an unknown dialect": ("select 1", "Unknown dialect 'klingon'"),
}


def sources(lineage, name):
    """The sources of one output column."""
    return next(column.sources for column in lineage.columns if column.name == name)


@pytest.mark.parametrize(("sql", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_in_one_line(sql, reason):
    lineage = column_lineage(sql, dialect="klingon" if "klingon" in reason else "snowflake", schema={})
    assert reason in lineage.error
    assert "\n" not in lineage.error
    assert lineage.columns == ()


WIDE = {
    "twenty thousand terms": ("select " + " + ".join(["a"] * 20_000) + " as x from t", ["a"]),
    "a long union": (" union all ".join(["select a as x from t"] * 5_000), ["a"]),
    "a long chain of CTEs": (
        "with c0 as (select a as x from t), "
        + ", ".join(f"c{i} as (select * from c{i - 1})" for i in range(1, 2_000))
        + " select * from c1999",
        ["a"],
    ),
    "CTEs that double": (
        "with c0 as (select a as x from t), "
        + ", ".join(f"c{i} as (select l.x + r.x as x from c{i - 1} l, c{i - 1} r)" for i in range(1, 60))
        + " select * from c59",
        ["a"],
    ),
    "a hundred and forty parentheses": ("select " + "(" * 140 + "a" + ")" * 140 + " as x from t", ["a"]),
}


@pytest.mark.parametrize(("sql", "columns"), WIDE.values(), ids=WIDE)
def test_large_but_good(sql, columns):
    lineage = column_lineage(sql, dialect="duckdb", schema={})
    assert lineage.problems == ()
    assert [s.column for s in sources(lineage, "x")] == columns


def test_braces_in_a_literal_are_not_a_template():
    assert column_lineage("select '{{ x }}' as a -- {{ y }}\nfrom t", dialect="", schema={}).problems == ()


def test_an_invalid_statement_does_not_affect_the_rest_of_a_script():
    lineage = column_lineage("select ) ;\ncreate table x as select a from t", dialect="duckdb", schema={})
    assert sources(lineage, "a")[0].column == "a"
    assert [str(p) for p in lineage.problems] == [
        "line 1, column 8, at ')': Invalid expression / Unexpected token"
    ]


BAD_LINES = [
    "no json",
    "[]",
    '{"id": "no sql"}',
    '{"id": "odd sql", "sql": 7}',
    '{"id": "odd schema", "sql": "select a from t", "schema": ["t"]}',
    '{"id": "odd dialect", "sql": "select 1", "dialect": "klingon"}',
    '{"id": "bad sql", "sql": "select ) from"}',
]


def test_an_invalid_line_does_not_affect_the_rest_of_a_batch(tmp_path):
    batch = tmp_path / "batch.jsonl"
    good = json.dumps({"id": "good", "sql": "select a from t", "dialect": None, "schema": None})
    batch.write_text("\n".join([*BAD_LINES, "", good]))
    answers = [json.loads(line) for line in answer_batch(batch)]
    assert [answer["id"] for answer in answers] == [
        *(1, 2, "no sql", "odd sql", "odd schema", "odd dialect", "bad sql"),
        "good",
    ]
    assert all("\n" not in answer["error"] for answer in answers[:-1])
    assert answers[-1]["error"] is None
    assert answers[-1]["columns"] == {
        "a": [{"table": "t", "column": "a", "type": "DIRECT", "subtype": "IDENTITY"}]
    }


def test_a_missing_batch_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        list(answer_batch(tmp_path / "none.jsonl"))


WORDS = """
    select from where group by having qualify order limit with recursive as ( ) , ; . * a b t t.a 'x' 1 $1
    case when then else end over partition window join left semi using on natural lateral unnest flatten
    values union all by name except pivot unpivot for in insert into update set merge matched not delete
    create table view temp drop alter rename to copy distinct exists any cast :: -> => [ ] { } : = + - ||
    columns exclude replace interval null is between like @s # `q` "Q"
"""


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS.split()), max_size=30),
    st.sampled_from(["", "duckdb", "snowflake", "bigquery", "tsql"]),
)
def test_words_in_any_order_never_raise(words, dialect):
    lineage = column_lineage(" ".join(words), dialect=dialect, schema={"t": ["a", "b"]})
    assert all("\n" not in str(problem) for problem in lineage.problems)
    assert not any("please report it" in str(problem) for problem in lineage.problems)
