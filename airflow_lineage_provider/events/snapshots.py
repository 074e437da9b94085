"""The columns that dbt adds to a snapshot, such as `dbt_scd_id` and `dbt_valid_from`.

https://docs.getdbt.com/docs/build/snapshots: with the strategy `timestamp` their values come from the column
`updated_at`, with `check` from the time of the run, and a change of the `check_cols` ends a version.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airflow_lineage_provider.dbt.records import Snapshot
    from airflow_lineage_provider.sql import OutputColumn, Subtype


def snapshot_columns(snapshot: Snapshot, selected: Iterable[OutputColumn]) -> list[OutputColumn]:
    """Return the columns that dbt adds, with their sources; `selected` are those of the snapshot's query."""
    from airflow_lineage_provider.sql import OutputColumn, Subtype

    by_name = {column.name.casefold(): column for column in selected}
    key = _named(snapshot.unique_key, by_name)
    updated = _named((snapshot.updated_at or "",), by_name)
    checked = list(by_name.values()) if snapshot.checks_all else _named(snapshot.check_columns, by_name)
    kinds: dict[str, list[tuple[list[OutputColumn], Subtype | None]]] = {
        "dbt_scd_id": [(key + updated, Subtype.TRANSFORMATION)],
        "dbt_updated_at": [(updated, None)],
        "dbt_valid_from": [(updated, None)],
        "dbt_valid_to": [(updated, Subtype.TRANSFORMATION), (checked, Subtype.CONDITIONAL)],
        "dbt_is_deleted": [(key, Subtype.CONDITIONAL)],
    }
    return [
        OutputColumn(
            snapshot.names.get(column, column),
            tuple(
                dict.fromkeys(
                    replace(source, subtype=subtype or source.subtype, masking=column == "dbt_scd_id")
                    for made_from, subtype in kinds[column]
                    for one in made_from
                    for source in one.sources
                )
            ),
        )
        for column in kinds
    ]


def _named(expressions: Iterable[str], columns: dict[str, OutputColumn]) -> list[OutputColumn]:
    """Return the columns in names or expressions such as `id || '-' || site`."""
    words = (word for text in expressions for word in re.findall(r"\w+", text))
    return [columns[name] for word in dict.fromkeys(words) if (name := word.casefold()) in columns]
