"""Guess which missing dataset was renamed to which unexpected one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterator, Mapping

    from airflow_lineage_provider.graph.model import Graph

_FEW = 200
"""The similarity of names is computed for at most this many candidates: it is only a hint."""


def likely_renames(
    expected: Graph, observed: Graph, missing: Collection[str], unexpected: Collection[str]
) -> Mapping[str, str]:
    """Return old name -> new name of datasets with the same columns, the same inputs or a similar name."""
    free = dict.fromkeys(sorted(unexpected))
    by_trait = {trait: name for name in free for trait in _traits(observed, name)}
    renamed = {}
    for old in sorted(missing):
        new = next((n for t in _traits(expected, old) if (n := by_trait.get(t)) in free), None)
        if new is None and len(free) <= _FEW:
            new = next(iter(difflib.get_close_matches(old, free, n=1, cutoff=0.75)), None)
        if new is not None:
            renamed[old] = new
            del free[new]
    return renamed


def _traits(graph: Graph, name: str) -> Iterator[Hashable]:
    """Yield what a rename keeps, the most specific first."""
    columns = frozenset(graph.datasets[name].columns)
    if columns:
        yield "columns", columns
    upstream = frozenset(graph.upstream.get(name, ()))
    if upstream:
        yield "inputs", upstream
