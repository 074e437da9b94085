"""What a map and a feature store state of features, in one spelling, so that they can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map.sla import duration_text, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterable

NONE = "none"
"""The aggregation and the window of a feature that is not aggregated."""

_DURATION = re.compile(r"\d+(?:\.\d+)?[ -]?[a-z]+")
_BACK = re.compile(r"^(?:the )?(?:last|past|trailing|rolling) (?=\d)")
_SAME = {"avg": "mean", "average": "mean", "stdev": "stddev", "count distinct": "approx count distinct"}


def aggregation_text(name: str) -> str:
    """Return the name of an aggregation function in lower case, without the words of an enum.

    >>> aggregation_text("AGGREGATION_FUNCTION_SUM"), aggregation_text("avg")
    ('sum', 'mean')
    """
    words = re.sub(r"^aggregation[_ ]function[_ ]", "", name.strip().casefold())
    plain = " ".join(words.replace("_", " ").split())
    return _SAME.get(plain, plain)


def window_text(window: str) -> str:
    """Return a window with its durations in the largest unit that fits, in lower case, without "last".

    >>> window_text("604800s"), window_text("Lifetime"), window_text("604800s offset -86400s")
    ('7 days', 'lifetime', '7 days offset -1 day')
    """
    words = " ".join(window.casefold().split())
    return _DURATION.sub(_spelled, _BACK.sub("", words))


def _spelled(found: re.Match[str]) -> str:
    try:
        return duration_text(parse_duration(found[0]))
    except InputError:
        return found[0]


def entity_text(columns: Iterable[str]) -> str:
    """Return the columns that identify an entity; their order means nothing."""
    return ", ".join(sorted(columns))
