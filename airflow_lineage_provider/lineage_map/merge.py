"""Merge the files of a map into one: duplicate definitions are refused with the places of both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.base import keyed
from airflow_lineage_provider.lineage_map.dbt_meta import dbt_part
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.part import MapPart
from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map.source import Included
    from airflow_lineage_provider.lineage_map.yaml_text import Path, Positions

_GROUPS = {"layers": "tables", "sources": "datasets"}
_ENTRIES = frozenset({"dashboards", "feature_views", "ml_models", "policy"})
_LISTS = frozenset({"column_lineage", "accepted", "scenarios"})
_NOT_MERGED = frozenset({"document", "include"})
"""What a file says about itself."""


@dataclass(slots=True)
class Merged:
    """The data of all files as one, and of each path its position, its file, and its path in that file."""

    data: dict[str, Any]
    positions: Positions
    files: dict[Path, str] = field(default_factory=dict)
    own_paths: dict[Path, Path] = field(default_factory=dict)


def merged(data: dict[str, Any], positions: Positions, file: str, included: tuple[Included, ...]) -> Merged:
    """Return a map with the files that it includes. Raises MapError."""
    own = _with_names(MapPart(data, positions, file))
    merge = _Merge(Merged(dict(own.data), dict(own.positions)), file)
    merge.out.data.pop("include", None)
    for one in included:
        found, places = parse_yaml(one.text, one.file)
        if one.dbt:
            merge.add(dbt_part(found, places, one))
        elif isinstance(found, dict):
            merge.add(_with_names(MapPart(found, places, one.file)))
        else:
            raise MapError([MapProblem(one.file, 1, 1, "a part of a map is a mapping, such as `layers:`")])
    return merge.out


class _Merge:
    def __init__(self, out: Merged, file: str) -> None:
        self.out = out
        self.file = file

    def add(self, part: MapPart) -> None:
        offsets: dict[Path, int] = {}
        for key, value in part.data.items():
            if key in _LISTS:
                self.extend((key,), self.out.data, key, value, part, offsets)
            elif key in _ENTRIES:
                self.fill((key,), self.out.data, key, value, part)
            elif key in _GROUPS or key == "environments":
                self.groups(key, value, part, offsets)
            elif key not in _NOT_MERGED:
                message = f"{key!r:.60} belongs in {self.file}, which includes this file"
                raise part.problem((key,), message)
        for path, place in part.positions.items():
            if not path or path[0] in _NOT_MERGED:
                continue
            new = _shifted(path, offsets)
            if new not in self.out.positions:
                self.out.positions[new] = place
                self.out.files[new] = part.file
        self.out.own_paths.update(part.own_paths)

    def groups(self, key: str, value: Any, part: MapPart, offsets: dict[Path, int]) -> None:
        """Merge layers, sources or environments: each may be in several files, what is in them in one."""
        known = self.out.data.setdefault(key, {})
        if not isinstance(value, dict) or not isinstance(known, dict):
            raise part.problem((key,), f"{key}: a mapping is needed here")
        for name, content in value.items():
            path: Path = (key, name)
            if known.get(name) is None:
                known[name] = content
            elif not isinstance(content, dict) or not isinstance(known[name], dict):
                if content is not None:
                    raise self.duplicate(path, part)
            else:
                group = known[name] = dict(known[name])
                for inner, entries in content.items():
                    if inner == _GROUPS.get(key):
                        self.fill((*path, inner), group, inner, entries, part)
                    elif key == "environments" and inner == "bindings":
                        self.extend((*path, inner), group, inner, entries, part, offsets)
                    elif inner in group:
                        raise self.duplicate((*path, inner), part)
                    else:
                        group[inner] = entries

    def fill(self, path: Path, where: dict[str, Any], key: str, entries: Any, part: MapPart) -> None:
        """Add entries to a mapping, each of which is defined once."""
        if where.get(key) is None:
            where[key] = entries
        elif entries is not None:
            if not isinstance(entries, dict) or not isinstance(where[key], dict):
                raise self.duplicate(path, part)
            for name in entries:
                if name in where[key]:
                    raise self.duplicate((*path, name), part)
            where[key] = {**where[key], **entries}

    def extend(
        self,
        path: Path,
        where: dict[str, Any],
        key: str,
        items: Any,
        part: MapPart,
        offsets: dict[Path, int],
    ) -> None:
        """Add the items of a list behind those that are there."""
        known = where.get(key) or []
        if not isinstance(items, list | None) or not isinstance(known, list):
            raise part.problem(path, f"{key}: a list is needed here")
        offsets[path] = len(known)
        where[key] = [*known, *(items or ())]

    def duplicate(self, path: Path, part: MapPart) -> MapError:
        line, _ = self.out.positions.get(path, (1, 1))
        other = self.out.files.get(path, self.file)
        named = ".".join(map(str, path))
        return part.problem(path, f"{named} is defined in {other}:{line} already; remove one")


def _shifted(path: Path, offsets: dict[Path, int]) -> Path:
    """Return a path with the number of its item in the merged list."""
    for length in (1, 3):
        offset = offsets.get(path[:length])
        if offset and len(path) > length and isinstance(path[length], int):
            return (*path[:length], int(path[length]) + offset, *path[length + 1 :])
    return path


def _with_names(part: MapPart) -> MapPart:
    """Return a part whose tables and datasets are mappings, where they were written as lists of names."""
    names: dict[Path, list[Any]] = {}
    data = dict(part.data)
    for key, inner in _GROUPS.items():
        groups = data.get(key)
        for name, group in groups.items() if isinstance(groups, dict) else ():
            entries = group.get(inner) if isinstance(group, dict) else None
            if isinstance(entries, list) and all(isinstance(entry, str) for entry in entries):
                names[key, name, inner] = entries
                data[key] = {**data[key], name: {**group, inner: keyed(entries)}}
    if not names:
        return part

    def renamed(path: Path) -> Path:
        listed = names.get(path[:3]) if len(path) > 3 else None  # noqa: PLR2004 - section, group, tables
        return (*path[:3], listed[int(path[3])], *path[4:]) if listed else path

    positions = {renamed(path): place for path, place in part.positions.items()}
    return MapPart(data, positions, part.file)
