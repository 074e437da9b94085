"""Find the files that a map includes: paths and globs beside it, and the YAML of a dbt project.

Bounded in number, size and depth. A file outside of the map's folder is included only where the map's own
file names its folder with `..`; a symbolic link never leads out of the folder that is named.
"""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.source import Included, MapSource
from airflow_lineage_provider.lineage_map.yaml_text import MAX_BYTES, parse_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.lineage_map.yaml_text import Path as Keys

MAX_FILES = 500
MAX_NESTED = 5
MAX_NAMES = 50_000
MAX_WILD = 8
_WILD = re.compile(r"[*?]")
_YAML = (".yaml", ".yml")
_NOT_DBT = frozenset({"target", "dbt_packages", "dbt_modules", "logs"})


class Files(Protocol):
    """Where the files are: a disk, or a revision in git."""

    def names(self, folder: str) -> Iterable[str]:
        """Yield the paths of the files below a folder, relative to it, with `/`."""

    def read(self, file: str) -> str:
        """Return the text of a file. Raises MapError or OSError."""

    def real(self, path: str) -> str:
        """Return a path without symbolic links."""


class DiskFiles:
    """Files on this machine's disk. Hidden folders and symbolic links to folders are not searched."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the paths of the files below a folder."""
        for here, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            below = os.path.relpath(here, folder).replace(os.sep, "/")
            yield from sorted(name if below == "." else f"{below}/{name}" for name in files)

    def read(self, file: str) -> str:
        """Return the text of a regular file. Raises MapError."""
        if os.path.exists(file) and not os.path.isfile(file):  # noqa: PTH110, PTH113 - as it was written
            raise MapError([MapProblem(file, 0, 0, "not a file")])
        return read_text(file)

    def real(self, path: str) -> str:
        """Return a path without symbolic links."""
        return os.path.realpath(path)


def read_text(path: str) -> str:
    """Return the text of a file without its byte order mark. Raises MapError."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - the path as it was written
            return stream.read(MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        raise MapError([MapProblem(path, 0, 0, f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        message = f"not UTF-8 (byte {error.start}); save it as UTF-8"
        raise MapError([MapProblem(path, 0, 0, message)]) from None


def with_included(file: str, text: str, files: Files) -> MapSource:
    """Return a map's text with the files that it includes.

    Raises MapError for an include that names no file, that leads out of the map's folder or in a circle, and
    for more than `MAX_FILES` files, `MAX_BYTES` of text or `MAX_NESTED` levels.
    """
    if "include" not in text:
        return MapSource(file, text)
    search = _Search(file, files, len(text))
    search.visit(file, text, ())
    return MapSource(file, text, tuple(search.found.values()))


class _Search:
    def __init__(self, file: str, files: Files, size: int) -> None:
        self.main = file
        self.files = files
        self.size = size
        self.found: dict[str, Included] = {}

    def visit(self, file: str, text: str, above: tuple[str, ...]) -> None:
        data, positions = parse_yaml(text, file)
        given = data.get("include") if isinstance(data, dict) else None
        for number, entry in enumerate(given if isinstance(given, list) else [given]):
            entry_keys: Keys = ("include", number) if isinstance(given, list) else ("include",)
            include = _Entry(file, *positions.get(entry_keys, (1, 1)), above)
            if isinstance(entry, str):
                self.add(entry, include)
            elif isinstance(entry, dict) and entry.keys() == {"dbt"} and isinstance(entry["dbt"], str):
                self.add_dbt(entry["dbt"], include)
            elif entry is not None:
                raise include.problem("is a path, a glob, or {dbt: the folder of a dbt project}")

    def add(self, pattern: str, include: _Entry) -> None:
        fixed, wild = _split(pattern)
        folder = _joined(posixpath.dirname(include.file), fixed)
        if not wild:
            self.take(folder, self.root(pattern, posixpath.dirname(folder), include), include)
            return
        if len(_WILD.findall(wild)) > MAX_WILD:
            raise include.problem(f"{pattern!r:.100} has more than {MAX_WILD} wildcards")
        root = self.root(pattern, folder, include)
        self.check_inside(folder, root, include)
        fits = _glob(wild)
        matching = [name for name in self.names(folder, include) if fits.fullmatch(name)]
        paths = [path for name in matching if (path := _joined(folder, name)) != include.file]
        if not paths:
            raise include.problem(f"{pattern!r:.100} fits no file")
        for path in paths:
            self.take(path, root, include)

    def take(self, path: str, root: str, include: _Entry) -> None:
        """Include a file, and what it includes. A file that is included already is not included again."""
        self.check_inside(path, root, include)
        if path in (*include.above, include.file):
            circle = " -> ".join((*include.above, include.file, path))
            raise include.problem(f"the files include each other in a circle: {circle}")
        if path not in self.found:
            if len(include.above) >= MAX_NESTED:
                raise include.problem(f"nested more than {MAX_NESTED} levels deep")
            text = self.read(path, include)
            self.found[path] = Included(path, text)
            if "include" in text:
                self.visit(path, text, (*include.above, include.file))

    def add_dbt(self, given: str, include: _Entry) -> None:
        """Include the YAML files of a dbt project that speak of lineage."""
        folder = _joined(posixpath.dirname(include.file), given)
        root = self.root(given, folder, include)
        self.check_inside(folder, root, include)
        names = [name for name in self.names(folder, include) if name.endswith(_YAML)]
        if "dbt_project.yml" not in names:
            raise include.problem(f"{given!r:.100} has no dbt_project.yml; name the folder of a dbt project")
        for name in names:
            path = _joined(folder, name)
            if name == "dbt_project.yml" or name.partition("/")[0] in _NOT_DBT or path in self.found:
                continue
            self.check_inside(path, root, include)
            text = self.read(path, include, keep="lineage")
            if text:
                self.found[path] = Included(path, text, folder)

    def names(self, folder: str, include: _Entry) -> Iterator[str]:
        for number, name in enumerate(self.files.names(folder)):
            if number >= MAX_NAMES:
                raise include.problem(f"{folder!r:.100} has more than {MAX_NAMES:,} files")
            yield name

    def read(self, path: str, include: _Entry, keep: str = "") -> str:
        """Return the text of a file; empty where `keep` is given and not in it."""
        try:
            text = self.files.read(path)
        except MapError as error:
            raise include.problem(str(error)) from None
        if keep not in text:
            return ""
        self.size += len(text)
        if self.size > MAX_BYTES or len(self.found) >= MAX_FILES:
            raise include.problem(f"more than {MAX_FILES} files or {MAX_BYTES >> 20} MiB are included")
        return text

    def root(self, pattern: str, folder: str, include: _Entry) -> str:
        """Return the folder that an entry may not leave: the map's, or one that its own file names."""
        if posixpath.isabs(pattern):
            raise include.problem(f"{pattern!r:.100} is absolute; write it relative to this file")
        if ".." in pattern.split("/") and include.file == self.main:
            return folder
        return posixpath.dirname(self.main) or "."

    def check_inside(self, path: str, root: str, include: _Entry) -> None:
        real, inside = self.files.real(path), self.files.real(root)
        if real != inside and not real.startswith(inside.rstrip("/") + "/"):
            raise include.problem(f"{path!r:.100} leads out of the folder {root!r:.100}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of `include`: where it is written, and the files that include its file."""

    file: str
    line: int
    column: int
    above: tuple[str, ...]

    def problem(self, message: str) -> MapError:
        return MapError([MapProblem(self.file, self.line, self.column, f"include: {message}")])


def _joined(folder: str, name: str) -> str:
    return posixpath.normpath(posixpath.join(folder, name))


def _split(pattern: str) -> tuple[str, str]:
    """Return the part of a glob without wildcards, and the rest."""
    found = _WILD.search(pattern)
    if not found:
        return pattern, ""
    fixed = pattern[: found.start()].rpartition("/")[0]
    return fixed, pattern[len(fixed) :].lstrip("/")


def _glob(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a glob: `*` and `?` within a name, `**` over folders."""
    out = re.escape(pattern).replace(r"\*\*/", "(?:.+/)?").replace(r"\*\*", ".*")
    return re.compile(out.replace(r"\*", "[^/]*").replace(r"\?", "[^/]"))
