"""The service level that a map documents of a source, read from its words: `< 5 minute latency`."""

from __future__ import annotations

import re
from datetime import timedelta

from airflow_lineage_provider.errors import InputError

_DAY = timedelta(days=1)
_UNITS = {
    **dict.fromkeys(("s", "sec", "second"), timedelta(seconds=1)),
    **dict.fromkeys(("m", "min", "minute"), timedelta(minutes=1)),
    **dict.fromkeys(("h", "hr", "hour"), timedelta(hours=1)),
    **dict.fromkeys(("d", "day"), _DAY),
    **dict.fromkeys(("w", "week"), 7 * _DAY),
    "month": 30 * _DAY,
    "year": 365 * _DAY,
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)[\s-]*([a-z]+?)s?\b", re.IGNORECASE)


def duration_text(duration: timedelta) -> str:
    """Return a duration in the largest unit that it is a whole number of.

    >>> duration_text(timedelta(hours=168))
    '7 days'
    """
    seconds = duration.total_seconds()
    for name, unit in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds and seconds % unit == 0:
            count = int(seconds // unit)
            return f"{count} {name}{'s' if count != 1 else ''}"
    return f"{seconds:g} seconds"


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text names. Raises InputError where it names none, or several.

    >>> parse_duration("< 5 minute latency")
    datetime.timedelta(seconds=300)
    >>> parse_duration("90 days").days
    90
    """
    found = [
        float(number) * _UNITS[unit.lower()]
        for number, unit in _DURATION.findall(text)
        if unit.lower() in _UNITS
    ]
    if len(found) != 1:
        raise InputError(
            f"{text!r} does not name one duration; write it like '< 5 minute latency' or '90 days'"
        )
    return found[0]
