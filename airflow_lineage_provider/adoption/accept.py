"""Accept a finding for a time: an entry of the map's `accepted`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Code
from airflow_lineage_provider.lineage_map import parse_map
from airflow_lineage_provider.lineage_map.edit import Edit, edited

if TYPE_CHECKING:
    import datetime as dt


def accepted(text: str, file: str, code: str, subject: str, until: dt.date, reason: str) -> str:
    """Return the text of a map that accepts a finding through the day `until`.

    An acceptance of the same finding is replaced. Raises InputError for a code that no finding has.
    """
    if code not in set(Code):
        raise InputError(
            f"no finding has the code {code!r:.60}; a report names it first, such as {Code.TYPE_CHANGED}"
        )
    entry = {"finding": str(code), "subject": subject, "reason": reason, "until": until.isoformat()}
    known = parse_map(text, file).content.accepted
    others = [one for one in known if (one.finding, one.subject) != (code, subject)]
    entries = [one.model_dump(mode="json") for one in others]
    return edited(text, [Edit(("accepted",), [*entries, entry])], file)
