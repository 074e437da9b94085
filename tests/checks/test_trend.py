from airflow_lineage_provider.checks.reconcile import Reconciliation
from airflow_lineage_provider.checks.trend import report_content, trend_of
from airflow_lineage_provider.graph import Code, Comparison, Finding


def reconciliation(*subjects, incomplete=()):
    findings = tuple(Finding(Code.EDGE_MISSING, subject, "") for subject in subjects)
    return Reconciliation(("map", "datahub"), Comparison(findings=findings), (), incomplete)


def test_the_first_time_everything_is_new():
    trend = trend_of(reconciliation("a", "b"), None, "2026-11-02T06:00:00Z")
    assert (trend.previous, trend.new, trend.gone) == ("", ("edge-missing a", "edge-missing b"), ())
    assert trend.since == {"edge-missing a": "2026-11-02", "edge-missing b": "2026-11-02"}


def test_what_is_new_gone_and_open_since_the_first_time():
    first = reconciliation("a", "b")
    content = report_content(first, trend_of(first, None, "2026-11-02T06:00:00Z"))
    content["made_at"] = "2026-11-02T06:00:00Z"
    trend = trend_of(reconciliation("b", "c"), content, "2026-11-09T06:00:00Z")
    assert (trend.new, trend.gone) == (("edge-missing c",), ("edge-missing a",))
    assert trend.since == {"edge-missing b": "2026-11-02", "edge-missing c": "2026-11-09"}
    assert trend.previous == "2026-11-02T06:00:00Z"


def test_of_an_incomplete_one_nothing_is_gone():
    first = reconciliation("a")
    content = report_content(first, trend_of(first, None, "2026-11-02T06:00:00Z"))
    trend = trend_of(reconciliation(incomplete=("datahub: down",)), content, "2026-11-09T06:00:00Z")
    assert trend.gone == ()
    assert trend.since == {"edge-missing a": "2026-11-02"}
