"""When a dashboard is refreshed, read from the map's words: `Daily at 6 AM UTC`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

_PERIODS = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=31),
}
_WORDS = {"hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}
_PERIOD = re.compile(r"\b(hour|dai|day|week|month)(?:ly|s)?\b", re.IGNORECASE)
_TIME = re.compile(
    r"\b(\d{1,2})(?::(\d{2}))?\s*(am|pm)?\s*(UTC|GMT|Z)\b|\b(noon|midnight)\s+(?:UTC|GMT)\b", re.IGNORECASE
)
_CLOCK = re.compile(r"\b\d{1,2}(?::\d{2}|\s*(?:am|pm)\b)|\b(?:noon|midnight)\b", re.IGNORECASE)
_EVERY = re.compile(r"\bevery\s+\d", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RefreshSchedule:
    """A refresh once in each period, and at which time of the day (UTC); `at` is None where none is named."""

    period: str
    at: time | None = None

    def __str__(self) -> str:
        """Return the schedule in one spelling, such as `daily 06:00 UTC`."""
        return _WORDS[self.period] + (f" {self.at:%H:%M} UTC" if self.at else "")

    @property
    def stated(self) -> str:
        """The schedule as it is compared with a system's; empty of a day without a time in UTC."""
        return str(self) if self.at or self.period != "day" else ""

    def due(self, now: datetime) -> datetime:
        """Return the last time by which there must have been a refresh."""
        if self.period != "day" or self.at is None:
            return now - _PERIODS[self.period]
        today = now.replace(hour=self.at.hour, minute=self.at.minute, second=0, microsecond=0)
        return today if today <= now else today - timedelta(days=1)


def parse_refresh(text: str) -> RefreshSchedule | None:
    """Return the schedule that a text names, with its time in UTC; None where it names none.

    >>> str(parse_refresh("Daily at 6 AM UTC"))
    'daily 06:00 UTC'
    >>> parse_refresh("on demand") is None
    True
    """
    periods = {match[1].casefold().replace("dai", "day") for match in _PERIOD.finditer(text)}
    if len(periods) != 1 or _EVERY.search(text):
        return None
    (period,) = periods
    times = [_time(match) for match in _TIME.finditer(text)]
    clocks = len(_CLOCK.findall(text))
    if clocks > 1 or len(times) > 1 or any(one is None for one in times):
        return None
    return RefreshSchedule(period, times[0] if times and period == "day" else None)


def _time(match: re.Match[str]) -> time | None:
    if match[5]:
        return time(12 if match[5].casefold() == "noon" else 0)
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").casefold()
    if half and not 1 <= hour <= 12:  # noqa: PLR2004 - a clock of twelve hours
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a time of day
