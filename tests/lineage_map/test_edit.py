"""Edits of a map's text: the value at a path changes, every other line stays byte for byte."""

import difflib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_lineage_provider.lineage_map import MapError
from airflow_lineage_provider.lineage_map.edit import Edit, edited

TEXT = """\
# The contract: Ünï cödé 😀 first.
document: {title: "A 'map'"}   # title

layers:
  silver:
    tables:
      orders:   # one row an order
        from:
          - raw.orders     # from the shop
          - raw.items
        columns:
          id:
          total: {from: [a, b]}  # sum

      empty:
  gold:
    tables:
      short: {from: silver.orders}
"""


def changed(text, *edits):
    """The lines that the edits remove and add."""
    diff = difflib.ndiff(text.splitlines(), edited(text, edits).splitlines())
    return [line for line in diff if line[0] in "+-"]


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (
            Edit(("layers", "silver", "tables", "orders", "columns", "total"), {"from": ["a"]}),
            ["-           total: {from: [a, b]}  # sum", "+           total: {from: [a]}  # sum"],
        ),
        (
            Edit(("layers", "silver", "tables", "orders", "columns", "total", "type"), "INT"),
            [
                "-           total: {from: [a, b]}  # sum",
                "+           total: {from: [a, b], type: INT}  # sum",
            ],
        ),
        (Edit(("layers", "silver", "tables", "orders", "columns", "new")), ["+           new:"]),
        (
            Edit(("layers", "silver", "tables", "orders", "columns", "id"), {"type": "INT"}),
            ["-           id:", "+           id: {type: INT}"],
        ),
        (
            Edit(("layers", "silver", "tables", "orders", "columns", "total"), remove=True),
            ["-           total: {from: [a, b]}  # sum"],
        ),
        (
            Edit(("layers", "silver", "tables", "orders", "from"), ["raw.orders", "raw.new"]),
            ["-           - raw.items", "+           - raw.new"],
        ),
        (
            Edit(("layers", "gold", "tables", "short", "from"), ["silver.orders", "silver.empty"]),
            [
                "-       short: {from: silver.orders}",
                "+       short: {from: [silver.orders, silver.empty]}",
            ],
        ),
        (
            Edit(("layers", "gold", "tables", "more"), {"from": ["x"]}),
            ["+       more: {from: [x]}"],
        ),
        (
            Edit(("layers", "silver", "tables", "empty", "from"), ["x"]),
            ["-       empty:", "+       empty: {from: [x]}"],
        ),
        (Edit(("policy", "not-read"), "note"), ["+ policy: {not-read: note}"]),
        (
            Edit(("layers", "gold", "tables", "short"), remove=True),
            ["-       short: {from: silver.orders}", "+       {}"],
        ),
        (Edit(("layers", "nowhere"), remove=True), []),
    ],
)
def test_one_edit_changes_its_lines_only(edit, lines):
    found = [line.rstrip() for line in changed(TEXT, edit) if not line.startswith("?")]
    assert found == lines


def test_edits_of_one_mapping_are_made_together():
    table = ("layers", "silver", "tables", "orders")
    text = edited(
        TEXT,
        [
            Edit((*table, "columns", "id"), remove=True),
            Edit((*table, "columns", "x")),
            Edit((*table, "columns", "y"), "total"),
        ],
    )
    assert yaml.safe_load(text)["layers"]["silver"]["tables"]["orders"]["columns"] == {
        "total": {"from": ["a", "b"]},
        "x": None,
        "y": "total",
    }


def test_a_file_without_a_last_newline_gets_a_line_of_its_own():
    assert (
        edited("document: {}", [Edit(("policy",), {"cycle": "note"})])
        == "document: {}\npolicy: {cycle: note}\n"
    )


def test_a_list_where_a_mapping_is_needed_is_said_with_its_line():
    with pytest.raises(MapError, match="'tables' must be a mapping here"):
        edited(
            "layers:\n  a:\n    tables: [x]\n",
            [Edit(("layers", "a", "tables", "x", "from"), ["y"])],
            "m.yaml",
        )


PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
VALUE = (
    st.none() | PLAIN | st.lists(PLAIN, max_size=3) | st.dictionaries(PLAIN, st.none() | PLAIN, max_size=3)
)


@settings(deadline=None)
@given(key=PLAIN.filter(bool), value=VALUE)
def test_whatever_is_written_is_read_back(key, value):
    path = ("layers", "gold", "tables", key)
    assert yaml.safe_load(edited(TEXT, [Edit(path, value)]))["layers"]["gold"]["tables"][key] == value


@pytest.mark.parametrize("name", ["customer_analytics_pipeline.yaml"])
def test_a_removed_key_is_the_only_difference(name):
    text = (Path(__file__).parents[2] / "dags" / name).read_text()
    data = yaml.safe_load(text)
    for layer, part in data["layers"].items():
        for table in part["tables"]:
            after = edited(text, [Edit(("layers", layer, "tables", table), remove=True)])
            expected = yaml.safe_load(text)
            del expected["layers"][layer]["tables"][table]
            assert yaml.safe_load(after) == expected
            kept = iter(text.splitlines())
            assert all(line in kept for line in after.splitlines()), "the other lines stay, in order"


COMMENTED = """\
layers:
  gold:
    tables:
      block:
        from:
          - a.a   # first
          # the second
          - b.b
      flow:
        from: [
          a.a,   # first
          # the second
          "b.b",
          c.c    # third
        ]
"""


@pytest.mark.parametrize(
    ("table", "value", "lines"),
    [
        ("block", "b.b", ["-           - a.a   # first"]),
        ("block", ["a.a", "b.b", "c.c"], ["+           - c.c"]),
        ("flow", ["a.a", "c.c"], ['-           "b.b",']),
        (
            "flow",
            "a.a",
            ['-           "b.b",', "-           c.c    # third", "+               # third"],
        ),
        (
            "flow",
            ["a.a", "b.b", "c.c", "d.d"],
            ["-           c.c    # third", "+           d.d, c.c    # third"],
        ),
    ],
)
def test_comments_inside_a_list_stay(table, value, lines):
    edit = Edit(("layers", "gold", "tables", table, "from"), value)
    after = edited(COMMENTED, [edit])
    diff = difflib.ndiff(COMMENTED.splitlines(), after.splitlines())
    assert sorted(line for line in diff if line[0] in "+-") == sorted(lines)
    found = yaml.safe_load(after)["layers"]["gold"]["tables"][table]["from"]
    assert set(found) == ({value} if isinstance(value, str) else set(value))


def test_a_list_on_several_lines_can_be_replaced_as_a_whole():
    after = edited(COMMENTED, [Edit(("layers", "gold", "tables", "flow", "from"), ["x.x", "y.y"])])
    assert yaml.safe_load(after)["layers"]["gold"]["tables"]["flow"]["from"] == ["x.x", "y.y"]
    assert "# the second" in after
