"""What both graphs state of a dataset or of a column, beside its lineage."""

import pytest

from airflow_lineage_provider.graph import Code, Column, Dataset, Graph, compare
from airflow_lineage_provider.graph.diff import diff


def graph(model=(), feature=()):
    """A model and a feature view with one feature, each with its properties."""
    features = {"count_7d": Column("count_7d", properties=feature)}
    return Graph([Dataset("churn", properties=model), Dataset("view", columns=features)])


def findings(expected, observed, **options):
    return [str(finding) for finding in compare(expected, observed, **options).findings]


WEEK, APPROVED = (("window", "7 days"),), (("approval", "Approved"), ("version", "3"))


@pytest.mark.parametrize(
    ("documented", "observed"),
    [
        (graph(APPROVED, WEEK), graph(APPROVED, WEEK)),
        (graph(APPROVED, WEEK), graph((("approval", "APPROVED "), ("version", "3")), WEEK)),
        (graph(APPROVED, WEEK), graph()),
        (graph(), graph(APPROVED, WEEK)),
    ],
    ids=["equal", "in another case", "not stated by the system", "not documented"],
)
def test_what_does_not_differ_is_no_finding(documented, observed):
    assert findings(documented, observed) == []


def test_a_property_that_differs_is_one_finding_with_both_values():
    assert findings(graph(APPROVED, WEEK), graph(APPROVED, (("window", "14 days"),))) == [
        "property-changed: view.count_7d: window is documented as 7 days and is 14 days"
    ]
    pending = (("approval", "PendingManualApproval"), ("version", "3"))
    (found,) = compare(graph(APPROVED), graph(pending)).findings
    assert (found.code, found.subject) == (Code.PROPERTY_CHANGED, "churn")
    assert (found.was, found.now) == ("Approved", "PendingManualApproval")


def test_what_differs_of_one_model_is_one_finding():
    other = graph((("approval", "Rejected"), ("version", "4")))
    assert findings(graph(APPROVED), other) == [
        (
            "property-changed: churn: approval is documented as Approved and is Rejected; "
            "version is documented as 3 and is 4"
        )
    ]


def test_a_dataset_out_of_scope_is_not_compared():
    other = graph((("version", "4"),))
    assert findings(graph(APPROVED), other, scope=lambda name: name != "churn") == []


def test_a_diff_of_two_maps_names_the_change_of_a_property():
    (change,) = diff(graph(APPROVED), graph((("approval", "Approved"), ("version", "4"))))
    assert (change.action, change.kind, change.subject) == ("changed", "property", "churn")
    assert (change.was, change.now) == ("3", "4")
