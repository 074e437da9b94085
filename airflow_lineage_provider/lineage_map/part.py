"""The data of one file of a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem

if TYPE_CHECKING:
    from airflow_lineage_provider.lineage_map.yaml_text import Path, Positions


@dataclass(frozen=True, slots=True)
class MapPart:
    """The data of one file of a map, with positions by its paths.

    `own_paths` are the paths in the file of what is written there in another form than in a map.
    """

    data: dict[str, Any]
    positions: Positions
    file: str
    own_paths: dict[Path, Path] = field(default_factory=dict)

    def problem(self, path: Path, message: str) -> MapError:
        """Return the error of a part of the file."""
        return MapError([MapProblem(self.file, *position(self.positions, path), message)])


def position(positions: Positions, path: Path) -> tuple[int, int]:
    """Return the line and column of the part, or of the nearest part around it."""
    return positions.get(nearest(positions, path), (1, 1))


def nearest(positions: Positions, path: Path) -> Path:
    """Return the path of the nearest part around a path that has a position."""
    while path and path not in positions:
        path = path[:-1]
    return path
