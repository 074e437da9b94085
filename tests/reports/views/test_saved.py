"""A validation in the event store: what is read back is what was compared."""

import pytest

from airflow_lineage_provider.checks import validate
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.readers import read_evidence
from airflow_lineage_provider.reports.views import saved as module
from airflow_lineage_provider.reports.views.lineage import observed_run, validated_run
from airflow_lineage_provider.reports.views.run_events import RunEvents
from airflow_lineage_provider.reports.views.saved import SavedValidationError, from_bytes, to_bytes
from airflow_lineage_provider.reports.views.validation import saved_validation
from tests.plugins.seeds import BEGIN, Table, events_of, map_text

TABLES = [
    Table("bronze.orders", ("id", "amount")),
    Table("silver.orders", ("id", "amount"), ("bronze.orders",)),
    Table("gold.revenue", ("amount",), ("silver.orders",)),
]
EXTRA = Table("gold.extra", ("amount",), ("silver.orders",))


def saved(observed):
    text = map_text("sales", TABLES)
    lineage_map = parse_map(text, "/srv/airflow/dags/sales.yaml")
    events = events_of("sales", "root", observed, BEGIN)
    found = validate(read_evidence("event", events, lineage_map, "dev"), lineage_map, environment="dev")
    return saved_validation(found, lineage_map, text, "dev"), events


def everything(graph):
    return graph.datasets, graph.edges, dict(graph.made_from)


def test_what_was_saved_is_read_back():
    before, _ = saved([*TABLES, EXTRA])
    after = from_bytes(to_bytes(before))
    assert everything(after.documented) == everything(before.documented)
    assert everything(after.observed) == everything(before.observed)
    assert (after.facts, after.edges, after.findings) == (before.facts, before.edges, before.findings)
    assert after.names == before.names


def test_of_the_map_s_path_only_the_name_is_kept():
    before, _ = saved(TABLES)
    assert before.facts.file == "sales.yaml"


@pytest.mark.parametrize("payload", [b"", b"not compressed", to_bytes(saved(TABLES)[0])[:-20]])
def test_damaged_content_is_an_error_that_says_what_to_do(payload):
    with pytest.raises(SavedValidationError, match="run the validation again"):
        from_bytes(payload)


def test_a_validation_that_is_too_large_is_kept_without_its_columns_edges(monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    before, _ = saved(TABLES)
    after = from_bytes(to_bytes(before))
    assert after.observed.edges == before.observed.edges
    assert not after.observed.made_from
    assert "shows tables only" in after.notes[-1]


def states(lineage):
    return {target: state for (_, target), state in lineage.states.items()}


def test_a_run_that_goes_on_is_shown_beside_the_map_of_an_earlier_one():
    earlier, _ = saved(TABLES)
    begun = events_of("sales", "root", TABLES[:2], BEGIN)
    lineage = observed_run(begun, RunEvents(), earlier)
    assert states(lineage) == {"silver.orders": "verified", "gold.revenue": "documented"}
    assert not lineage.compared


def test_a_run_of_a_dag_without_a_map_shows_what_flowed():
    lineage = observed_run(events_of("sales", "root", TABLES, BEGIN), RunEvents(), None)
    assert set(states(lineage).values()) == {"observed"}


def test_a_compared_run_has_the_verdicts():
    before, _ = saved([*TABLES[:2], EXTRA])
    lineage = validated_run(before, RunEvents())
    assert states(lineage) == {
        "silver.orders": "verified",
        "gold.revenue": "missing",
        "gold.extra": "undeclared",
    }
