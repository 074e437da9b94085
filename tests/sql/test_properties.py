"""Lineage against DuckDB: changing columns that are not sources of an output does not change the output.

Hypothesis generates statements. DuckDB runs each on random data, then again with new values in all columns
that are neither sources of an output nor indirect columns of the statement. The values of the output must be
the same; they are compared as a multiset.
"""

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.sql import column_lineage

SCHEMA = {"t": ["a", "b", "c", "d"], "u": ["a", "b", "c", "e"]}
ROWS = 7
AGGREGATES = ["sum", "min", "max", "count", "count(distinct", "bool_or(1 < "]
NAMES = "pqrsvwxyz"


@st.composite
def value(draw, columns, depth=2):
    """Draw an integer expression over some columns."""
    column = st.sampled_from(columns)
    kind = draw(
        st.sampled_from(["column"] * 3 + (["binary", "case", "coalesce", "nullif", "cast"] if depth else []))
    )
    if kind == "column":
        return draw(column)
    inner = value(columns, depth - 1)
    if kind == "binary":
        return f"({draw(inner)} {draw(st.sampled_from(['+', '-', '*']))} {draw(inner)})"
    if kind == "case":
        return f"case when {draw(inner)} > {draw(inner)} then {draw(inner)} else {draw(inner)} end"
    if kind == "coalesce":
        return f"coalesce({draw(inner)}, {draw(inner)})"
    if kind == "nullif":
        return f"nullif({draw(inner)}, {draw(inner)})"
    return f"({draw(inner)})::bigint"


@st.composite
def window(draw, columns):
    function = draw(st.sampled_from(["sum({})", "max({})", "count({})", "rank()", "dense_rank()"]))
    function = function.format(draw(value(columns, 1)))
    frame = f"partition by {draw(value(columns, 1))} order by {draw(st.sampled_from(columns))}"
    return f"{function} over ({frame})"


@st.composite
def query(draw, depth=3):
    """A statement and its output columns."""
    shapes = ["base"] if depth == 0 else SHAPES
    return draw(globals()[f"shape_{draw(st.sampled_from(shapes))}"](depth))


SHAPES = [
    *("base", "select", "select", "cte", "join", "using", "semi", "union", "by_name", "group", "windowed"),
    *("star", "scalar", "lateral", "alias", "unpivot", "pivot"),
]


def outputs(draw, expressions):
    names = NAMES[: len(expressions)]
    return ", ".join(f"{e} as {n}" for e, n in zip(expressions, names, strict=True)), list(names)


def some(columns, least=1, most=3):
    return st.lists(value(columns), min_size=least, max_size=most)


def where(draw, columns):
    return f" where {draw(value(columns, 1))} > {draw(value(columns, 1))}" if draw(st.booleans()) else ""


@st.composite
def shape_base(draw, depth):
    table = draw(st.sampled_from(["t", "u"]))
    return f"select * from {table}", SCHEMA[table]


@st.composite
def shape_select(draw, depth):
    inner, columns = draw(query(depth - 1))
    listed, names = outputs(draw, draw(some(columns)))
    return f"select {listed} from ({inner}) i{where(draw, columns)}", names


@st.composite
def shape_cte(draw, depth):
    inner, columns = draw(query(depth - 1))
    listed, names = outputs(draw, draw(some([f"k.{c}" for c in columns])))
    return f"with k as ({inner}) select {listed} from k", names


@st.composite
def shape_join(draw, depth):
    (left, lc), (right, rc) = draw(query(depth - 1)), draw(query(depth - 1))
    columns = [f"l.{c}" for c in lc] + [f"r.{c}" for c in rc]
    kind = draw(st.sampled_from(["join", "left join", "right join", "full join"]))
    listed, names = outputs(draw, draw(some(columns)))
    return f"select {listed} from ({left}) l {kind} ({right}) r on l.{lc[0]} = r.{rc[0]}", names


@st.composite
def shape_using(draw, depth):
    kind = draw(st.sampled_from(["join", "left join", "right join", "full join"]))
    if draw(st.booleans()):
        return f"select * exclude (b, c) from t {kind} u using (a)", ["a", "d", "e"]
    listed, names = outputs(draw, draw(some(["a", "t.b", "u.b", "d", "e"])))
    return f"select {listed} from t {kind} u using (a)", names


@st.composite
def shape_semi(draw, depth):
    inner, columns = draw(query(depth - 1))
    listed, names = outputs(draw, draw(some([f"l.{c}" for c in columns])))
    kind = draw(st.sampled_from(["semi", "anti"]))
    return f"select {listed} from ({inner}) l {kind} join u on u.a = l.{columns[0]}", names


@st.composite
def shape_union(draw, depth):
    (left, lc), (right, rc) = draw(query(depth - 1)), draw(query(depth - 1))
    width = min(len(lc), len(rc))
    top, bottom = ", ".join(lc[:width]), ", ".join(rc[:width])
    return f"select {top} from ({left}) union all select {bottom} from ({right})", lc[:width]


@st.composite
def shape_by_name(draw, depth):
    (left, lc), (right, rc) = draw(query(depth - 1)), draw(query(depth - 1))
    return f"({left}) union all by name ({right})", lc + [c for c in rc if c not in lc]


@st.composite
def shape_group(draw, depth):
    inner, columns = draw(query(depth - 1))
    key = draw(value(columns, 1))
    listed = []
    for expression in draw(some(columns)):
        function = draw(st.sampled_from(AGGREGATES))
        text = f"{function if '(' in function else function + '('} {expression})"
        only = f" filter (where {draw(value(columns, 1))} > 1)" if draw(st.booleans()) else ""
        listed.append(f"({text}{only})::int")
    text, names = outputs(draw, [key, *listed])
    having = f" having max({draw(st.sampled_from(columns))}) > 0" if draw(st.booleans()) else ""
    return f"select {text} from ({inner}) g group by 1{having}", names


@st.composite
def shape_windowed(draw, depth):
    inner, columns = draw(query(depth - 1))
    listed, names = outputs(draw, [draw(window(columns)), *draw(some(columns, 1, 2))])
    tail = f" qualify {draw(window(columns))} > 1" if draw(st.booleans()) else ""
    return f"select {listed} from ({inner}) w{tail}", names


@st.composite
def shape_star(draw, depth):
    inner, columns = draw(query(depth - 1))
    column = draw(st.sampled_from(columns))
    change = draw(st.sampled_from(["replace", "rename", "exclude", "columns"]))
    if change == "replace":
        return f"select * replace ({draw(value(columns))} as {column}) from ({inner})", columns
    if change == "rename":
        fresh = column + "m" * len("".join(columns))
        return f"select * rename ({column} as {fresh}) from ({inner})", [
            fresh if c == column else c for c in columns
        ]
    if change == "columns":
        return f"select max(columns('^{column}$')) over () from ({inner})", [column]
    if len(columns) == 1:
        return f"select * from ({inner})", columns
    return f"select * exclude ({column}) from ({inner})", [c for c in columns if c != column]


@st.composite
def shape_scalar(draw, depth):
    inner, columns = draw(query(depth - 1))
    subquery = f"(select max(u.b + {draw(value(columns, 1))}) from u where u.a = o.{columns[0]})"
    listed, names = outputs(draw, [subquery, *draw(some(columns, 1, 2))])
    return f"select {listed} from ({inner}) o", names


@st.composite
def shape_lateral(draw, depth):
    inner, columns = draw(query(depth - 1))
    qualified = [f"o.{c}" for c in columns]
    listed, names = outputs(draw, draw(some([*qualified, "l.m"])))
    return f"select {listed} from ({inner}) o, lateral (select {draw(value(qualified))} as m) l", names


@st.composite
def shape_alias(draw, depth):
    inner, columns = draw(query(depth - 1))
    first = draw(value(columns))
    return f"select {first} as fresh, fresh + {draw(value(columns))} as again from ({inner})", [
        "fresh",
        "again",
    ]


def shape_unpivot(depth):
    """INCLUDE NULLS: without it the values would influence the rows."""
    unpivot = "from (select * exclude (d) from t) unpivot include nulls (v for n in (b, c))"
    return st.just((f"select a, v from ({unpivot})", ["a", "v"]))


def shape_pivot(depth):
    pivot = "pivot t on b in (1, 2) using max(c) group by a"
    return st.just((f'select a, "1" as p, "2" as q from ({pivot})', ["a", "p", "q"]))


cells = st.lists(st.integers(-3, 3) | st.none(), min_size=ROWS, max_size=ROWS)


def tables(draw):
    return {table: {c: draw(cells) for c in columns} for table, columns in SCHEMA.items()}


@pytest.fixture(scope="module")
def engine():
    with duckdb.connect() as connection:
        yield connection


def run(engine, data, sql):
    for table, columns in data.items():
        rows = ", ".join(str(row) for row in zip(*columns.values(), strict=True)).replace("None", "null")
        engine.execute(f"create or replace table {table} ({', '.join(f'{c} int' for c in columns)})")
        engine.execute(f"insert into {table} values {rows}")
    found = engine.execute(sql)
    names = [column[0] for column in found.description]
    values = zip(*found.fetchall(), strict=True)
    return dict(zip(names, (sorted(v, key=repr) for v in values), strict=False)), names


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_only_sources_matter(engine, data):
    sql, _ = data.draw(query())
    lineage = column_lineage(sql, dialect="duckdb", schema=SCHEMA)
    assert lineage.problems == ()

    before = tables(data.draw)
    try:
        values, names = run(engine, before, sql)
    except (duckdb.OutOfRangeException, duckdb.ConversionException):
        return  # an overflow: nothing to compare
    assert [c.name for c in lineage.columns] == names
    decide = {(s.table.name, s.column) for s in lineage.indirect}
    other = tables(data.draw)
    for output in lineage.columns:
        kept = decide | {(s.table.name, s.column) for s in output.sources}
        after = {
            table: {c: before[table][c] if (table, c) in kept else cells for c, cells in columns.items()}
            for table, columns in other.items()
        }
        try:
            changed, _ = run(engine, after, sql)
        except (duckdb.OutOfRangeException, duckdb.ConversionException):
            continue
        assert changed.get(output.name) == values.get(output.name), (sql, output)
