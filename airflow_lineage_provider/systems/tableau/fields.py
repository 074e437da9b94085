"""What Tableau's fields are made from, through calculated fields and published data sources."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.movement import ColumnSource
from airflow_lineage_provider.plain_json import mapping, mappings, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow_lineage_provider.events.naming import DatasetName
    from airflow_lineage_provider.systems.tableau.tables import Tables

_AGGREGATES = re.compile(
    r"(?<![\w\]])(?:SUM|AVG|MIN|MAX|COUNTD?|MEDIAN|ATTR|STDEVP?|VARP?|PERCENTILE|COLLECT|CORR|COVARP?"
    r"|TOTAL|RUNNING_\w+|WINDOW_\w+)\s*\(",
    re.IGNORECASE,
)
_NOT_FORMULA = re.compile(r"//[^\n]*|/\*.*?\*/|\"[^\"]*\"|'[^']*'|\[[^\]]*\]", re.DOTALL)
_RANKS = ("IDENTITY", "TRANSFORMATION", "AGGREGATION")
_DEEPEST = 100
_LONGEST_FORMULA = 20_000
"""The rest of a longer formula is not searched for aggregations: unclosed comments take quadratic time."""
_COPIES = frozenset({"ColumnField", "DatasourceField", "Field", ""})


@dataclass(slots=True)
class Fields:
    """The fields of all data sources of an answer. `sources_by_id` names those that are datasets."""

    tables: Tables
    sources_by_id: Mapping[str, DatasetName]
    nodes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)
    _named: dict[tuple[str, str], str] = field(default_factory=dict)
    _known: dict[str, tuple[ColumnSource, ...] | None] = field(default_factory=dict)
    _open: set[str] = field(default_factory=set)

    def add(self, datasource: str, found: list[Mapping[str, Any]]) -> None:
        """Add the fields of a data source, by its id."""
        for one in found:
            key = text(one, "id")
            self.nodes[key] = one
            self._owners[key] = datasource
            self._named[datasource, text(one, "name")] = key

    def read_by(self, reader: DatasetName, key: str) -> tuple[ColumnSource, ...] | None:
        """Return the sources of a field that a dataset shows: for a dashboard, the data source's field."""
        source = self.sources_by_id.get(self._owners.get(key, ""))
        if source is None or source == reader:
            return self.sources(key)
        name = text(self.nodes[key], "name")
        return (ColumnSource(source, name),) if name else None

    def sources(self, key: str) -> tuple[ColumnSource, ...] | None:
        """Return the columns, of tables and published data sources, that a field is made from; None: unknown.

        A field that is made from no column, such as one that counts rows, has none.
        """
        if key in self._open:
            return ()
        if key not in self.nodes or len(self._open) > _DEEPEST:
            return None
        if key not in self._known:
            self._open.add(key)
            self._known[key] = self._resolve(key)
            self._open.discard(key)
        return self._known[key]

    def _resolve(self, key: str) -> tuple[ColumnSource, ...] | None:
        node = self.nodes[key]
        upstream = mappings(node.get("upstreamFields"))
        columns = mappings(node.get("upstreamColumns"))
        found = [self._of_field(one, self._owners[key]) for one in upstream]
        if not upstream:
            found = [self._of_column(one) for one in columns]
        if any(one is None for one in found):
            return None
        if not found and text(node, "__typename") in _COPIES:
            return None  # a column that is not shown, or of a kind of table that is not read
        made = _how(node)
        flat = dict.fromkeys(_through(source, *made) for sources in found for source in sources or ())
        return tuple(flat)

    def _of_column(self, column: Mapping[str, Any]) -> tuple[ColumnSource, ...] | None:
        """Return the sources of a column; of a virtual connection, those of the column behind it."""
        found = self.tables.sources(text(column, "table", "id"), text(column, "name"))
        remote = mapping(column.get("remoteColumn"))
        return self._of_column(remote) if found is None and remote else found

    def _of_field(self, upstream: Mapping[str, Any], owner: str) -> tuple[ColumnSource, ...] | None:
        datasource = text(upstream, "datasource", "id") or owner
        name = text(upstream, "name")
        if datasource in self.sources_by_id and datasource != owner:
            return (ColumnSource(self.sources_by_id[datasource], name),) if name else None
        key = text(upstream, "id")
        return self.sources(key if key in self.nodes else self._named.get((datasource, name), ""))


def _how(node: Mapping[str, Any]) -> tuple[str, str]:
    """Return the subtype of a field, and its formula."""
    formula = text(node, "formula")
    if formula:
        plain = _NOT_FORMULA.sub(" ", formula[:_LONGEST_FORMULA])
        return ("AGGREGATION" if _AGGREGATES.search(plain) else "TRANSFORMATION"), formula
    return ("IDENTITY" if text(node, "__typename") in _COPIES else "TRANSFORMATION"), ""


def _through(source: ColumnSource, subtype: str, formula: str) -> ColumnSource:
    rank = max(_RANKS.index(source.subtype), _RANKS.index(subtype))
    return replace(source, subtype=_RANKS[rank], expression=formula or source.expression)
