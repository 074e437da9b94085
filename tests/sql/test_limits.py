# ruff: noqa: E501 - a case is a row
"""Any statement is analysed, or refused in one line, within 10 s of processor time and 512 MiB."""

import json
import resource
import subprocess
import sys

import pytest

SECONDS, MEBIBYTES = 10, 512
ANALYSE = """
import json, sys
from airflow_lineage_provider.sql import script_lineage
sql, dialect = json.load(sys.stdin)
last = script_lineage(sql, dialect=dialect, schema={})[-1]
# Not ru_maxrss, which begins at the memory of the process that forked this one.
(peak,) = (int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([peak, len(last.columns), [str(problem) for problem in last.problems]]))
"""


def numbered(text, count, joiner):
    return joiner.join(text.replace("#", str(i)).replace("@", str(i - 1)) for i in range(1, count + 1))


CHAIN = "c# as (select l.*, r.* from c@ l, c@ r)"
ANSWERED = {
    "equal output names": ("duckdb", "select " + ", ".join(["a"] * 12_000) + " from t"),
    "chained inserts": ("postgres", numbered("insert into t# (a, b) select a, b + 1 from t@", 5_000, "; ")),
    "chained tables": ("duckdb", numbered("create table t# as select a, b + 1 as b from t@", 5_000, "; ")),
    "inserts into one table": ("postgres", numbered("insert into t (a) select a from s# where b# > 1", 5_000, "; ")),
    "many CTEs": ("duckdb", "with " + numbered("c# as (select a from t#)", 15_000, ", ") + " select a from c1"),
    "chained aliases": ("snowflake", "select a as x0, " + numbered("x@ + x@ as x#", 4_000, ", ") + " from t"),
    "a wide union": ("duckdb", numbered("select a#, b, c, d from t#", 4_000, " union ")),
    "intersections": ("duckdb", numbered("select a, b from t#", 4_000, " intersect ")),
    "a comma join": ("duckdb", "select t1.a from " + numbered("t#", 4_000, ", ")),
    "a long IN list": ("postgres", "select a from t where a in (" + numbered("'#'", 90_000, ", ") + ")"),
    "a long CASE": ("snowflake", "select case " + numbered("when a = # then b#", 15_000, " ") + " end as x from t"),
    "a method chain": ("duckdb", "select a" + ".upper()" * 90 + " as x from t"),
    "a byte order mark": ("duckdb", "\ufeffselect a from t;\n\ufeffselect b from t"),
}  # fmt: skip
REFUSED = {
    "stars that double": ("duckdb", f"with c0 as (select a, b from t), {numbered(CHAIN, 40, ', ')} select * from c40"),
    "tables that double": ("duckdb", "create table t0 as select a, b from t; " + numbered("create table t# as select l.*, r.* from t@ l, t@ r", 40, "; ")),
    "a wide recursion": ("postgres", "with recursive r as (select " + numbered("c#", 400, ", ") + " from t union all select " + numbered("c@", 400, ", ").replace("c0,", "c400,") + " from r) select * from r"),
    "too many statements": ("duckdb", "select a from t; " * 30_000),
    "nested subqueries": ("duckdb", "select a from " + "(select a from " * 3_000 + "t" + ")" * 3_000),
}  # fmt: skip


def analysed(dialect, sql):
    """Analyse in a process with a limit of processor time; return the number of columns and the problems."""
    done = subprocess.run(
        [sys.executable, "-c", ANALYSE],
        input=json.dumps([sql, dialect]),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-500:]
    peak, columns, problems = json.loads(done.stdout)
    assert peak < MEBIBYTES
    assert not any("\n" in problem for problem in problems)
    return columns, problems


@pytest.mark.parametrize(("dialect", "sql"), ANSWERED.values(), ids=ANSWERED)
def test_large_statements_are_answered(dialect, sql):
    columns, problems = analysed(dialect, sql)
    assert columns > 0
    assert not any("more than" in problem or "too wide" in problem for problem in problems)


@pytest.mark.parametrize(("dialect", "sql"), REFUSED.values(), ids=REFUSED)
def test_exploding_statements_are_refused(dialect, sql):
    _, problems = analysed(dialect, sql)
    assert [p for p in problems if "more than" in p or "too wide" in p]
