"""The diff of two maps, and the consumers that the changes reach."""

import subprocess
from pathlib import Path

import pytest

from airflow_lineage_provider.checks.difference import difference
from airflow_lineage_provider.checks.revisions import read_revision
from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_map
from airflow_lineage_provider.reports.diff import diff_data, diff_markdown, diff_text

TEXT = (Path(__file__).parents[2] / "dags" / "customer_analytics_pipeline.yaml").read_text()
EVERYBODY = (
    "Customer Analytics Dashboard",
    "customer_engagement_features",
    "Executive KPI Report",
    "churn_prediction_model",
)


def changed(old, new):
    assert old in TEXT
    return difference(read_map(parse_map(TEXT)), read_map(parse_map(TEXT.replace(old, new))))


def test_an_expression():
    (change,) = changed("SUM(order_amount)}", "AVG(order_amount)}")
    assert (change.action, change.kind, change.subject) == (
        "changed",
        "expression",
        "gold.customer_orders_summary.total_revenue",
    )
    assert (change.was, change.now) == ("SUM(order_amount)", "AVG(order_amount)")
    assert set(change.consumers) == set(EVERYBODY)


def test_a_column_that_nobody_uses():
    (change,) = changed("          first_name: {type: VARCHAR}\n", "")
    assert (change.action, change.kind, change.consumers) == ("removed", "column", ())


def test_a_new_dashboard():
    (change,) = changed("feature_views:\n", "  Returns:\n    from: gold.customer_behavior\nfeature_views:\n")
    assert (change.action, change.kind, change.subject) == ("added", "dataset", "Returns")


def test_a_type_as_text_and_as_a_comment():
    changes = changed('type: "DECIMAL(10,2)"', 'type: "DECIMAL(12,2)"')
    assert diff_text(changes).splitlines()[0] == (
        "~ type           silver.stg_orders.order_amount: DECIMAL(10,2) -> DECIMAL(12,2)"
    )
    assert diff_markdown(changes).startswith(
        "### Lineage: 1 change, reaching 4 consumers\n\n| | Of | What | Reaches |"
    )
    assert diff_data(changes)[0]["kind"] == "type"


def test_nothing_changed():
    assert diff_text(()) == "Lineage is the same.\n"


def test_a_map_as_it_was_in_a_revision(tmp_path):
    def git(*command):
        names = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *names, *command], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "map.yaml").write_text("document: {title: first}")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "map.yaml").write_text("document: {title: second}")
    assert read_revision(tmp_path / "map.yaml", "HEAD") == "document: {title: first}"


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:x"])
def test_a_revision_that_is_not_there(tmp_path, revision):
    with pytest.raises(InputError, match=r"map.yaml at nowhere: |is not a git revision") as error:
        read_revision(tmp_path / "map.yaml", revision)
    assert "\n" not in str(error.value)
