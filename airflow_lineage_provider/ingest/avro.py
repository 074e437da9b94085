"""Avro records in Confluent's wire format as Arrow tables.

A record is decoded by the schema that it was written with. Times are read as integers and become Arrow's in
one step, which is several times faster than one Python object for each.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.ingest.avro_block import BlockError, block_reader
from airflow_lineage_provider.ingest.avro_types import (
    DEBEZIUM_TIMES,
    DEEPEST,
    TIME,
    arrow_time,
    arrow_type,
    is_zoned,
    zoned_moment,
)
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

MAGIC = 0
_ADDRESS = re.compile(r" from <_io\.BytesIO object at \w+>")  # in the messages of fastavro
HEADER = 5  # a zero byte, then the schema's id in 4 bytes


class UndecodableError(Exception):
    """A record that is no Avro record of its schema; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes the records of one schema."""

    schema: pa.Schema
    decode: Callable[[Any], dict[str, Any]]
    """Takes an Avro record with its header, or the payload of JSON; raises UndecodableError."""
    json_columns: frozenset[str]
    """Columns that have no Arrow type, such as a union of two records: they become JSON text."""
    block: Callable[[Sequence[bytes], int], list[pa.Array]] | None = None
    """Decodes many records at once where the schema allows it; see `avro_block`."""

    def decode_block(self, values: Sequence[bytes]) -> pa.Table | None:
        """Return records as a table; None where one is not of the schema, or the schema does not allow it."""
        import pyarrow as pa

        if self.block is None:
            return None
        try:
            arrays = [
                array.cast(column.type) if array.type != column.type else array
                for array, column in zip(self.block(values, HEADER), self.schema, strict=True)
            ]
        except (BlockError, pa.ArrowException):
            return None
        return pa.Table.from_arrays(arrays, schema=self.schema)

    def checked_table(self, records: Sequence[dict[str, Any]]) -> tuple[pa.Table, dict[int, str]]:
        """Return decoded records as a table, and by their place why some cannot be in one."""
        import pyarrow as pa

        errors = (pa.ArrowException, OverflowError)
        try:
            return self.table(records), {}
        except errors:
            good, bad = [], {}
            for place, record in enumerate(records):
                try:
                    self.table([record])
                except errors as error:
                    bad[place] = f"a value is beyond its type: {error}"
                else:
                    good.append(record)
            return self.table(good), bad

    def table(self, records: Sequence[dict[str, Any]]) -> pa.Table:
        """Return decoded records as a table, in their order."""
        import pyarrow as pa

        arrays = []
        for column in self.schema:
            values = [record[column.name] for record in records]
            if column.name in self.json_columns:
                values = [None if value is None else json.dumps(value, default=str) for value in values]
            arrays.append(pa.array(values, column.type))
        return pa.Table.from_arrays(arrays, schema=self.schema)


def schema_id(value: bytes) -> int:
    """Return the id of the schema that a record was written with. Raises UndecodableError."""
    if len(value) < HEADER or value[0] != MAGIC:
        raise UndecodableError("it does not begin with a zero byte and the id of a schema")
    return int.from_bytes(value[1:HEADER], "big")


def decoder(schema: Mapping[str, Any] | str | list[Any], named: Mapping[str, Any] | None = None) -> Decoder:
    """Return the decoder of a record schema.

    :param schema: the Avro schema.
    :param named: schemas that it refers to by name, parsed by `parse`.

    Raises IngestError for a schema that is no record.
    """
    import fastavro
    import pyarrow as pa

    known = dict(named or {})
    parsed = parse(schema, known)
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise IngestError(f"the Avro schema {str(schema)[:80]!r} is no record: it has no columns")
    fields, texts, zoned = [], set(), []
    for field in parsed["fields"]:
        arrow = arrow_type(field["type"], known, DEEPEST)
        if arrow is None:
            texts.add(field["name"])
        elif arrow == pa.string() and is_zoned(field["type"]):
            zoned.append(field["name"])
            arrow = arrow_time("timestamp-micros")
        fields.append(pa.field(field["name"], arrow or pa.string()))
    read = fastavro.schemaless_reader

    def decode(value: bytes) -> dict[str, Any]:
        stream = BytesIO(value)
        stream.seek(HEADER)
        try:
            record: Any = read(stream, parsed, None)
            for name in zoned:
                record[name] = zoned_moment(record[name])
        except Exception as error:  # noqa: BLE001 - fastavro raises whatever a wrong byte leads to
            reason = _ADDRESS.sub("", str(error))
            raise UndecodableError(f"{type(error).__name__}: {reason}") from None
        if left := len(value) - stream.tell():
            raise UndecodableError(f"{left} bytes are left behind the record")
        return record  # type: ignore[no-any-return] # of a record schema: a dict

    return Decoder(pa.schema(fields), decode, frozenset(texts), block_reader(parsed, known))


def parse(schema: Any, named: dict[str, Any]) -> Any:
    """Return a schema as fastavro reads it, and add the types that it names to `named`.

    Raises IngestError for what is no Avro schema.
    """
    import fastavro

    try:
        return fastavro.parse_schema(_with_plain_times(schema, DEEPEST), named_schemas=named)
    except IngestError:
        raise
    except Exception as error:  # noqa: BLE001 - KeyError, TypeError and its own, by what is wrong
        raise IngestError(f"{str(schema)[:80]!r} is no Avro schema: {error}") from None


def _with_plain_times(schema: Any, depth: int) -> Any:
    """Take the logical types of times and UUIDs away, so that their plain values are read."""
    if depth == 0:
        raise IngestError(f"an Avro schema is nested more than {DEEPEST} levels deep")
    if isinstance(schema, list):
        return [_with_plain_times(part, depth - 1) for part in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _with_plain_times(part, depth - 1) for key, part in schema.items() if key != "default"}
    logical = plain.get("logicalType")
    if isinstance(logical, str) and logical != "decimal":
        plain[TIME] = plain.pop("logicalType")
    elif plain.get("connect.name") in DEBEZIUM_TIMES:
        plain[TIME] = plain["connect.name"]
    if "default" in schema:
        plain["default"] = schema["default"]
    return plain
