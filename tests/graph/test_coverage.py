"""How many columns of a dataset have a known origin."""

from airflow_lineage_provider.graph import (
    Column,
    Dataset,
    Edge,
    Graph,
    coverage,
)


def table(**gaps):
    columns = {name: Column(name, gap=gap) for name, gap in gaps.items()}
    return Graph([Dataset("t", columns=columns)], [Edge("s", "t")])


def test_a_dataset_says_how_much_of_it_is_known():
    (found,) = coverage(table(a="", b="", c="its SQL does not tell"))
    assert str(found) == "t: 2 of 3 columns resolved; c: its SQL does not tell"


def test_a_dataset_of_which_nothing_is_known_says_why_once():
    (found,) = coverage(table(a="the event has no column lineage", b="the event has no column lineage"))
    assert str(found) == "t: 0 of 2 columns resolved: the event has no column lineage"
