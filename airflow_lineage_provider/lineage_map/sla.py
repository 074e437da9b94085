"""The service level that a map documents of a source, read from its words: `< 5 minute latency`."""

from __future__ import annotations

import re
from datetime import timedelta

from airflow_lineage_provider.errors import InputError

_UNITS = {
    "s": "seconds",
    "sec": "seconds",
    "second": "seconds",
    "m": "minutes",
    "min": "minutes",
    "minute": "minutes",
    "h": "hours",
    "hr": "hours",
    "hour": "hours",
    "d": "days",
    "day": "days",
    "w": "weeks",
    "week": "weeks",
}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)[\s-]*([a-z]+?)s?\b", re.IGNORECASE)


def parse_duration(text: str) -> timedelta:
    """Return the duration that a text names. Raises InputError where it names none, or several.

    >>> parse_duration("< 5 minute latency")
    datetime.timedelta(seconds=300)
    >>> parse_duration("90 days").days
    90
    """
    found = [
        timedelta(**{_UNITS[unit.lower()]: float(number)})
        for number, unit in _DURATION.findall(text)
        if unit.lower() in _UNITS
    ]
    if len(found) != 1:
        raise InputError(
            f"{text!r} does not name one duration; write it like '< 5 minute latency' or '90 days'"
        )
    return found[0]
