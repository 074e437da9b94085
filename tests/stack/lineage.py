"""The column lineage that was emitted, walked from a column to what it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Step:
    """A column, and how the job that writes it says that it is made."""

    column: str
    job: str
    how: str


def column_steps(events: Iterable[dict[str, Any]], dataset: str, column: str) -> list[Step]:
    """Return the steps from a column up to a column that no job writes.

    `dataset` ends the name of the column's dataset. Of several columns that one is made from by its value,
    the first is taken.
    """
    made: dict[tuple[str, str, str], tuple[str, dict[str, Any]]] = {}
    for event in events:
        for output in event["outputs"] if event["eventType"] == "COMPLETE" else ():
            fields = output["facets"].get("columnLineage", {}).get("fields", {})
            for name, how in fields.items():
                made[output["namespace"], output["name"], name] = event["job"]["name"], how
    at = next(
        key for key in made if key[1].lower().endswith(dataset.lower()) and key[2].lower() == column.lower()
    )
    steps: list[Step] = []
    while at in made:
        job, how = made[at]
        direct = [
            (source, transformation)
            for source in how["inputFields"]
            for transformation in source["transformations"]
            if transformation["type"] == "DIRECT"
        ]
        said = {f"{one['subtype']} {one.get('description') or ''}".strip() for _, one in direct}
        steps.append(Step(f"{at[1]}.{at[2]}", job, ", ".join(sorted(said))))
        if not direct:
            return steps
        at = (direct[0][0]["namespace"], direct[0][0]["name"], direct[0][0]["field"])
    return [*steps, Step(f"{at[1]}.{at[2]}", "", "")]
