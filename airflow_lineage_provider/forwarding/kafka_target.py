"""Events to a Kafka topic: the settings of OpenLineage's `kafka` transport, and a result for each event."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.events.event import root_job, text_at
from airflow_lineage_provider.forwarding.target import SLOWEST_SEND, Failure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confluent_kafka import KafkaError, Message


# The forwarder retries, so the client need not retry for long.
_DEFAULTS = {"enable.idempotence": True, "message.timeout.ms": 10_000}


class KafkaTarget:
    """Reports each event that Kafka does not acknowledge; OpenLineage's own transport only logs it.

    Many events are produced before the first acknowledgement is waited for.
    """

    max_batch = 500

    def __init__(self, config: Mapping[str, Any]) -> None:
        from confluent_kafka import Producer
        from openlineage.client.transport.kafka import KafkaConfig

        settings = KafkaConfig.from_dict(dict(config))
        self._topic, self._key = settings.topic, settings.messageKey
        self._producer = Producer({**_DEFAULTS, **settings.config})
        self._interrupted = threading.Event()

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """Produce the events and wait for the acknowledgements; return the failures by id."""
        late = Failure(f"kafka {self._topic}: no acknowledgement within {SLOWEST_SEND:g} s", "target")
        failures = dict.fromkeys(events, late)
        for at, body in events.items():
            self._produce(at, body, failures)
        deadline = time.monotonic() + SLOWEST_SEND
        while self._producer.flush(0.5) and time.monotonic() < deadline and not self._interrupted.is_set():
            pass
        if len(self._producer):  # else they could arrive after the events that are sent next
            self._producer.purge()
            self._producer.flush(0.5)
        return failures

    def interrupt(self) -> None:
        """End a `send` that is under way in another thread."""
        self._interrupted.set()

    def close(self) -> None:
        """Return at once: every event has been acknowledged or has failed."""

    def _produce(self, at: int, body: bytes, failures: dict[int, Failure]) -> None:
        """Produce one event; its failure is replaced by the result, or removed with the acknowledgement."""
        from confluent_kafka import KafkaException

        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            if error:
                failures[at] = self._failure(error)
            else:
                failures.pop(at, None)

        try:
            key = self._key or message_key(json.loads(body))
            self._producer.produce(self._topic, body, key, on_delivery=on_delivery)
        except ValueError as error:  # not JSON, or a key that is not Unicode
            failures[at] = Failure(f"kafka {self._topic}: {error}", "event")
        except BufferError as error:
            failures[at] = Failure(f"kafka {self._topic}: {error}", "target")
        except KafkaException as error:
            failures[at] = self._failure(error.args[0])

    def _failure(self, error: KafkaError) -> Failure:
        from confluent_kafka import KafkaError

        of_event = {KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG, KafkaError.INVALID_RECORD}
        message = f"kafka {self._topic}: {error.str()}"
        return Failure(message, "event" if error.code() in of_event else "target")


def message_key(event: Mapping[str, Any]) -> str:
    """Return the key that keeps a run and all runs below it in one partition, as OpenLineage defines it.

    https://openlineage.io/docs/client/python/configuration#kafka
    """
    if "dataset" in event:
        return f"dataset:{text_at(event, 'dataset', 'namespace')}/{text_at(event, 'dataset', 'name')}"
    kind = "run" if "run" in event else "job"
    return f"{kind}:{'/'.join(root_job(event))}"
