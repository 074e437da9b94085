"""The records of a Kafka topic, from given offsets to the end that it had when reading began."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.naming import DatasetName
from airflow_lineage_provider.ingest.model import IngestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confluent_kafka import Consumer, Message

TIMEOUT = 30.0
AT_ONCE = 10_000
WAIT = 0.1  # for that many records; the last are fewer
READING = {
    "isolation.level": "read_committed",
    "queued.max.messages.kbytes": 16 * 1024,
    "fetch.queue.backoff.ms": 10,  # 1,000 by default: how long a partition waits once that much is there
}


@dataclass(frozen=True, slots=True)
class Span:
    """Which offsets of a partition there are to read: from `first` up to, and without, `end`."""

    partition: int
    first: int
    end: int
    expired: int = 0
    """How many records before `first` the topic has no longer, although they were never read."""


class Topic:
    """A topic of one cluster.

    :param config: librdkafka's settings, `bootstrap.servers` among them.
    :param connection: how errors call the connection that the settings come from.

    Transactions that were aborted are left out. The consumer joins no group: which record is next is known
    from what was landed.
    """

    def __init__(self, name: str, config: Mapping[str, Any], connection: str = "") -> None:
        self.name = name
        self._connection = f" ({connection})" if connection else ""
        self._servers = str(config.get("bootstrap.servers", ""))
        self._config = {
            **READING,
            **config,
            "group.id": str(config.get("group.id") or "airflow-lineage-ingest"),
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }

    @property
    def dataset(self) -> DatasetName:
        """Return the topic's name in OpenLineage; the first bootstrap server names the cluster."""
        server = self._servers.split(",")[0].strip().rpartition("://")[2]
        return DatasetName(f"kafka://{server}", self.name)

    def spans(self, landed: Mapping[int, int]) -> list[Span]:
        """Return what there is to read of each partition.

        :param landed: of each partition the offset after the last that was landed.

        Raises IngestError where the topic is not there, does not answer, or was made anew.
        """
        from confluent_kafka import KafkaException, TopicPartition

        consumer = self._consumer()
        try:
            found = []
            for partition in self._partitions(consumer):
                low, end = consumer.get_watermark_offsets(TopicPartition(self.name, partition), TIMEOUT)
                known = landed.get(partition)
                if known is not None and known > end:
                    raise IngestError(
                        f"topic {self.name!r} ends at offset {end} of partition {partition}, and "
                        f"{known - 1} was landed: it was made anew; land it in another folder"
                    )
                first = max(known if known is not None else low, low)
                found.append(Span(partition, first, end, max(low - known, 0) if known is not None else 0))
        except KafkaException as error:
            raise self._unreachable(error) from None
        else:
            return found
        finally:
            consumer.close()

    def records(self, spans: list[Span]) -> Iterator[list[Message]]:
        """Yield the records of the spans, some of one partition at a time, in their order."""
        from confluent_kafka import KafkaException, Message, TopicPartition

        ends = {span.partition: span.end for span in spans if span.first < span.end}
        if not ends:
            return
        starts = [TopicPartition(self.name, s.partition, s.first) for s in spans if s.partition in ends]
        consumer = self._consumer()
        try:
            consumer.assign(starts)
            last_message = time.monotonic()
            while ends:
                fetched = consumer.consume(AT_ONCE, WAIT)
                ended = _ended(fetched)
                messages = [m for m in fetched if m.error() is None] if ended else fetched
                for partition, run in groupby(messages, Message.partition):
                    if records := _before(list(run), ends.get(partition or 0, 0)):
                        yield records
                        # The last offsets of a transaction are no records, so the end is known in two ways.
                        if (records[-1].offset() or 0) >= ends[partition or 0] - 1:
                            del ends[partition or 0]
                for partition in ended:
                    ends.pop(partition, None)
                last_message = time.monotonic() if fetched else last_message
                if time.monotonic() - last_message > TIMEOUT:
                    raise IngestError(
                        f"the brokers {self._servers}{self._connection} sent nothing of {self.name!r} "
                        f"for {TIMEOUT:.0f} s",
                        unreachable=True,
                    )
        except KafkaException as error:
            raise self._unreachable(error) from None
        finally:
            consumer.close()

    def _consumer(self) -> Consumer:
        from confluent_kafka import Consumer, KafkaException

        try:
            return Consumer(self._config, logger=_silent())
        except (KafkaException, TypeError, ValueError) as error:
            why = error.args[0].str() if isinstance(error, KafkaException) else error
            raise IngestError(f"the settings of Kafka{self._connection} cannot be used: {why}") from None

    def _partitions(self, consumer: Consumer) -> list[int]:
        found = consumer.list_topics(self.name, TIMEOUT).topics.get(self.name)
        if found is None or found.error is not None or not found.partitions:
            raise IngestError(
                f"the brokers {self._servers}{self._connection} have no topic {self.name!r}: check its name, "
                "and that its producer has written to it",
                unreachable=True,
            )
        return sorted(found.partitions)

    def _unreachable(self, error: Any) -> IngestError:
        text = getattr(error.args[0], "str", lambda: str(error))()
        return IngestError(
            f"the brokers {self._servers}{self._connection} do not answer for topic {self.name!r} ({text}): "
            "check that they run, and bootstrap.servers",
            unreachable=True,
        )


def _ended(fetched: list[Message]) -> set[int]:
    """Return the partitions that were read to their end. Raises KafkaException for an error."""
    from confluent_kafka import KafkaError, KafkaException

    ended = set()
    for message in fetched:
        if (error := message.error()) is not None:
            if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                raise KafkaException(error)
            ended.add(message.partition() or 0)
    return ended


def _before(records: list[Message], end: int) -> list[Message]:
    """Return the records of one partition whose offset is before the end."""
    if (records[-1].offset() or 0) < end:
        return records
    return [record for record in records if (record.offset() or 0) < end]


def _silent() -> Any:
    """Librdkafka prints to stderr what it also raises."""
    import logging

    logger = logging.getLogger("airflow_lineage_provider.librdkafka")
    logger.setLevel(logging.CRITICAL)
    return logger
