"""Drifts of Tableau from its map: each is found, alone, and the message says where both sides stand."""

from tableau_case import MAP, answer_of, validated
from tableau_site import site

from airflow_lineage_provider.graph import Verdict


def findings(nodes, text=MAP, **server):
    return validated(answer_of(nodes, **server), text).comparison.findings


def test_the_site_as_documented_agrees():
    comparison = validated(answer_of(site())).comparison
    assert [str(one) for one in comparison.findings] == []
    assert {(str(e.edge), e.verdict) for e in comparison.edges} == {
        ("gold.customer_behavior -> Customer Analytics Dashboard", Verdict.VERIFIED),
        ("Customer Analytics Dashboard -> Executive KPI Report", Verdict.VERIFIED),
    }
    assert comparison.column_edges[Verdict.VERIFIED] == 5
