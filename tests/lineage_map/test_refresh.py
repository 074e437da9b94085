"""The refresh of a dashboard, read from the words of a map."""

from datetime import UTC, datetime

import pytest

from airflow_lineage_provider.lineage_map.refresh import parse_refresh


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("Daily at 6 AM UTC", "daily 06:00 UTC"),
        ("every day at 18:30 UTC", "daily 18:30 UTC"),
        ("Daily, 12 am GMT", "daily 00:00 UTC"),
        ("daily at noon UTC", "daily 12:00 UTC"),
        ("Hourly", "hourly"),
        ("Weekly", "weekly"),
        ("once a month", "monthly"),
        ("Daily", "daily"),
    ],
)
def test_a_schedule_has_one_spelling(words, plain):
    assert str(parse_refresh(words)) == plain


@pytest.mark.parametrize(
    "words",
    [
        *("", "on demand", "every 15 minutes", "every 2 hours", "hourly, daily at night"),
        *("daily at 25:00 UTC", "daily at 13 pm UTC", "6 AM and 6 PM UTC daily", "daily 6:00, 18:00 UTC"),
    ],
)
def test_what_names_no_schedule_says_nothing(words):
    assert parse_refresh(words) is None


@pytest.mark.parametrize("words", ["Daily", "Daily at 6 AM", "Daily at 6 AM ET"])
def test_a_day_without_a_time_in_utc_is_not_compared_with_a_systems_schedule(words):
    assert parse_refresh(words).stated == ""


@pytest.mark.parametrize(
    ("words", "now", "due"),
    [
        ("Daily at 6 AM UTC", "2026-01-31T05:59", "2026-01-30T06:00"),
        ("Daily at 6 AM UTC", "2026-01-31T06:00", "2026-01-31T06:00"),
        ("Hourly", "2026-01-31T06:30", "2026-01-31T05:30"),
        ("Daily", "2026-01-31T06:30", "2026-01-30T06:30"),
    ],
)
def test_a_refresh_is_due_at_its_last_time(words, now, due):
    def time(text):
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert parse_refresh(words).due(time(now)) == time(due)
