"""What changed between two pieces of evidence of the same thing, such as two revisions of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.checks.equality import same_expression, same_type
from airflow_lineage_provider.graph import diff

if TYPE_CHECKING:
    from airflow_lineage_provider.graph import Changed
    from airflow_lineage_provider.readers import Evidence


def difference(before: Evidence, after: Evidence) -> tuple[Changed, ...]:
    """Return the changes; two spellings of one type or expression are none, as in `validate`."""
    dialect = after.dialect or before.dialect
    return diff(
        before.graph,
        after.graph,
        same_type=same_type(dialect),
        same_expression=same_expression(dialect),
    )
