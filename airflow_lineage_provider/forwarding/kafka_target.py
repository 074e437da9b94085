"""Events to a Kafka topic: the settings of OpenLineage's `kafka` transport, and an answer for each event."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import root_job, text_at
from airflow_lineage_provider.forwarding.target import Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import KafkaError, Message


# The forwarder tries again by itself, so the client need not for long.
_DEFAULTS = {"enable.idempotence": True, "message.timeout.ms": 10_000}


class KafkaTarget:
    """OpenLineage's own transport only logs what Kafka does not take; here it is an error.

    An event is delivered when the brokers have acknowledged it. Many are produced before the first
    acknowledgement is waited for.
    """

    max_batch = 500

    def __init__(self, config: Mapping[str, Any]) -> None:
        from confluent_kafka import Producer
        from openlineage.client.transport.kafka import KafkaConfig

        settings = KafkaConfig.from_dict(dict(config))
        self._topic, self._key = settings.topic, settings.messageKey
        self._producer = Producer({**_DEFAULTS, **settings.config})

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Produce the events and wait for the acknowledgements; return why some were not taken."""
        failures: dict[int, Failure] = {}
        for at, body in events.items():
            if failed := self._produce(at, body, failures):
                failures[at] = failed
        self._producer.flush()
        return failures

    def close(self) -> None:
        """Send nothing more; every event has been acknowledged or has failed."""

    def _produce(self, at: int, body: bytes, failures: dict[int, Failure]) -> Failure | None:
        from confluent_kafka import KafkaException

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            if error:
                failures[at] = self._failure(error)

        try:
            key = self._key or message_key(json.loads(body))
            self._producer.produce(self._topic, body, key, on_delivery=on_delivery)
        except ValueError as error:  # not JSON, or a key that is not Unicode
            return Failure(f"kafka {self._topic}: {error}", "event")
        except BufferError as error:
            return Failure(f"kafka {self._topic}: {error}", "target")
        except KafkaException as error:
            return self._failure(error.args[0])
        return None

    def _failure(self, error: KafkaError) -> Failure:
        from confluent_kafka import KafkaError

        of_event = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD}
        message = f"kafka {self._topic}: {error.str()}"
        return Failure(message, "event" if error.code() in of_event else "target")


def message_key(event: Mapping[str, Any]) -> str:
    """Return the key that keeps a run, and all that it started, in one partition, as OpenLineage has it.

    https://openlineage.io/docs/client/python/configuration#kafka
    """
    if "dataset" in event:
        return f"dataset:{text_at(event, 'dataset', 'namespace')}/{text_at(event, 'dataset', 'name')}"
    kind = "run" if "run" in event else "job"
    return f"{kind}:{'/'.join(root_job(event))}"
