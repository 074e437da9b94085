"""Which documented datasets and columns were observed in events: how often, and when last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import event_time
from airflow_lineage_provider.plain_json import mapping, mappings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from airflow_lineage_provider.graph import Graph
    from airflow_lineage_provider.lineage_map import Bindings

    Event = Mapping[str, Any]


@dataclass(slots=True)
class ObservedDataset:
    """A documented dataset in the events of a period.

    `runs` completed with it as an output, or as an input where nothing in the map makes it. `columns` are the
    documented ones, each with how many of these runs had it.
    """

    name: str
    runs: int = 0
    last: str = ""
    columns: dict[str, int] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """The documented columns that no run had."""
        return [column for column, runs in self.columns.items() if not runs]


def observed_datasets(
    events: Iterable[Event], expected: Graph, bindings: Bindings, since: datetime
) -> list[ObservedDataset]:
    """Return every documented dataset, with what the COMPLETE events since a time say of it."""
    found = {
        name: ObservedDataset(name, columns=dict.fromkeys(dataset.columns, 0))
        for name, dataset in expected.datasets.items()
    }
    names: dict[tuple[str, str], str | None] = {}
    for event in events:
        if event.get("eventType") != "COMPLETE" or event_time(event) < since:
            continue
        at = event_time(event).isoformat(timespec="seconds")
        for dataset, is_output in _datasets(event):
            pair = (str(dataset.get("namespace")), str(dataset.get("name")))
            if pair not in names:
                names[pair] = bindings.logical(*pair)
            name = names[pair]
            one = found.get(name or "")
            if one is not None and (is_output or one.name not in expected.upstream):
                one.runs += 1
                one.last = max(one.last, at)
                _count_columns(one, dataset)
    return list(found.values())


def _datasets(event: Event) -> Iterator[tuple[Mapping[str, Any], bool]]:
    yield from ((dataset, True) for dataset in mappings(event.get("outputs")))
    yield from ((dataset, False) for dataset in mappings(event.get("inputs")))


def _count_columns(found: ObservedDataset, dataset: Mapping[str, Any]) -> None:
    facets = mapping(dataset.get("facets"))
    fields = mappings(mapping(facets.get("schema")).get("fields"))
    seen = {str(one.get("name", "")).casefold() for one in fields}
    seen |= {column.casefold() for column in mapping(mapping(facets.get("columnLineage")).get("fields"))}
    for column in found.columns:
        found.columns[column] += column.casefold() in seen
