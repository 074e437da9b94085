from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from airflow_lineage_provider.store import EventStore, StoreError
from airflow_lineage_provider.store.reports import add_report, reports

NOW = datetime(2026, 11, 9, 6, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    opened = EventStore(str(tmp_path / "lineage.db"))
    yield opened
    opened.close()


def test_reports_are_read_back_newest_first(store):
    for week in range(3):
        add_report(store, "reconciliation", "shop", NOW + timedelta(weeks=week), {"week": week})
    add_report(store, "reconciliation", "another", NOW, {})
    assert [one["week"] for one in reports(store, "reconciliation", "shop")] == [2, 1, 0]
    assert [one["week"] for one in reports(store, "reconciliation", "shop", last=1)] == [2]
    assert reports(store, "reconciliation", "shop")[-1]["made_at"] == "2026-11-09T06:00:00.000000Z"
    assert reports(store, "review", "shop") == []


def test_a_store_of_an_older_revision_has_none_until_it_is_upgraded(store, tmp_path):
    store.append([])
    engine = create_engine(f"sqlite:///{tmp_path / 'lineage.db'}")
    with engine.begin() as connection:
        for table in ("report", "notice", "validation"):  # what later revisions add
            connection.execute(text(f"drop table {table}"))
        connection.execute(text("update lineage_version set version_num = '0001'"))
    engine.dispose()
    older = EventStore(str(tmp_path / "lineage.db"))
    assert reports(older, "reconciliation", "shop") == []
    add_report(older, "reconciliation", "shop", NOW, {"week": 1})
    assert [one["week"] for one in reports(older, "reconciliation", "shop")] == [1]
    older.close()


def test_a_damaged_report_is_an_expected_error(store):
    add_report(store, "reconciliation", "shop", NOW, {})
    with store.database.write() as connection:
        connection.execute(text("update report set content = x'00'"))
    with pytest.raises(StoreError, match="damaged"):
        reports(store, "reconciliation", "shop")


def test_events_since_a_time(store):
    def event(name, time):
        run = {"runId": f"0190a0e2-0000-7000-8000-00000000000{name}"}
        return {
            "eventTime": time,
            "eventType": "COMPLETE",
            "run": run,
            "job": {"namespace": "n", "name": name},
        }

    store.append([event("1", "2026-11-01T00:00:00+01:00"), event("2", "2026-11-08T00:00:00Z")])
    found = store.events(since=datetime(2026, 11, 1, tzinfo=UTC))
    assert [one["job"]["name"] for one in found] == ["2"]
