"""Data sources of BI tools, and dashboards that stand on them, in the terms of a documented graph."""

from airflow_lineage_provider.graph import (
    Column,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Transformation,
    as_documented,
)


def dataset(name, kind="table", columns=()):
    return Dataset(name, kind, columns={one: Column(one) for one in columns})


def column(source, target, subtype="IDENTITY", expression=""):
    ends = (ColumnRef(*text.split(".")) for text in (source, target))
    return ColumnEdge(*ends, (Transformation(subtype=subtype, expression=expression),))


EXPECTED = Graph(
    [dataset("orders"), dataset("board", "dashboard"), dataset("report", "dashboard")],
    [Edge("orders", "board"), Edge("board", "report")],
)


def observed(*more, edges=(), columns=()):
    return Graph(
        [
            dataset("source", "data source"),
            dataset("board", "dashboard"),
            dataset("report", "dashboard"),
            *more,
        ],
        [Edge("orders", "source"), Edge("source", "board"), Edge("source", "report"), *edges],
        columns,
    )


def test_a_data_source_is_replaced_and_a_dashboard_stands_on_the_documented_one():
    graph = as_documented(EXPECTED, observed())
    assert set(graph.edges) == {("orders", "board"), ("board", "report")}
    assert set(graph.datasets) == {"orders", "board", "report"}


def test_a_data_source_on_a_data_source_is_followed():
    hub = dataset("inner", "data source")
    edges = [Edge("orders", "inner"), Edge("inner", "source"), Edge("source", "board")]
    graph = as_documented(EXPECTED, Graph([hub, dataset("source", "data source")], edges))
    assert set(graph.edges) == {("orders", "board")}


def test_data_sources_that_read_each_other_end():
    hubs = [dataset(name, "data source") for name in ("a", "b")]
    edges = [Edge("a", "b"), Edge("b", "a"), Edge("a", "board"), Edge("orders", "b")]
    columns = [
        column("a.x", "b.x"),
        column("b.x", "a.x"),
        column("a.x", "board.x"),
        column("orders.x", "b.x"),
    ]
    graph = as_documented(EXPECTED, Graph([*hubs, dataset("board", "dashboard", "x")], edges, columns))
    assert ("orders", "board") in graph.edges
    assert graph.column_edge(ColumnRef("orders", "x"), ColumnRef("board", "x"))


def test_columns_take_the_stronger_subtype_and_the_later_expression():
    columns = [
        column("orders.amount", "source.base"),
        column("source.base", "board.total", "AGGREGATION", "SUM([base])"),
        column("source.base", "report.kpi"),
    ]
    graph = as_documented(EXPECTED, observed(columns=columns))
    found = {str(edge): edge.transformations[0] for edge in graph.column_edges}
    assert found["orders.amount -> board.total"] == Transformation("DIRECT", "AGGREGATION", "SUM([base])")
    assert set(found) == {"orders.amount -> board.total", "board.total -> report.kpi"}


def test_a_dashboard_of_its_own_data_source_is_not_on_the_documented_one():
    graph = as_documented(
        EXPECTED,
        Graph(
            [dataset(name, "data source") for name in ("source", "own")],
            [Edge("orders", "source"), Edge("source", "board"), Edge("stock", "own"), Edge("own", "report")],
        ),
    )
    assert set(graph.edges) == {("orders", "board"), ("stock", "report")}


def test_consumers_of_nothing_documented_are_left_out_with_what_only_they_read():
    more = [dataset("stock board", "dashboard"), dataset("stock")]
    graph = as_documented(EXPECTED, observed(*more, edges=[Edge("stock", "stock board")]))
    assert set(graph.datasets) == {"orders", "board", "report"}


def test_an_undocumented_consumer_of_a_documented_table_stays():
    more = [dataset("churn", "dashboard"), dataset("extra")]
    graph = as_documented(EXPECTED, observed(*more, edges=[Edge("source", "churn"), Edge("extra", "churn")]))
    assert {("orders", "churn"), ("extra", "churn")} <= set(graph.edges)


def test_a_documented_data_source_stays():
    expected = Graph(
        [*EXPECTED.datasets.values(), dataset("source")], [Edge("orders", "source"), Edge("source", "board")]
    )
    assert ("source", "board") in as_documented(expected, observed()).edges


def test_a_graph_without_consumers_is_the_same_one():
    graph = Graph([], [Edge("orders", "lines")])
    assert as_documented(EXPECTED, graph) is graph
