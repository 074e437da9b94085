"""What changed between two revisions: what `validate` calls the same is no change."""

import pytest

from airflow_lineage_provider.checks.difference import difference
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_map

MAP = """
document: {}
layers:
  raw: {tables: {t: {columns: {amount: {type: INT}}}}}
  mart: {tables: {m: {from: raw.t, columns: {total: {type: "DECIMAL(10,2)", from: amount, expression: SUM(amount)}}}}}
"""  # noqa: E501


def changes(old, new):
    assert old in MAP
    before, after = (read_map(parse_map(text)) for text in (MAP, MAP.replace(old, new)))
    return [(change.action, change.kind, change.subject) for change in difference(before, after)]


@pytest.mark.parametrize(
    ("old", "new"),
    [("INT}", "INTEGER}"), ("DECIMAL(10,2)", "numeric(10, 2)"), ("SUM(amount)", "sum(amount)")],
)
def test_another_spelling_is_no_change(old, new):
    assert changes(old, new) == []


def test_another_type_and_another_expression_are_changes():
    assert changes("INT}", "BIGINT}") == [("changed", "type", "raw.t.amount")]
    assert changes("SUM(amount)", "MAX(amount)") == [("changed", "expression", "mart.m.total")]
