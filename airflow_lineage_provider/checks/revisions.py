"""Read a file, or a map with what it includes, at a git revision."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.lineage_map import MapError, MapProblem, parse_source
from airflow_lineage_provider.lineage_map.include import with_included

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airflow_lineage_provider.lineage_map import LineageMap

_SECONDS = 30


def read_revision(path: str | Path, revision: str) -> str:
    """Return the text of a file at a revision. Raises InputError where git cannot give it."""
    file = Path(path).absolute()
    if not revision or revision.startswith("-") or ":" in revision:
        raise InputError(f"{revision!r} is not a git revision; name a branch, a tag or a commit")
    done = _git(file, "show", "--end-of-options", f"{revision}:./{file.name}")
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{path} at {revision}: {errors[0] if errors else 'git failed'}")
    return done.stdout.decode(errors="replace")


def map_at(path: str | Path, revision: str) -> LineageMap:
    """Return a map as it was at a revision, the files that it included too.

    Raises InputError where git cannot give them, and MapError for what was no map.
    """
    source = with_included(str(path), read_revision(path, revision), _RevisionFiles(revision))
    return parse_source(source.renamed(lambda file: f"{file}@{revision[:12]}"))


class _RevisionFiles:
    """The files of a git revision; a symbolic link is no file of it."""

    def __init__(self, revision: str) -> None:
        self.revision = revision

    def names(self, folder: str) -> Iterator[str]:
        """Yield the paths of the files below a folder."""
        done = _git(Path(folder, "x").absolute(), "ls-tree", "-r", "-z", "--end-of-options", self.revision)
        for line in sorted(done.stdout.decode(errors="replace").split("\0")):
            kind, _, name = line.partition("\t")
            if name and kind.startswith("100") and not any(p.startswith(".") for p in name.split("/")):
                yield name

    def read(self, file: str) -> str:
        """Return the text of a file. Raises MapError."""
        try:
            return read_revision(file, self.revision).removeprefix("\ufeff")
        except InputError as error:
            raise MapError([MapProblem(file, 0, 0, str(error))]) from None

    def real(self, path: str) -> str:
        """Return a path without `..`."""
        return os.path.abspath(path)  # noqa: PTH100 - of a path that may be gone from the disk


def revisions_of(paths: Iterable[str | Path], most: int) -> list[str]:
    """Return the commits that changed one of the files, the newest first.

    Raises InputError where git cannot tell.
    """
    files = [Path(path).absolute() for path in paths]
    path = file = files[0]
    done = _git(file, "log", f"--max-count={most}", "--format=%H", "--", *map(str, files))
    if done.returncode:
        errors = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{path}: {errors[0] if errors else 'git failed'}")
    return done.stdout.decode(errors="replace").split()


def _git(file: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    command = ["git", "-C", str(file.parent), *words]
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InputError(f"{file}: git failed: {error}") from None
