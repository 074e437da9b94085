"""What holds for every graph."""

from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.graph import (
    Code,
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Policy,
    Severity,
    Transformation,
    compare,
    diff,
    impact,
    trace,
)

NAMES = [f"l{rank}.t{number}" for rank in range(3) for number in range(3)]
names = st.sampled_from(NAMES)
columns = st.sampled_from("abc")
refs = st.builds(ColumnRef, names, columns)
expressions = st.sampled_from(["", "x", "x + 1"])
transformations = st.one_of(st.just(()), st.builds(lambda e: (Transformation(expression=e),), expressions))
everything = Policy(dict.fromkeys(Code, Severity.ERROR))


def forward(edge):
    return edge.source < edge.target


datasets = st.builds(
    lambda name, cols: Dataset(name, columns={c: Column(c, t) for c, t in cols.items()}),
    names,
    st.dictionaries(columns, st.sampled_from(["", "int", "text"]), max_size=3),
)
edges = st.builds(Edge, names, names).filter(forward)
column_edges = st.builds(ColumnEdge, refs, refs, transformations).filter(forward)
graphs = st.builds(
    Graph,
    st.lists(datasets, max_size=6, unique_by=lambda d: d.name),
    st.lists(edges, max_size=8),
    st.lists(column_edges, max_size=10),
)
column_graphs = st.builds(lambda made: Graph(column_edges=made), st.lists(column_edges, max_size=25))
table_graphs = st.builds(lambda made: Graph(edges=made), st.lists(edges, max_size=15))


@given(graphs)
def test_a_graph_agrees_with_itself(graph):
    comparison = compare(graph, graph, policy=everything)
    assert comparison.findings == ()
    assert {edge.verdict for edge in comparison.edges} <= {"VERIFIED"}
    assert diff(graph, graph) == ()


def subjects(comparison, *codes):
    return {f.subject for f in comparison.findings if f.code in codes}


@settings(max_examples=150)
@given(graphs, graphs)
def test_what_one_side_misses_the_other_has_unexpectedly(first, second):
    there, back = (compare(a, b, policy=everything) for a, b in ((first, second), (second, first)))
    for missing, unexpected in (
        (Code.DATASET_MISSING, Code.DATASET_UNEXPECTED),
        (Code.COLUMN_MISSING, Code.COLUMN_UNEXPECTED),
    ):
        if not subjects(there, Code.SATISFIED_THROUGH) | subjects(back, Code.SATISFIED_THROUGH):
            assert subjects(there, missing) == subjects(back, unexpected)
    assert subjects(there, Code.TYPE_CHANGED) == subjects(back, Code.TYPE_CHANGED)


@settings(max_examples=150)
@given(graphs, graphs)
def test_an_edge_is_verified_where_both_have_it(first, second):
    verdicts = {(e.edge.source, e.edge.target): e for e in compare(first, second).edges}
    for pair in first.edges.keys() & second.edges.keys():
        assert verdicts[pair].verdict == "VERIFIED"
    for pair in first.edges.keys() - second.edges.keys():
        assert verdicts[pair].verdict == ("VERIFIED" if verdicts[pair].through else "PHANTOM")
    assert verdicts.keys() == first.edges.keys() | second.edges.keys()


@given(graphs, graphs)
def test_no_findings_means_the_same_datasets_and_edges(first, second):
    if not compare(first, second, policy=everything).findings:
        assert first.datasets.keys() == second.datasets.keys()
        assert first.edges.keys() == second.edges.keys()


@given(column_graphs, refs, refs)
def test_impact_and_trace_are_inverse_on_columns(graph, start, end):
    reached = impact(graph, [start]).nodes
    traced = trace(graph, [end]).nodes
    assert (end in reached) == (start in traced)
    if end in reached:
        assert reached[end][0] == traced[start][0]


@given(table_graphs, names, names)
def test_impact_and_trace_are_inverse_on_tables(graph, start, end):
    whole = [ColumnRef(name, "*") for name in (start, end)]
    reached, traced = impact(graph, [whole[0]]).nodes, trace(graph, [whole[1]]).nodes
    assert (whole[1] in reached) == (whole[0] in traced)


@given(graphs, refs, st.integers(0, 4))
def test_hops_only_shorten_an_impact(graph, start, hops):
    whole, near = impact(graph, [start]).nodes, impact(graph, [start], hops=hops).nodes
    assert near == {ref: step for ref, step in whole.items() if step[0] <= hops}


@given(graphs)
def test_a_column_edge_implies_the_edge_and_an_edge_its_ends(graph):
    for edge in graph.column_edges:
        pair = (edge.source.dataset, edge.target.dataset)
        assert pair[0] == pair[1] or pair in graph.edges
    assert {name for pair in graph.edges for name in pair} <= graph.datasets.keys()
