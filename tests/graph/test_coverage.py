"""How much is known, and who says so."""

from airflow_lineage_provider.graph import (
    Claim,
    Column,
    Dataset,
    Edge,
    Evidence,
    Graph,
    claims,
    combine,
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


def test_an_edge_says_who_claims_it_and_since_when():
    documented = Evidence(Claim.DOCUMENTED, file="map.yaml", line=3)
    runs = [Evidence(Claim.EVENT, job="t", run_id=run, at=f"2026-01-0{run}") for run in "21"]
    graph = combine(
        Graph(edges=[Edge("s", "t", evidence=(documented,))]),
        Graph(edges=[Edge("s", "t", evidence=tuple(runs))]),
    )
    assert claims(graph.edges["s", "t"]) == {"documented": documented, "event": runs[1]}
