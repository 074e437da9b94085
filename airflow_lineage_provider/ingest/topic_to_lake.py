"""Lands a topic's records as Parquet files.

A file's name says which offsets it covers, `events+0+00000000000000000000-00000000000000000999.parquet`, so
data and offsets are committed by one rename (in a bucket: by one upload). The next run goes on after the last
offset that a name says.

A record that cannot be decoded is written to `_dead_letters/`, with the reason, before the file that covers
its offset. A dead-letter file beyond the last offset was left by a run that died, and is removed.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.ingest.avro import HEADER, UndecodableError, schema_id
from airflow_lineage_provider.ingest.decoders import DELETED
from airflow_lineage_provider.ingest.model import Moved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from confluent_kafka import Message

    from airflow_lineage_provider.ingest.avro import Decoder
    from airflow_lineage_provider.ingest.decoders import Decoders
    from airflow_lineage_provider.ingest.lake import Lake
    from airflow_lineage_provider.ingest.topic import Topic

PARTITION, OFFSET = "kafka_partition", "kafka_offset"
DEAD_LETTERS = "_dead_letters"
FILE_ROWS = 100_000
FILE_BYTES = 32 * 2**20
ALL_BYTES = 128 * 2**20
_NAME = re.compile(r"(?P<topic>.+)\+(?P<partition>\d+)\+(?P<first>\d{20})-(?P<last>\d{20})\.\w+")


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The offsets of a partition that one file covers, both ends included."""

    partition: int
    first: int
    last: int

    def file_name(self, topic: str, suffix: str = "parquet") -> str:
        """Return the name of the file."""
        return f"{topic}+{self.partition}+{self.first:020d}-{self.last:020d}.{suffix}"


def landed_ranges(lake: Lake, topic: str, folder: str = "", suffix: str = ".parquet") -> list[Range]:
    """Return which offsets the files of a topic cover, by partition and offset."""
    matches = (_NAME.fullmatch(name) for name in lake.names(folder, suffix))
    return sorted(
        Range(int(match["partition"]), int(match["first"]), int(match["last"]))
        for match in matches
        if match and match["topic"] == topic
    )


def land_topic(
    topic: Topic,
    decoders: Decoders,
    lake: Lake,
    progress: Callable[[str], object],
    *,
    changes: bool = False,
) -> Moved:
    """Land what the topic holds beyond what was landed before, up to its present end.

    :param changes: the topic has the changes of a table: a record without a value is landed as the deletion
        of its key, with `__deleted`.

    Returns how many records were landed, how many are dead letters, tombstones (records without a value) and
    expired (deleted by the topic's retention before they were read).

    Raises IngestError where a system does not answer, or the topic was made anew.
    """
    ends: dict[int, int] = {}
    for done in landed_ranges(lake, topic.name):
        ends[done.partition] = max(ends.get(done.partition, 0), done.last + 1)
    _remove_dead_letters_of_died_runs(lake, topic.name, ends)
    spans = topic.spans(ends)
    landing = _Landing(
        topic.name,
        decoders,
        lake,
        progress,
        total=sum(span.end - span.first for span in spans),
        changes=changes,
    )
    for span in spans:
        if span.expired:
            landing.expire(span.partition, span.first - span.expired, span.first - 1)
    for messages in topic.records(spans):
        landing.add(messages)
    landing.finish()
    columns = landing.columns or _newest_columns(decoders, topic.name, lake)
    own = {PARTITION: "int32", OFFSET: "int64"} if columns else {}
    if landing.deleted_by_key:  # the topic's records have no such field
        own = {DELETED: "string", **own}
    types = {name: kind for name, kind in columns.items() if name not in own}
    return Moved(
        topic.dataset, lake.dataset, types, {**types, **own}, {name: name for name in types},
        landing.rows, landing.counts,
    )  # fmt: skip


@dataclass(slots=True)
class _Pending:
    """Records of one partition that are not written yet."""

    first: int
    last: int = 0
    bytes: int = 0
    rows: int = 0
    blocks: list[pa.Table] = field(default_factory=list)
    """Records that were decoded many at once."""
    runs: list[tuple[Decoder, list[dict[str, Any]], list[Message]]] = field(default_factory=list)
    """Consecutive records of one schema that were decoded one by one."""
    schemas: dict[int, pa.Schema] = field(default_factory=dict)
    """The schema of each decoder of `blocks` and `runs`."""
    dead: list[dict[str, Any]] = field(default_factory=list)


class _Landing:
    """Collects records by partition and writes them, a file at a time."""

    def __init__(
        self,
        topic: str,
        decoders: Decoders,
        lake: Lake,
        progress: Callable[[str], object],
        *,
        total: int,
        changes: bool,
    ) -> None:
        self._topic = topic
        self._decoders = decoders
        self._lake = lake
        self._progress = progress
        self._total = total
        self._changes = changes
        self._seen = 0
        self._pending: dict[int, _Pending] = {}
        self._bytes = 0
        self.rows = 0
        self.counts = {"dead_letters": 0, "tombstones": 0, "expired": 0}
        self.columns: dict[str, str] = {}
        self.deleted_by_key = False

    def add(self, messages: list[Message]) -> None:
        """Take the next records of a partition; write a file when there is enough for one."""
        partition = messages[0].partition() or 0
        block = self._block(messages)
        if block is not None:
            decoder, table, size = block
            pending = self._fitting(partition, messages[0].offset() or 0, decoder)
            pending.blocks.append(_with_place(table, partition, [m.offset() or 0 for m in messages]))
            pending.rows += len(messages)
            self._count(pending, messages[-1], size)
        else:
            for message in messages:
                self._add_one(partition, message)
        self._seen += len(messages)
        pending = self._pending[partition]
        if pending.rows >= FILE_ROWS or pending.bytes >= FILE_BYTES:
            self._write(partition)
        elif self._bytes >= ALL_BYTES:
            self._write(max(self._pending, key=lambda one: self._pending[one].bytes))

    def _block(self, messages: list[Message]) -> tuple[Decoder, pa.Table, int] | None:
        """Decode records that are all of one Avro schema, and return their size; None for other records."""
        values = [value for message in messages if (value := message.value()) is not None]
        headers = {value[:HEADER] for value in values}
        if len(values) < len(messages) or len(headers) > 1:
            return None
        try:
            decoder = self._decoders.decoder(schema_id(headers.pop()))
        except UndecodableError:
            return None
        table = decoder.decode_block(values)
        return None if table is None else (decoder, table, sum(map(len, values)))

    def _add_one(self, partition: int, message: Message) -> None:
        """Take a record, or its dead letter."""
        offset, value = message.offset() or 0, message.value()
        pending = self._pending.setdefault(partition, _Pending(offset))
        try:
            read = self._read(value, message)
        except UndecodableError as error:
            pending.dead.append(_dead_letter(message, str(error)))
        else:
            if read is not None:
                decoder, record = read
                pending = self._fitting(partition, offset, decoder)
                if not pending.runs or pending.runs[-1][0] is not decoder:
                    pending.runs.append((decoder, [], []))
                _, records, messages = pending.runs[-1]
                records.append(record)
                messages.append(message)
                pending.rows += 1
        self._count(pending, message, len(value or b""))

    def _fitting(self, partition: int, offset: int, decoder: Decoder) -> _Pending:
        """Return the records of a partition that one of this schema can be in one file with."""
        pending = self._pending.get(partition)
        if pending and id(decoder) not in pending.schemas and not _fit(pending.schemas, decoder):
            self._write(partition)
            pending = None
        pending = pending or self._pending.setdefault(partition, _Pending(offset))
        pending.schemas[id(decoder)] = decoder.schema
        return pending

    def _count(self, pending: _Pending, last: Message, size: int) -> None:
        pending.last = last.offset() or 0
        pending.bytes += size
        self._bytes += size

    def _read(self, value: bytes | None, message: Message) -> tuple[Decoder, dict[str, Any]] | None:
        """Return a record and its decoder; None for a tombstone that says nothing of a table's rows."""
        read = None if value is None else self._decoders.decode(value)
        if read is not None:
            return read
        self.counts["tombstones"] += 1
        if not self._changes:
            return None
        key = message.key()
        found = self._decoders.deletion(key.encode() if isinstance(key, str) else key)
        self.deleted_by_key = True
        return found

    def expire(self, partition: int, first: int, last: int) -> None:
        """Record that the topic deleted records before they were read."""
        self.counts["expired"] += last - first + 1
        reason = "deleted by the topic's retention before it was read"
        letter = {"topic": self._topic, "partition": partition, "offset": first, "last_offset": last}
        self._dead(Range(partition, first, last), [{**letter, "reason": reason}])
        self._progress(f"{self._topic}: offsets {first} to {last} of partition {partition} were {reason}")

    def finish(self) -> None:
        """Write what is left."""
        for partition in sorted(self._pending):
            self._write(partition)

    def _write(self, partition: int) -> None:
        pending = self._pending.pop(partition)
        covered = Range(partition, pending.first, pending.last)
        table = _table(pending, partition)
        if pending.dead:
            self._dead(covered, sorted(pending.dead, key=itemgetter("offset")))
            self.counts["dead_letters"] += len(pending.dead)
        self._lake.write_table(covered.file_name(self._topic), table)
        self.columns.update({column.name: str(column.type) for column in table.schema})
        self.rows += table.num_rows
        self._bytes -= pending.bytes
        done = f"{self._seen:,} of {self._total:,} records"
        self._progress(f"{self._topic}: {done}, partition {partition} up to offset {pending.last}")

    def _dead(self, covered: Range, letters: list[dict[str, Any]]) -> None:
        lines = "".join(f"{json.dumps(letter)}\n" for letter in letters)
        self._lake.write_bytes(f"{DEAD_LETTERS}/{covered.file_name(self._topic, 'jsonl')}", lines.encode())


def _remove_dead_letters_of_died_runs(lake: Lake, topic: str, ends: dict[int, int]) -> None:
    for left in landed_ranges(lake, topic, DEAD_LETTERS, ".jsonl"):
        if left.partition in ends and left.first >= ends[left.partition]:
            lake.delete(f"{DEAD_LETTERS}/{left.file_name(topic, 'jsonl')}")


def _newest_columns(decoders: Decoders, topic: str, lake: Lake) -> dict[str, str]:
    """Return the columns of a topic that had nothing new: of its schema by the usual name, or as landed."""
    decoder = decoders.latest(f"{topic}-value")
    landed = [] if decoder else landed_ranges(lake, topic)
    schema = decoder.schema if decoder else lake.schema(landed[-1].file_name(topic)) if landed else ()
    return {column.name: str(column.type) for column in schema}


def _fit(schemas: dict[int, pa.Schema], decoder: Decoder) -> bool:
    """Whether records of another schema can be in one file with these: no column has two kinds of types."""
    import pyarrow as pa

    try:
        pa.unify_schemas([*schemas.values(), decoder.schema], promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return False
    return True


def _table(pending: _Pending, partition: int) -> pa.Table:
    """Return the records in the order of their offsets; what a record's schema lacks is null.

    Adds records with a value that Arrow's type does not hold to the dead letters.
    """
    import pyarrow as pa

    by_schema: dict[int, tuple[Decoder, list[dict[str, Any]], list[Message]]] = {}
    for decoder, records, messages in pending.runs:
        _, known, known_messages = by_schema.setdefault(id(decoder), (decoder, [], []))
        known.extend(records)
        known_messages.extend(messages)
    tables = [*pending.blocks]
    for decoder, records, messages in by_schema.values():
        table, bad = decoder.checked_table(records)
        pending.dead += [_dead_letter(messages[place], reason) for place, reason in bad.items()]
        offsets = [message.offset() or 0 for place, message in enumerate(messages) if place not in bad]
        tables.append(_with_place(table, partition, offsets))
    if not tables:
        return _with_place(pa.table({}), partition, [])
    table = pa.concat_tables(tables, promote_options="permissive")
    names = [name for name in table.column_names if name not in {PARTITION, OFFSET}]
    table = table.select([*names, PARTITION, OFFSET])
    return table.sort_by(OFFSET) if by_schema and len(tables) > 1 else table


def _with_place(table: pa.Table, partition: int, offsets: list[int]) -> pa.Table:
    import pyarrow as pa

    if taken := {PARTITION, OFFSET} & set(table.column_names):
        raise InputError(f"the topic has a field {min(taken)!r}, which is the name of the record's place")
    place = {
        PARTITION: pa.array([partition] * len(offsets), pa.int32()),
        OFFSET: pa.array(offsets, pa.int64()),
    }
    columns = {name: table[name] for name in table.column_names}
    return pa.table({**columns, **place})


def _dead_letter(message: Message, reason: str) -> dict[str, Any]:
    def text(content: bytes | str | None) -> str | None:
        raw = content.encode() if isinstance(content, str) else content
        return None if raw is None else base64.b64encode(raw).decode()

    return {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key_base64": text(message.key()),
        "value_base64": text(message.value()),
        "reason": reason[:1000],
    }


def files_after(lake: Lake, topic: str, ends: dict[int, int]) -> Iterator[tuple[Range, str]]:
    """Yield the files with records at or beyond these offsets, in their order, with their names."""
    for covered in landed_ranges(lake, topic):
        if covered.last >= ends.get(covered.partition, 0):
            yield covered, covered.file_name(topic)
