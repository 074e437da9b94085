"""Write a map's file: in place of the old one at once, with its mode, line ends and byte order mark."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_lineage_provider.lineage_map.approval import digest_of, with_approval
from airflow_lineage_provider.lineage_map.errors import MapError, MapProblem
from airflow_lineage_provider.lineage_map.load import load_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow_lineage_provider.lineage_map.approval import Signature

_MARK = "\ufeff"


def approve_file(path: Path, signature: Signature) -> str:
    """Record an approval in the map's file; return the digest that is approved.

    Raises MapError and InputError as `with_approval` does, and MapError where the file cannot be written.
    """
    digest = digest_of(load_map(path).content)
    edit_file(path, lambda text: with_approval(text, str(path), signature))
    return digest


def edit_file(path: Path, change: Callable[[str], str], *, write: bool = True) -> tuple[str, str]:
    """Write a map's file with its text changed; return the text before and after.

    A text that stays as it is is not written, and none without `write`. Raises MapError for a file that is no
    map or cannot be written, and what `change` raises.
    """
    load_map(path)  # says what is wrong with it, by line
    text = path.read_bytes().decode("utf-8")
    mark = _MARK if text.startswith(_MARK) else ""
    before = text.removeprefix(_MARK)
    after = change(before)
    if write and after != before:
        try:
            _replace(path.resolve(), mark + after)
        except OSError as error:
            problem = MapProblem(str(path), 0, 0, f"cannot be written: {error.strerror or error}")
            raise MapError([problem]) from None
    return before, after


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
