"""Decodes a block of Avro records column by column, without a Python object for each value.

Reads the same field of all records at once: a numpy array holds the position in each record. Covers
primitives, enums, fixed, decimals, nullable fields and nested records; arrays, maps and unions of several
types are left to the decoder of single records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.avro_types import DEEPEST, TIME, arrow_time
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import pyarrow as pa

PADDING = 16  # no field is read further than this beyond the last record
DECIMAL_BYTES = 16
LONGEST_SHIFT = 63
NULLS = ("null", {"type": "null"})
FLOATS = {"float": (4, "<f4"), "double": (8, "<f8")}
INT32 = 2**31


class BlockError(IngestError):
    """A record of the block is not of the schema, or is of a kind that only the other decoder reads."""


@dataclass(slots=True)
class Records:
    """Records in one buffer, in their order, and where each of them has been read to."""

    data: np.ndarray[Any, Any]
    at: np.ndarray[Any, Any]
    end: np.ndarray[Any, Any]

    def take(self, rows: np.ndarray[Any, Any]) -> Records:
        """Return some of the records."""
        return Records(self.data, self.at[rows], self.end[rows])

    def advance(self, size: np.ndarray[Any, Any] | int) -> None:
        """Move on. Raises BlockError where a record ends before."""
        self.at = self.at + size
        if (self.at > self.end).any():
            raise BlockError("a record ends too early")

    def matrix(self, size: int) -> np.ndarray[Any, Any]:
        """Return the next bytes of each record, a row for each, and move on."""
        import numpy as np

        begin = self.at
        self.advance(size)
        return self.data[begin[:, None] + np.arange(size)]

    def longs(self) -> np.ndarray[Any, Any]:
        """Read a zigzag varint of each record."""
        import numpy as np

        at = self.at.copy()
        byte = self.data[at]
        value = (byte & 0x7F).astype(np.uint64)
        at += 1
        (rest,) = np.nonzero(byte > 0x7F)  # noqa: PLR2004
        shift = 7
        while rest.size:
            if shift > LONGEST_SHIFT or (at[rest] >= self.end[rest]).any():
                raise BlockError("an integer does not end")
            byte = self.data[at[rest]]
            value[rest] |= (byte & 0x7F).astype(np.uint64) << np.uint64(shift)
            at[rest] += 1
            rest = rest[byte > 0x7F]  # noqa: PLR2004
            shift += 7
        self.advance(at - self.at)
        half, sign = value >> np.uint64(1), value & np.uint64(1)
        found: np.ndarray[Any, Any] = half.view(np.int64) ^ -sign.view(np.int64)
        return found

    def lengths(self) -> np.ndarray[Any, Any]:
        """Read the length of what comes next; each is within its record."""
        found = self.longs()
        if ((found < 0) | (found > self.end - self.at)).any():
            raise BlockError("a length is beyond the record")
        return found


def block_reader(
    schema: Any, named: Mapping[str, Any]
) -> Callable[[Sequence[bytes], int], list[pa.Array]] | None:
    """Return a function that decodes records of a parsed schema; None where the schema has other types.

    The function takes the records and the length of the header that each begins with, and returns the arrays
    of the fields. It raises BlockError unless each record is read exactly to its end.
    """
    fields = [_reader(field["type"], named, DEEPEST) for field in schema["fields"]]
    if not fields or not all(fields):
        return None

    def read(values: Sequence[bytes], header: int) -> list[pa.Array]:
        import numpy as np
        import pyarrow as pa

        sizes = np.fromiter(map(len, values), np.int64, len(values))
        end = np.cumsum(sizes)
        data = np.frombuffer(b"".join((*values, bytes(PADDING))), np.uint8)
        records = Records(data, end - sizes + header, end)
        try:
            arrays = [field(records) for field in fields if field]
        except pa.ArrowException as error:
            raise BlockError(str(error)) from None
        if (records.at != records.end).any():
            raise BlockError("bytes are left behind a record")
        return arrays

    return read


def _reader(schema: Any, named: Mapping[str, Any], depth: int) -> Callable[[Records], pa.Array] | None:  # noqa: PLR0911
    if depth == 0:
        return None
    if isinstance(schema, list):
        return _nullable(schema, named, depth)
    if isinstance(schema, str):
        return _PRIMITIVES[schema] if schema in _PRIMITIVES else _reader(named[schema], named, depth - 1)
    kind, logical = schema["type"], schema.get("logicalType")
    if kind == "record":
        return _struct(schema, named, depth)
    if kind == "enum":
        return _enum(schema["symbols"])
    if logical == "decimal":
        return _decimal(schema)
    if kind == "fixed":
        return _fixed(schema["size"])
    if time := schema.get(TIME):
        return _time(kind, time)
    return _PRIMITIVES.get(kind) if isinstance(kind, str) else _reader(kind, named, depth - 1)


def _null(records: Records) -> pa.Array:
    import pyarrow as pa

    return pa.nulls(len(records.at))


def _boolean(records: Records) -> pa.Array:
    import pyarrow as pa

    found = records.matrix(1)[:, 0]
    if (found > 1).any():
        raise BlockError("a boolean is neither 0 nor 1")
    return pa.array(found == 1)


def _int(records: Records) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    found = records.longs()
    if ((found < -INT32) | (found >= INT32)).any():
        raise BlockError("an int has more than 32 bits")
    return pa.array(found.astype(np.int32))


def _long(records: Records) -> pa.Array:
    import pyarrow as pa

    return pa.array(records.longs())


def _floats(kind: str) -> Callable[[Records], pa.Array]:
    size, dtype = FLOATS[kind]

    def read(records: Records) -> pa.Array:
        import pyarrow as pa

        return pa.array(records.matrix(size).view(dtype)[:, 0])

    return read


def _bytes(records: Records) -> pa.Array:
    """Return what is between the ends of one value and the next, every other of which is a value."""
    import numpy as np
    import pyarrow as pa

    sizes = records.lengths()
    begin, count = records.at, len(records.at)
    records.advance(sizes)
    if not count:
        return pa.array([], pa.binary())
    offsets = np.column_stack((begin, records.at)).ravel()
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(records.data)]
    pieces = pa.Array.from_buffers(pa.large_binary(), 2 * count - 1, buffers)
    return pieces.take(pa.array(np.arange(0, 2 * count - 1, 2))).cast(pa.binary())


def _string(records: Records) -> pa.Array:
    import pyarrow as pa

    return _bytes(records).cast(pa.string())  # checks that it is UTF-8


def _enum(symbols: Sequence[str]) -> Callable[[Records], pa.Array]:
    def read(records: Records) -> pa.Array:
        import pyarrow as pa

        found = records.longs()
        if ((found < 0) | (found >= len(symbols))).any():
            raise BlockError("an enum has no such symbol")
        return pa.array(symbols, pa.string()).take(pa.array(found))

    return read


def _fixed(size: int) -> Callable[[Records], pa.Array]:
    def read(records: Records) -> pa.Array:
        import pyarrow as pa

        content = pa.py_buffer(records.matrix(size).tobytes())
        return pa.Array.from_buffers(pa.binary(size), len(records.at), [None, content])

    return read


def _decimal(schema: Mapping[str, Any]) -> Callable[[Records], pa.Array]:
    """Two's complement with the highest byte first, which Arrow keeps in 16 bytes with the lowest first."""

    def read(records: Records) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        sizes = records.lengths() if schema["type"] == "bytes" else np.full(len(records.at), schema["size"])
        if ((sizes < 1) | (sizes > DECIMAL_BYTES)).any():
            raise BlockError("a decimal has no byte, or more than 16")
        begin = records.at
        records.advance(sizes)
        places = np.arange(DECIMAL_BYTES)
        sign = np.where(records.data[begin] > 0x7F, 0xFF, 0)  # noqa: PLR2004
        lowest_first = records.data[np.maximum(records.at[:, None] - 1 - places, 0)]
        content = np.where(places < sizes[:, None], lowest_first, sign[:, None]).astype(np.uint8)
        kind = pa.decimal128(schema["precision"], schema.get("scale", 0))
        found = pa.Array.from_buffers(kind, len(begin), [None, pa.py_buffer(content.tobytes())])
        found.validate(full=True)
        return found

    return read


def _time(kind: str, time: str) -> Callable[[Records], pa.Array] | None:
    target = arrow_time(time)
    read = _PRIMITIVES.get(kind)
    if target is None or read is None:
        return read
    return lambda records: read(records).view(target)


def _struct(
    schema: Mapping[str, Any], named: Mapping[str, Any], depth: int
) -> Callable[[Records], pa.Array] | None:
    parts = [(field["name"], _reader(field["type"], named, depth - 1)) for field in schema["fields"]]
    if not parts or not all(read for _, read in parts):
        return None

    def read(records: Records) -> pa.Array:
        import pyarrow as pa

        arrays = [part(records) for _, part in parts if part]
        return pa.StructArray.from_arrays(arrays, names=[name for name, _ in parts])

    return read


def _nullable(union: list[Any], named: Mapping[str, Any], depth: int) -> Callable[[Records], pa.Array] | None:
    places = [place for place, part in enumerate(union) if part not in NULLS]
    part = _reader(union[places[0]], named, depth - 1) if len(places) == 1 else None
    if part is None:
        return None

    def read(records: Records) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        branch = records.longs()
        if ((branch < 0) | (branch >= len(union))).any():
            raise BlockError("a union has no such branch")
        there = branch == places[0]
        if there.all():
            return part(records)
        (rows,) = np.nonzero(there)
        some = records.take(rows)
        values = part(some)
        records.at = records.at.copy()
        records.at[rows] = some.at
        return values.take(pa.array(np.cumsum(there) - 1, mask=~there))

    return read


_PRIMITIVES: dict[str, Callable[[Records], pa.Array]] = {
    "null": _null,
    "boolean": _boolean,
    "int": _int,
    "long": _long,
    "float": _floats("float"),
    "double": _floats("double"),
    "bytes": _bytes,
    "string": _string,
}
