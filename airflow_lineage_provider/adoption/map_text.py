"""Where a map documents a dataset, and what is written there."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from airflow_lineage_provider.lineage_map import LineageMap

    Path = tuple[str, ...]

_TABLE = 4
"""The length of a table's path: `layers`, the layer, `tables`, the table."""


@dataclass(frozen=True)
class MapText:
    """A map, and the text of its files as plain data, in which shorthand is as it was written."""

    lineage_map: LineageMap

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The text of each file as dicts, lists, text and None."""
        return {file: parse_yaml(text, file)[0] for file, text in self.lineage_map.source.texts.items()}

    def located(self, path: tuple[str | int, ...]) -> tuple[str, tuple[str | int, ...]]:
        """Return the file in which a part of the map is or would be, and its path in that file."""
        own_paths = self.lineage_map.own_paths
        for length in range(len(path), 0, -1):
            own = own_paths.get(path[:length])
            if own is not None:
                return self.lineage_map.file_of(path[:length]), (*own, *path[length:])
        if path in self.lineage_map.positions or len(path) < _TABLE:
            return self.lineage_map.file_of(path), path
        if path[:_TABLE] in self.lineage_map.positions:
            return self.lineage_map.file_of(path[:_TABLE]), path
        return self._file_of_new(path), path

    def _file_of_new(self, path: tuple[str | int, ...]) -> str:
        """Return the file of the last entry beside a new one that is not in a dbt project's YAML."""
        where = path[: _TABLE - 1]
        beside = [
            self.lineage_map.file_of(known)
            for known in self.lineage_map.positions
            if len(known) == _TABLE and known[:-1] == where and known not in self.lineage_map.own_paths
        ]
        return beside[-1] if beside else self.lineage_map.file

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of everything that the map documents by an entry."""
        content = self.lineage_map.content
        return frozenset(
            {
                *(f"{key}.{name}" for key, source in content.sources.items() for name in source.datasets),
                *(f"{key}.{name}" for key, layer in content.layers.items() for name in layer.tables),
                *content.dashboards,
                *content.feature_views,
                *content.ml_models,
            }
        )

    def path(self, name: str) -> Path:
        """Return where a dataset is documented, or would be."""
        content = self.lineage_map.content
        for section in ("dashboards", "feature_views", "ml_models"):
            if name in getattr(content, section):
                return (section, name)
        group, _, rest = name.partition(".")
        if group in content.sources:
            return ("sources", group, "datasets", rest)
        return ("layers", group, "tables", rest)

    def columns_path(self, name: str) -> Path:
        """Return where the columns of a dataset are documented."""
        path = self.path(name)
        return (*path, {"dashboards": "fields", "feature_views": "features"}.get(path[0], "columns"))

    def at(self, path: Path) -> Any:
        """Return the value at a path as it is written, or None."""
        file, own = self.located(path)
        value = self.raw[file]
        for key in own:
            if isinstance(value, list) and isinstance(key, int):
                value = value[key]
            else:
                value = value.get(key) if isinstance(value, dict) else None
        return value

    def listed(self, path: Path) -> list[str]:
        """Return the names at a path; of an entry in its shorthand, the entry."""
        value = self.at(path)
        entry = self.at(path[:-1])
        if value is None and isinstance(entry, str | list) and path[-1] == "to":
            value = entry
        return [value] if isinstance(value, str) else list(value or ())

    def columns_from(self, gone: Collection[str]) -> Iterator[Path]:
        """Yield the paths of columns that name one of these datasets as what they are made from."""
        for name in self.names - {*gone} if gone else ():
            path = self.columns_path(name)
            for column, sources in self.columns_of(name).items():
                if any(source.rpartition(".")[0] in gone for source in sources):
                    yield (*path, column)

    def columns_of(self, name: str) -> dict[str, tuple[str, ...]]:
        """Return what the map says that each column of a dataset is made from."""
        section, *keys = self.path(name)
        entry: Any = getattr(self.lineage_map.content, section)[keys[0]]
        if section in {"layers", "sources"}:
            entry = (entry.tables if section == "layers" else entry.datasets)[keys[-1]]
        attribute = {"dashboards": "fields_", "feature_views": "features"}.get(section, "columns")
        columns = getattr(entry, attribute, None) or {}
        return {column: found.sources or () for column, found in columns.items()}

    def readers(self, name: str) -> Iterator[str]:
        """Yield what the map says is made from a dataset."""
        for reader in self.names:
            if name in self.listed((*self.path(reader), "from")):
                yield reader
