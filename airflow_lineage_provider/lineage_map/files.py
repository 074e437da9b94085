"""Write the files of a map: each in place of the old one at once, with its mode, line ends and mark."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.approval import digest_of, with_approval
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.load import load_map, load_source, parse_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.lineage_map.approval import Signature
    from airflow_lineage_provider.lineage_map.source import MapSource

_MARK = "\ufeff"


def approve_file(path: Path, signature: Signature) -> str:
    """Record an approval in the map's file; return the digest that is approved.

    Raises MapError and InputError as `with_approval` does, and MapError where the file cannot be written.
    """
    digest = digest_of(load_map(path).content)
    edit_files(path, lambda source: with_approval(source, signature))
    return digest


@dataclass(frozen=True, slots=True)
class FileChange:
    """The text of a file before and after a change."""

    file: str
    before: str
    after: str


def edit_files(
    path: Path, change: Callable[[MapSource], MapSource], *, write: bool = True
) -> tuple[FileChange, ...]:
    """Write the files of a map whose texts a change makes others; return the texts of those that differ.

    Nothing is written without `write`. Raises MapError for a file that is no map or cannot be written, and
    what `change` raises.
    """
    before = load_source(path)
    parse_source(before)  # says what is wrong with it, by line
    after = change(before).texts
    changes = tuple(
        FileChange(file, text, after[file]) for file, text in before.texts.items() if after[file] != text
    )
    for one in changes if write else ():
        file = Path(one.file)
        try:
            mark = _MARK if file.read_bytes().startswith(_MARK.encode()) else ""
            _replace(file.resolve(), mark + one.after)
        except OSError as error:
            problem = MapProblem(one.file, 0, 0, f"cannot be written: {error.strerror or error}")
            raise MapError([problem]) from None
    return changes


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(text.encode("utf-8"))
        new.chmod(path.stat().st_mode & 0o7777)
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
