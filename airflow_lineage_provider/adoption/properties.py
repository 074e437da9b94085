"""What a map has to say of properties that evidence states otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow_lineage_provider.graph import Graph

_LISTS = {"entity": "entity", "owner": "owners"}
"""Properties that the map writes as lists, by its keys; of the others the key is the name."""


def changed_properties(expected: Graph, observed: Graph, subject: str) -> Iterator[tuple[str, Any]]:
    """Yield the map's key and the value of each property of a dataset or a column that differs."""
    documented, stated = _properties(expected, subject), _properties(observed, subject)
    for name, value in stated.items():
        if name in documented and documented[name] != value:
            yield _LISTS.get(name, name), value.split(", ") if name in _LISTS else value


def _properties(graph: Graph, subject: str) -> dict[str, str]:
    dataset = graph.datasets.get(subject)
    if dataset is not None:
        owners = {"owner": ", ".join(dataset.owners)} if dataset.owners else {}
        return {**dict(dataset.properties), **owners}
    name, _, column = subject.rpartition(".")
    found = graph.datasets[name].columns.get(column) if name in graph.datasets else None
    return dict(found.properties) if found else {}
