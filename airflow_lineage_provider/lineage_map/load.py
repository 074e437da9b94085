"""Read a map: YAML in, a checked `LineageMap` out, each problem with its line and column."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from airflow_lineage_provider.graph import Acceptance, Code, Policy, Provenance
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.model import Map
from airflow_lineage_provider.lineage_map.yaml_text import MAX_BYTES, parse_yaml

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

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
    """A map, the file that it came from, and the line and column of each of its parts."""

    content: Map
    file: str
    positions: Positions

    def where(self, *path: str | int) -> Provenance:
        """Return the line of a part of the map, or of the nearest part around it."""
        line, _ = position(self.positions, path)
        return Provenance("map", file=self.file, line=line)

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
    """Read the map in a file. Raises MapError with one line for each problem."""
    file = Path(path)
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise MapError([MapProblem(str(path), 0, 0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        message = f"not UTF-8 (byte {error.start}); save it as UTF-8"
        raise MapError([MapProblem(str(path), 0, 0, message)]) from None
    return parse_map(text, str(path))


def parse_map(text: str, file: str = "<map>") -> LineageMap:
    """Read a map from its YAML text. Raises MapError with one line for each problem."""
    data, positions = parse_yaml(text, file)
    if not isinstance(data, dict):
        raise MapError([MapProblem(file, 1, 1, "a lineage map is a mapping that starts with `document:`")])
    try:
        content = Map.model_validate(data)
    except ValidationError as error:
        raise MapError(_problems(error, file, positions)) from None
    return LineageMap(content, file, positions)


def position(positions: Positions, path: tuple[str | int, ...]) -> tuple[int, int]:
    """Return the line and column of the part, or of the nearest part around it."""
    while path and path not in positions:
        path = path[:-1]
    return positions.get(path, (1, 1))


def _problems(error: ValidationError, file: str, positions: Positions) -> list[MapProblem]:
    """Return the first problems in the order of the file, and how many more there are."""
    found = {_problem(e, file, positions) for e in error.errors(include_url=False)[:_MAX_PROBLEMS]}
    problems = sorted(found, key=lambda problem: (problem.line, problem.column))
    left = error.error_count() - _MAX_PROBLEMS
    return [*problems, MapProblem(file, 0, 0, f"and {left:,} more problems")] if left > 0 else problems


def _problem(error: ErrorDetails, file: str, positions: Positions) -> MapProblem:
    loc = tuple(part for part in error["loc"] if part != "[key]")
    line, column = position(positions, loc)
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
