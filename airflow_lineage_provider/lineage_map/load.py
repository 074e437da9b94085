"""Read a map: YAML in, a checked `LineageMap` out, each problem with its line and column."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from airflow_lineage_provider.graph import Acceptance, Code, Policy, Provenance
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.include import DiskFiles, read_text, with_included
from airflow_lineage_provider.lineage_map.merge import Merged, merged
from airflow_lineage_provider.lineage_map.model import Map
from airflow_lineage_provider.lineage_map.part import nearest, position
from airflow_lineage_provider.lineage_map.source import MapSource
from airflow_lineage_provider.lineage_map.yaml_text import parse_yaml

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping
    from pathlib import Path

    from pydantic_core import ErrorDetails

    from airflow_lineage_provider.lineage_map.yaml_text import Path as Keys
    from airflow_lineage_provider.lineage_map.yaml_text import Positions


_MAX_PROBLEMS = 100
_NEEDED = {
    "model_type": "a mapping",
    "dict_type": "a mapping",
    "tuple_type": "a list",
    "string_type": "text",
}


@dataclass(frozen=True, slots=True)
class LineageMap:
    """A map, the file that it came from, and the line and column of each of its parts.

    `files` are the files of the parts that are included, and `own_paths` the paths of those that stand in
    another form in their file. `source` is the text of all files.
    """

    content: Map
    file: str
    positions: Positions
    source: MapSource
    files: Mapping[Keys, str] = field(default_factory=dict)
    own_paths: Mapping[Keys, Keys] = field(default_factory=dict)

    def where(self, *path: str | int) -> Provenance:
        """Return the file and line of a part of the map, or of the nearest part around it."""
        line, _ = position(self.positions, path)
        return Provenance("map", file=self.file_of(path), line=line)

    def file_of(self, path: Keys) -> str:
        """Return the file of a part of the map, or of the nearest part around it."""
        return self.files.get(nearest(self.positions, path), self.file)

    def policy(self, today: dt.date | None = None) -> Policy:
        """Return the severities, and the findings that are accepted on a day, today by default."""
        accepted = tuple(
            Acceptance(a.finding, a.subject, a.reason, a.until, self.where("accepted", number))
            for number, a in enumerate(self.content.accepted)
        )
        if today is None:
            return Policy(self.content.policy, accepted)
        return Policy(self.content.policy, accepted, today)


def load_map(path: str | Path) -> LineageMap:
    """Read the map in a file, with what it includes. Raises MapError with one line for each problem."""
    return parse_source(load_source(path))


def load_source(path: str | Path) -> MapSource:
    """Return the text of a map's file and of those that it includes. Raises MapError."""
    return with_included(str(path), read_text(str(path)), DiskFiles())


def parse_map(text: str, file: str = "<map>") -> LineageMap:
    """Read a map that includes no files from its YAML text. Raises MapError with a line for each problem."""
    return parse_source(MapSource(file, text))


def parse_source(source: MapSource) -> LineageMap:
    """Read a map from the text of its files. Raises MapError with one line for each problem."""
    file = source.file
    data, positions = parse_yaml(source.text, file)
    if not isinstance(data, dict):
        raise MapError([MapProblem(file, 1, 1, "a lineage map is a mapping that starts with `document:`")])
    found = Merged(data, positions)
    if source.included:
        found = merged(data, positions, file, source.included)
    elif data.get("include"):
        where = position(positions, ("include",))
        raise MapError([MapProblem(file, *where, "include: read this map from its file, not as text alone")])
    try:
        content = Map.model_validate(found.data)
    except ValidationError as error:
        raise MapError(_problems(error, file, found)) from None
    return LineageMap(content, file, found.positions, source, found.files, found.own_paths)


def _problems(error: ValidationError, file: str, parts: Merged) -> list[MapProblem]:
    """Return the first problems in the order of the files, and how many more there are."""
    found = {_problem(e, file, parts) for e in error.errors(include_url=False)[:_MAX_PROBLEMS]}
    problems = sorted(found, key=lambda p: (p.file != file, p.file, p.line, p.column))
    left = error.error_count() - _MAX_PROBLEMS
    return [*problems, MapProblem(file, 0, 0, f"and {left:,} more problems")] if left > 0 else problems


def _problem(error: ErrorDetails, file: str, parts: Merged) -> MapProblem:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    line, column = position(parts.positions, loc)
    file = parts.files.get(nearest(parts.positions, loc), file)
    return MapProblem(file, line, column, _message(error, loc))


def _message(error: ErrorDetails, loc: tuple[str | int, ...]) -> str:
    name = str(loc[-1]) if loc else "map"
    kind, value = error["type"], error["input"]
    if kind == "extra_forbidden":
        return f"unknown key {name!r:.60}{_nearest(name, _keys_at(loc[:-1]))}"
    if kind == "missing":
        return f"{_path_text(loc[:-1])} needs the key {name!r}"
    if kind == "enum" and name == value:
        return f"unknown finding {name!r:.60}{_nearest(name, dict.fromkeys(Code))}"
    if kind == "enum":
        return f"{name}: {value!r:.60} is none of {error.get('ctx', {}).get('expected', '')}"
    if kind in _NEEDED:
        return f"{name}: {_NEEDED[kind]} is needed here, not {value!r:.60}"
    return f"{name}: {error['msg'][:1].lower()}{error['msg'][1:]}, not {value!r:.60}"


def _path_text(loc: tuple[str | int, ...]) -> str:
    return ".".join(map(str, loc)) or "the map"


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {str(close[0])!r}?" if close else f"; known here: {', '.join(known)}"


def _keys_at(loc: tuple[str | int, ...]) -> Mapping[str, Any]:
    """Return the keys that a mapping at this path may have."""
    kind: type[BaseModel] = Map
    for part in loc:
        field = _fields(kind).get(str(part))
        if field is not None:
            kind = next(_models_in(field.annotation), kind)
    return _fields(kind)


def _fields(kind: type[BaseModel]) -> dict[str, Any]:
    return {field.alias or name: field for name, field in kind.model_fields.items()}


def _models_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
