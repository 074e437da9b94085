"""The drawing of a graph: no box hides a line, and every graph can be drawn."""

import re
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from airflow_lineage_provider.lineage_map import load_map
from airflow_lineage_provider.reports.drawing import draw
from airflow_lineage_provider.reports.html_map import render_html
from airflow_lineage_provider.reports.layout import layout

PIPELINE = load_map(Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml").content
NAMES = st.sampled_from("abcdefgh")
EDGES = st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=20)
HALF_BOX = 18


def test_no_edges_are_no_drawing():
    assert draw([]) == ""


def test_a_line_passes_beside_the_boxes_between_its_ends():
    plan = layout([("a", "b"), ("b", "c"), ("a", "c")])
    box, lane = sorted(plan.columns[1], key=lambda slot: slot.lane)
    assert (box.name, lane.name, lane.lane) == ("b", "a", True)
    assert abs(plan.heights[box] - plan.heights[lane]) > HALF_BOX


def test_an_edge_that_closes_a_cycle_is_dashed():
    drawing = draw([("a", "b"), ("b", "c"), ("c", "b")])
    assert drawing.count("<rect") == 3
    assert drawing.count("stroke-dasharray") == 1


def test_a_dataset_that_is_made_from_itself_has_no_line_to_itself():
    drawing = draw([("a", "b"), ("b", "b")])
    assert (drawing.count("<rect"), drawing.count("<path")) == (2, 1)


def test_two_datasets_with_one_label_are_two_boxes():
    drawing = draw([("crm/orders", "lake/orders")], {"crm/orders": "orders", "lake/orders": "orders"})
    assert drawing.count(">orders</text>") == 2
    assert "<title>lake/orders</title>" in drawing


def test_a_name_is_shown_shortened_and_escaped():
    drawing = draw([("a", "<b>" + "x" * 500)])
    assert "<b>" not in drawing
    assert "…" in drawing
    assert int(re.search(r'width="(\d+)"', drawing)[1]) < 600


def test_the_reference_map_fits_a_page_of_1000_pixels():
    width = int(re.search(r"min-width:(\d+)px", render_html(PIPELINE))[1])
    assert width <= 934  # what margins, frame and scroll bar leave


def test_a_name_stands_below_its_schema():
    drawing = draw([("crm.public.orders", "Customer Analytics Dashboard")])
    assert re.findall(r">([^<>]+)</text>", drawing) == [
        "crm.public",
        "orders",
        "Customer",
        "Analytics Dashboard",
    ]


def test_lines_do_not_cross_where_they_need_not():
    plan = layout([("a", "y"), ("b", "x"), ("c", "z"), ("a", "y2")])
    first, second = ([slot.name for slot in column] for column in plan.columns)
    made_from = {"y": "a", "y2": "a", "x": "b", "z": "c"}
    places = [first.index(made_from[name]) for name in second]
    assert places == sorted(places)


@given(EDGES)
def test_every_name_has_one_box_and_every_segment_spans_one_rank(edges):
    plan = layout(edges)
    boxes = [slot.name for column in plan.columns for slot in column if not slot.lane]
    assert sorted(boxes) == sorted({name for edge in edges for name in edge})
    assert all(start.rank + 1 == end.rank for start, end, _ in plan.segments)


@given(EDGES)
def test_nothing_in_a_rank_overlaps(edges):
    plan = layout(edges)
    for column in plan.columns:
        for above, below in pairwise(column):
            needed = sum(HALF_BOX for slot in (above, below) if not slot.lane)
            assert plan.heights[below] - plan.heights[above] > needed
