"""Find the dataset or column that a text names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.graph import EVERY_COLUMN, ColumnRef

if TYPE_CHECKING:
    from airflow_lineage_provider.graph import Graph


def column_reference(graph: Graph, text: str) -> ColumnRef:
    """Return the column that a text names, or `*` of the dataset that it names.

    Raises InputError, with the most similar name, for a name that the graph does not have.
    """
    if text in graph.datasets:
        return ColumnRef(text, EVERY_COLUMN)
    dataset, _, column = text.rpartition(".")
    if dataset in graph.datasets:
        known = {*graph.datasets[dataset].columns, *(r.column for r in graph.columns_of.get(dataset, ()))}
        if column in known or not graph.datasets[dataset].columns:
            return ColumnRef(dataset, column)
        near = difflib.get_close_matches(column, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(known))}"
        raise InputError(f"{dataset} has no column {column!r}; {hint}")
    near = difflib.get_close_matches(text, graph.datasets, n=1) or difflib.get_close_matches(
        dataset, graph.datasets, n=1
    )
    hint = f"; did you mean {near[0]}?" if near else ""
    raise InputError(f"no dataset {text!r}{hint}")
