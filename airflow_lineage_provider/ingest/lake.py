"""A folder of Parquet files, on a file system or in a bucket, to which files are added atomically."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.events.naming import DatasetName, file_name
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa
    from pyarrow.fs import FileSystem

PART = ".part"
UPLOADS = "_uploads"
ROW_GROUP = 128 * 1024


@dataclass(frozen=True, slots=True)
class S3Access:
    """How a bucket is reached; what is None is found as boto does, in the environment or the instance."""

    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    name: str = ""
    """What error messages call it, such as "connection 'lake'"."""

    def filesystem(self) -> FileSystem:
        """Return the bucket's file system."""
        from pyarrow.fs import S3FileSystem

        endpoint = urlsplit(self.endpoint_url or "")
        options: dict[str, Any] = {
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "session_token": self.session_token,
            "region": self.region or os.environ.get("AWS_DEFAULT_REGION"),
            "endpoint_override": endpoint.netloc or None,
            "scheme": endpoint.scheme or None,
            "connect_timeout": 10,
            "request_timeout": 60,
        }
        return S3FileSystem(**{name: value for name, value in options.items() if value is not None})


class Lake:
    """Files under one folder.

    :param location: a path, or `s3://bucket/folder`.

    Raises InputError for another scheme.
    """

    def __init__(self, location: str, s3: S3Access | None = None) -> None:
        url = urlsplit(location)
        if url.scheme not in {"", "file", "s3", "s3a"}:
            raise InputError(f"{location!r} is neither a folder nor s3://BUCKET/FOLDER")
        self.location = location.rstrip("/")
        self.is_local = url.scheme in {"", "file"}
        self._s3 = s3 or S3Access()
        self._called = f"{self.location} ({self._s3.name})" if self._s3.name else self.location
        self._root = (
            str(Path(url.path).absolute()) if self.is_local else f"{url.netloc}{url.path}".rstrip("/")
        )
        self._opened: FileSystem | None = None

    @property
    def dataset(self) -> DatasetName:
        """Return the folder's name in OpenLineage."""
        return file_name(self.location)

    def names(self, folder: str = "", suffix: str = ".parquet") -> list[str]:
        """Return the names of the files in the folder, sorted; of none where the folder is not there."""
        from pyarrow.fs import FileSelector

        selector = FileSelector(self._path(folder), allow_not_found=True, recursive=False)
        with _one_line(self._called):
            found = [info.base_name for info in self._files.get_file_info(selector) if info.is_file]
        return sorted(name for name in found if name.endswith(suffix))

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a Parquet file; it is there as a whole or not at all."""
        import pyarrow.parquet as pq

        with self._atomic(name) as sink:
            pq.write_table(table, sink, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)

    def write_batches(
        self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], notes: Mapping[str, str]
    ) -> None:
        """Write rows while they are read, as a Parquet file with notes that `notes` returns.

        It is there as a whole or not at all. In a bucket it may have 5 GB, which S3 copies at once.
        """
        import pyarrow.parquet as pq

        with (
            self._atomic(name) as sink,
            pq.ParquetWriter(
                sink, schema.with_metadata(dict(notes)), compression="zstd", compression_level=1
            ) as writer,
        ):
            for batch in batches:
                writer.write_batch(batch, row_group_size=ROW_GROUP)

    def notes(self, name: str) -> dict[str, str]:
        """Return the notes that a Parquet file was written with."""
        found = self.schema(name).metadata or {}
        return {key.decode(): value.decode() for key, value in found.items() if not key.startswith(b"ARROW:")}

    def write_bytes(self, name: str, content: bytes) -> None:
        """Write a file of any kind; it is there as a whole or not at all."""
        with self._atomic(name) as sink:
            sink.write(content)

    def read_bytes(self, name: str) -> bytes:
        """Return what a file holds."""
        with _one_line(self._called), self._files.open_input_stream(self._path(name)) as source:
            return bytes(source.read())

    def schema(self, name: str) -> pa.Schema:
        """Return the columns of a Parquet file."""
        import pyarrow.parquet as pq

        with _one_line(self._called):
            return pq.read_schema(self._path(name), filesystem=self._files)

    def batches(self, name: str, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield a Parquet file's rows, a row group's worth at a time."""
        import pyarrow.parquet as pq

        with _one_line(self._called), self._files.open_input_file(self._path(name)) as source:
            yield from pq.ParquetFile(source).iter_batches(batch_size=ROW_GROUP, columns=columns)

    def delete(self, name: str) -> None:
        """Delete a file."""
        with _one_line(self._called):
            self._files.delete_file(self._path(name))

    @property
    def _files(self) -> FileSystem:
        if self._opened is None:
            from pyarrow.fs import LocalFileSystem

            self._opened = LocalFileSystem() if self.is_local else self._s3.filesystem()
        return self._opened

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root

    def _delete_if_there(self, path: str) -> None:
        with suppress(FileNotFoundError):
            self._files.delete_file(path)

    @contextmanager
    def _atomic(self, name: str) -> Iterator[Any]:
        """Yield a stream whose content appears under `name` when the `with` block ends without an error.

        In a bucket the file is uploaded under another name and then copied by the server, because a stream
        that is closed by an error completes its upload. On a file system the file is renamed, and the folder
        synced, so that it survives a loss of power.
        """
        path = Path(self._path(name))
        with _one_line(self._called):
            if not self.is_local:
                upload = self._path(f"{UPLOADS}/{path.name}.{uuid4().hex}")
                try:
                    with self._files.open_output_stream(upload) as sink:
                        yield sink
                    self._files.copy_file(upload, self._path(name))
                finally:
                    self._delete_if_there(upload)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{path.name}.{os.getpid()}{PART}")
            try:
                with part.open("wb") as sink:
                    yield sink
                    sink.flush()
                    os.fsync(sink.fileno())
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


@contextmanager
def _one_line(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        text = " ".join(str(error).split())
        raise IngestError(f"{place}: {text[:300]}", unreachable=True) from None
