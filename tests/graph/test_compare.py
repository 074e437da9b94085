"""One graph beside another: small cases, one finding each."""

import datetime as dt

import pytest

from airflow_lineage_provider.graph import (
    Acceptance,
    Code,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Policy,
    Provenance,
    Severity,
    Transformation,
    Verdict,
    compare,
)

TODAY = dt.date(2026, 1, 15)


def graph(*edges, **columns):
    """`a -> b` for datasets, `a.x -> b.y [expression]` for columns; columns as `a="x int, y"`."""
    tables, made = [], []
    for text in edges:
        flow, _, expression = text.partition(" [")
        source, target = flow.split(" -> ")
        if "." in source:
            how = (Transformation(expression=expression.rstrip("]")),) if expression else ()
            ends = (ColumnRef(*end.split(".")) for end in (source, target))
            made.append(ColumnEdge(*ends, how))
        else:
            tables.append(Edge(source, target))
    datasets = [
        Dataset(name, columns={c.split()[0]: Column(*c.split()) for c in listed.split(", ")})
        for name, listed in columns.items()
    ]
    return Graph(datasets, tables, made)


CASES = {
    "the same": (graph("a -> b"), graph("a -> b"), []),
    "an edge is gone": (
        graph("a -> b", "c -> b", "a -> c"),
        graph("a -> b", "a -> c"),
        ["edge-missing: c -> b is documented, and b was made without reading c"],
    ),
    "an edge is new": (
        graph("a -> b", "c -> d"),
        graph("a -> b", "c -> d", "a -> d"),
        ["edge-unexpected: d reads a, which the map does not document"],
    ),
    "a longer way": (
        graph("a -> c"),
        graph("a -> b", "b -> c"),
        ["satisfied-through: a -> c is satisfied through b"],
    ),
    "a longer way by two": (
        graph("a -> d"),
        graph("a -> b", "b -> c", "c -> d"),
        ["satisfied-through: a -> d is satisfied through b, c"],
    ),
    "a dataset is gone, with its edges": (
        graph("a -> b", "b -> c", "d -> c"),
        graph("d -> c"),
        [
            "dataset-missing: a is documented and was not produced",
            "dataset-missing: b is documented and was not produced",
        ],
    ),
    "a dataset is new, with its edges": (
        graph("a -> b"),
        graph("a -> b", "a -> zzz", "zzz -> y"),
        [
            "dataset-unexpected: y is not documented: it is made from zzz",
            "dataset-unexpected: zzz is not documented: it is made from a and read by y",
        ],
    ),
    "a column is gone": (
        graph("a -> b", b="x, y"),
        graph("a -> b", b="x"),
        ["column-missing: b.y is documented, and b has no such column"],
    ),
    "a column is new": (
        graph("a -> b", b="x"),
        graph("a -> b", b="x, y"),
        ["column-unexpected: b.y is not documented; b has this column"],
    ),
    "another type": (
        graph("a -> b", b="x INT"),
        graph("a -> b", b="x TEXT"),
        ["type-changed: b.x is documented as INT and is TEXT"],
    ),
    "a type in other capitals": (graph("a -> b", b="x int"), graph("a -> b", b="x INT"), []),
    "a column edge is gone": (
        graph("a.x -> b.y", "a.z -> b.y"),
        graph("a.x -> b.y"),
        ["column-edge-missing: a.z -> b.y is documented, and b.y is not made from a.z"],
    ),
    "a column edge is new": (
        graph("a.x -> b.y"),
        graph("a.x -> b.y", "a.z -> b.y"),
        ["column-edge-unexpected: b.y is made from a.z, which the map does not document"],
    ),
    "another expression": (
        graph("a.x -> b.y [x + 1]"),
        graph("a.x -> b.y [x + 2]"),
        ["expression-changed: b.y is documented as x + 1 and is x + 2"],
    ),
    "another expression of two columns is reported once": (
        graph("a.x -> b.y [x + z]", "a.z -> b.y [x + z]"),
        graph("a.x -> b.y [x - z]", "a.z -> b.y [x - z]"),
        ["expression-changed: b.y is documented as x + z and is x - z"],
    ),
    "an event that says nothing of columns": (graph("a.x -> b.y"), graph("a -> b"), []),
    "columns that neither graph lists": (graph("a -> b", b="x"), graph("a -> b"), []),
    "a column that is gone takes its edges with it": (
        graph("a.x -> b.y", "a.x -> b.z", b="y, z"),
        graph("a.x -> b.y", b="y"),
        ["column-missing: b.z is documented, and b has no such column"],
    ),
}


@pytest.mark.parametrize(("expected", "observed", "messages"), CASES.values(), ids=CASES)
def test_compare(expected, observed, messages):
    findings = compare(expected, observed).findings
    assert [f"{f.code}: {f.message}" for f in findings] == messages


def test_an_indirect_edge_is_not_held_against_a_map():
    key = ColumnEdge(ColumnRef("a", "k"), ColumnRef("b", "y"), (Transformation("INDIRECT", "JOIN"),))
    value = ColumnEdge(ColumnRef("a", "x"), ColumnRef("b", "y"))
    assert compare(Graph(column_edges=[value]), Graph(column_edges=[value, key])).findings == ()


def test_edges_out_of_scope_are_unobserved():
    (edge,) = compare(graph("a -> b"), Graph(), scope=lambda _: False).edges
    assert edge.verdict == "UNOBSERVED"


def test_a_policy_weighs_findings():
    lenient = Policy({Code.EDGE_UNEXPECTED: Severity.WARNING, Code.COLUMN_MISSING: Severity.IGNORE})
    expected, observed = graph("a -> b", "c -> d", b="x, y"), graph("a -> b", "c -> d", "a -> d", b="x")
    (finding,) = compare(expected, observed, policy=lenient).findings
    assert (finding.code, finding.severity) == (Code.EDGE_UNEXPECTED, Severity.WARNING)


def accepted_until(day):
    return Policy(
        accepted=(Acceptance(Code.COLUMN_MISSING, "b.*", "moving in March", day, Provenance("map")),),
        today=TODAY,
    )


def test_an_accepted_finding_does_not_count_until_its_day():
    comparison = compare(graph(b="x, y"), graph(b="x"), policy=accepted_until(TODAY))
    assert comparison.findings == ()
    assert [f.accepted for f in comparison.accepted] == ["moving in March, until 2026-01-15"]


def test_an_acceptance_that_has_ended_counts_again_and_says_so():
    comparison = compare(graph(b="x, y"), graph(b="x"), policy=accepted_until(dt.date(2026, 1, 14)))
    (finding,) = comparison.findings
    assert finding.message.endswith("its acceptance (moving in March) ended 2026-01-14")
    assert finding.severity is Severity.ERROR


def test_column_edges_are_counted_by_verdict():
    expected = graph("a.x -> b.x", "a.y -> b.y", "a.x -> c.x")
    observed = graph("a.x -> b.x", "a.z -> b.x", "a -> c")
    assert compare(expected, observed).column_edges == {
        Verdict.VERIFIED: 1,
        Verdict.PHANTOM: 1,
        Verdict.UNDECLARED: 1,
        Verdict.UNOBSERVED: 1,  # nothing says what c.x is made from
    }
