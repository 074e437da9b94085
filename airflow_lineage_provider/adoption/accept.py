"""Accept a finding for a time: an entry of the map's `accepted`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import Code
from airflow_lineage_provider.lineage_map.edit import Edit, edited
from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

if TYPE_CHECKING:
    import datetime as dt

    from airflow_lineage_provider.lineage_map import MapSource


def accepted(source: MapSource, code: str, subject: str, until: dt.date, reason: str) -> MapSource:
    """Return the text of a map that accepts a finding through the day `until`.

    An acceptance of the same finding is replaced, in the file that has it. Raises InputError for a code that
    no finding has.
    """
    if code not in set(Code):
        raise InputError(
            f"no finding has the code {code!r:.60}; a report names it first, such as {Code.TYPE_CHANGED}"
        )
    entry = {"finding": str(code), "subject": subject, "reason": reason, "until": until.isoformat()}
    known = {file: _accepted_in(text, file) for file, text in source.texts.items()}
    file = next(
        (
            file
            for file, entries in known.items()
            if any((one.get("finding"), one.get("subject")) == (code, subject) for one in entries)
        ),
        source.file,
    )
    others = [one for one in known[file] if (one.get("finding"), one.get("subject")) != (code, subject)]
    text = edited(source.texts[file], [Edit(("accepted",), [*others, entry])], file)
    return source.with_texts({file: text})


def _accepted_in(text: str, file: str) -> list[dict[str, str]]:
    data = parse_yaml(text, file)[0]
    return list(data.get("accepted") or ()) if isinstance(data, dict) else []
