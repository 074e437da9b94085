"""When Tableau refreshes extracts, and when it last did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.plain_json import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


NOT_SCHEDULED = "not scheduled"
_DAY = 24
_TIMES = ("extractLastUpdateTime", "extractLastRefreshTime", "extractLastIncrementalUpdateTime")


def last_refresh(datasources: Iterable[Mapping[str, Any]]) -> str:
    """Return when the oldest of the extracts was last updated (ISO 8601); empty where none is an extract."""
    extracts = [one for one in datasources if one.get("hasExtracts")]
    times = [max((text(one, key) for key in _TIMES), default="") for one in extracts]
    return min((time for time in times if time), default="")


def refresh_texts(tasks: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return when each workbook or data source is refreshed, by its LUID, such as `daily 06:00 UTC`."""
    texts: dict[str, dict[str, None]] = {}
    for task in tasks:
        if said := _schedule(task):
            texts.setdefault(text(task, "target"), {})[said] = None
    return {target: ", ".join(found) for target, found in texts.items()}


def _schedule(task: Mapping[str, Any]) -> str:
    """Return the schedule of a task, by its next run, which is in UTC; the time of a schedule may not be."""
    frequency, hours = text(task, "frequency").casefold(), task.get("hours")
    if frequency != "daily":
        return frequency
    if isinstance(hours, int | float) and hours != _DAY:
        return f"every {hours:g} hours"
    at = text(task, "next_run_at")[11:16] or text(task, "start")[:5]
    return f"daily {at} UTC" if at else frequency
