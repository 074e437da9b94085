"""The files of dbt's `target` folder, on a disk or in an object store, bounded in size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_lineage_provider.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fsspec import AbstractFileSystem

LARGEST_FILE = 1 << 30
"""In bytes: the manifest of 23,000 nodes is about half of it."""


def read_folder(location: str) -> Callable[[str], bytes | None]:
    """Return a reader of the files of a folder: a path, or a URL that fsspec can open, such as `s3://...`.

    Raises InputError for a URL of a kind that is not known or whose package is not installed.
    """
    from fsspec.core import url_to_fs

    try:
        files, folder = url_to_fs(location)
    except (ValueError, ImportError) as error:
        raise InputError(f"{location} cannot be opened: {' '.join(str(error).split())}") from None
    return file_reader(files, folder)


def file_reader(files: AbstractFileSystem, folder: str) -> Callable[[str], bytes | None]:
    """Return a function that takes a name and returns the file's content; None where there is no such file.

    It raises InputError for a file that cannot be read or is larger than LARGEST_FILE.
    """

    def read(name: str) -> bytes | None:
        path = f"{folder.rstrip('/')}/{name}"
        try:
            if not files.exists(path):
                return None
            size = files.size(path) or 0
            content: bytes = files.cat_file(path) if size <= LARGEST_FILE else b""
        except Exception as error:  # noqa: BLE001 - each file system has errors of its own
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{path} cannot be read: {type(error).__name__}: {reason}") from None
        if size > LARGEST_FILE:
            raise InputError(f"{path} has {size} bytes, more than the {LARGEST_FILE} that are read")
        return content

    return read
