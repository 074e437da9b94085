"""What a change reaches, and what it does there."""

import pytest

from airflow_lineage_provider.graph import (
    Change,
    ColumnEdge,
    ColumnRef,
    Dataset,
    Edge,
    Graph,
    Transformation,
    consumers,
    effects,
    impact,
    narrow,
    select,
    trace,
)


def ref(text):
    return ColumnRef(*text.split("."))


def column_edge(text, subtype="IDENTITY", expression="", kind="DIRECT"):
    source, target = text.split(" -> ")
    return ColumnEdge(ref(source), ref(target), (Transformation(kind, subtype, expression),))


ORDERS = Graph(
    [
        Dataset("board", kind="dashboard", system="Tableau", owners=("bi",)),
        Dataset("mart", layer="gold", owners=("data",)),
    ],
    [Edge("mart", "board"), Edge("raw", "other"), Edge("raw", "mart")],
    [
        column_edge("raw.amount -> staged.amount", "TRANSFORMATION", "CAST(amount AS INT)"),
        column_edge("raw.id -> staged.id"),
        column_edge("staged.amount -> mart.total", "AGGREGATION", "SUM(amount)"),
        column_edge("staged.id -> mart.*", "JOIN", kind="INDIRECT"),
    ],
)


def reached(found):
    return {str(r): hops for r, (hops, _) in found.nodes.items() if hops}


def test_columns_where_they_are_known_and_tables_where_they_are_not():
    assert reached(impact(ORDERS, [ref("raw.amount")])) == {
        "staged.amount": 1,
        "other.*": 1,  # reads raw; which columns is not known
        "mart.total": 2,
        "board.*": 3,
    }


def test_a_documented_shortcut_does_not_widen_the_impact():
    assert "mart.*" not in reached(impact(ORDERS, [ref("raw.amount")]))


def test_a_join_key_reaches_the_whole_table_if_asked():
    assert "mart.*" not in reached(impact(ORDERS, [ref("staged.id")]))
    assert reached(impact(ORDERS, [ref("staged.id")], indirect=True)) == {"mart.*": 1, "board.*": 2}


def test_a_whole_table_reaches_what_any_of_its_columns_does():
    assert reached(impact(ORDERS, [ref("staged.*")])) == {"mart.total": 1, "board.*": 2}


def test_consumers_and_filters():
    found = impact(ORDERS, [ref("raw.amount")])
    assert [dataset.name for dataset in consumers(ORDERS, found)] == ["board"]
    assert [d.name for d in select(ORDERS, found, layers=["gold"])] == ["mart"]
    assert [d.name for d in select(ORDERS, found, owners=["bi"], kinds=["dashboard"])] == ["board"]
    assert select(ORDERS, found, systems=["Snowflake"]) == []


def test_an_impact_narrowed_to_some_datasets_keeps_the_way_to_them():
    found = impact(ORDERS, [ref("raw.amount")])
    assert reached(narrow(found, select(ORDERS, found, layers=["gold"]))) == {
        "staged.amount": 1,
        "mart.total": 2,
    }


def test_trace_is_the_way_back():
    assert list(reached(trace(ORDERS, [ref("mart.total")]))) == ["staged.amount", "raw.amount"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            Change.TYPE,
            {"staged.amount": "holds", "mart.total": "holds", "board.*": "holds", "other.*": "may break"},
        ),
        (
            Change.DROP,
            {
                "staged.amount": "breaks",
                "mart.total": "fed by what breaks",
                "board.*": "fed by what breaks",
                "other.*": "may break",
            },
        ),
    ],
)
def test_the_effect_of_a_change(change, expected):
    found = impact(ORDERS, [ref("raw.amount")])
    found_effects = effects(ORDERS, found, change, lambda expression: expression.startswith("CAST"))
    assert {str(r): str(effect) for r, effect in found_effects.items()} == expected


def test_a_copy_hands_a_new_type_on_and_an_aggregation_may_break():
    graph = Graph(
        column_edges=[column_edge("a.x -> b.x"), column_edge("b.x -> c.x", "AGGREGATION", "SUM(x)")]
    )
    found_effects = effects(graph, impact(graph, [ref("a.x")]), Change.TYPE, lambda _: False)
    assert {str(r): str(e) for r, e in found_effects.items()} == {"b.x": "changes type", "c.x": "may break"}


def test_the_provenance_of_equal_edges_is_merged():
    first, second = Edge("a", "b", provenance=("one",)), Edge("a", "b", job="j", provenance=("two", "one"))
    merged = Graph(edges=[first, second]).edges["a", "b"]
    assert (merged.job, merged.provenance) == ("j", ("one", "two"))
