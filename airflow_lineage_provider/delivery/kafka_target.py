"""Events to a Kafka topic: the settings of OpenLineage's `kafka` transport, and an answer for each event."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.delivery.records import root_job, text_at
from airflow_lineage_provider.delivery.targets import DeliveryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import KafkaError, Message

    from airflow_lineage_provider.delivery.records import StoredEvent

# The forwarder tries again by itself, so the client need not for long.
_DEFAULTS = {"enable.idempotence": True, "message.timeout.ms": 10_000}


class KafkaTarget:
    """OpenLineage's own transport only logs what Kafka does not take; here it is an error.

    An event is delivered when the brokers have acknowledged it.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        from confluent_kafka import Producer
        from openlineage.client.transport.kafka import KafkaConfig

        settings = KafkaConfig.from_dict(dict(config))
        self._topic, self._key = settings.topic, settings.messageKey
        self._producer = Producer({**_DEFAULTS, **settings.config})

    def send(self, event: StoredEvent) -> None:
        """Produce the event and wait for the acknowledgement. Raises DeliveryError."""
        from confluent_kafka import KafkaException

        acknowledged: Future[KafkaError | None] = Future()

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            acknowledged.set_result(error)

        key = self._key or message_key(event.event)
        try:
            self._producer.produce(self._topic, event.body, key, on_delivery=on_delivery)
        except BufferError as error:
            raise DeliveryError(f"kafka {self._topic}: {error}", "target") from error
        except KafkaException as error:
            raise self._failure(error.args[0]) from error
        self._producer.flush()
        if failed := acknowledged.result():
            raise self._failure(failed)

    def close(self) -> None:
        """Send nothing more; every event has been acknowledged or has failed."""

    def _failure(self, error: KafkaError) -> DeliveryError:
        from confluent_kafka import KafkaError

        of_event = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD}
        message = f"kafka {self._topic}: {error.str()}"
        return DeliveryError(message, "event" if error.code() in of_event else "target")


def message_key(event: Mapping[str, Any]) -> str:
    """Return the key that keeps a run, and all that it started, in one partition, as OpenLineage has it.

    https://openlineage.io/docs/client/python/configuration#kafka
    """
    if "dataset" in event:
        return f"dataset:{text_at(event, 'dataset', 'namespace')}/{text_at(event, 'dataset', 'name')}"
    kind = "run" if "run" in event else "job"
    return f"{kind}:{'/'.join(root_job(event))}"
