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
    from airflow_lineage_provider.lineage_map.approval import Signature

_MARK = "\ufeff"


def approve_file(path: Path, signature: Signature) -> str:
    """Record an approval in the map's file; return the digest that is approved.

    Raises MapError and InputError as `with_approval` does, and MapError where the file cannot be written.
    """
    digest = digest_of(load_map(path).content)
    text = path.read_bytes().decode("utf-8")
    mark = _MARK if text.startswith(_MARK) else ""
    changed = mark + with_approval(text.removeprefix(_MARK), str(path), signature)
    try:
        _replace(path.resolve(), changed)
    except OSError as error:
        problem = MapProblem(str(path), 0, 0, f"cannot be written: {error.strerror or error}")
        raise MapError([problem]) from None
    return digest


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
