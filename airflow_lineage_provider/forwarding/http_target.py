"""Events to an OpenLineage HTTP endpoint: one a request, or many where it takes them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec

from airflow_lineage_provider.forwarding.http_client import Answer, HttpClient
from airflow_lineage_provider.forwarding.target import Failure, TargetConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Statuses that speak of the target or of our access to it, and not of the event.
_TARGET_STATUSES = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 423, 425, 429, 502, 503, 504})
_NO_BATCHES = frozenset({404, 405, 501})
_AT_ONCE = 4
_LONGEST_WAIT = 300.0
_LONGEST_MESSAGE = 500


class _Refused(msgspec.Struct):
    index: int
    reason: str | None = None
    retriable: bool = False


class _Summary(msgspec.Struct):
    failed: int


class _Report(msgspec.Struct):
    """What an endpoint says that became of a batch."""

    summary: _Summary
    failed_events: list[_Refused] = []


class HttpTarget:
    """Marquez, DataHub, OpenMetadata, this package's receiver: an endpoint of OpenLineage's HTTP API.

    With `"batch": N` in the configuration, up to N events go in one request to `ENDPOINT/batch`. That
    part of the API is optional for an endpoint, so it is used where somebody asks for it.
    https://openlineage.io/apidocs/openapi/#tag/OpenLineage/operation/postEventBatch
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        from openlineage.client.transport.http import HttpConfig

        self._config = HttpConfig.from_dict(dict(config))
        self._batch = config.get("batch")
        if self._batch is not None and (type(self._batch) is not int or self._batch < 1):
            raise TargetConfigError("its `batch` is not a number of events")
        self.max_batch = self._batch or _AT_ONCE
        self._url = urljoin(self._config.url.strip(), self._config.endpoint)
        if self._batch:
            self._url = f"{self._url.rstrip('/')}/batch"
        self._client = HttpClient(self._config, self._url, 1 if self._batch else _AT_ONCE)

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """POST the events as they were stored; return why some were not taken."""
        return self._send_batch(dict(events)) if self._batch else self._send_each(events)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send_each(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        answers = zip(events, self._post(*events.values()), strict=True)
        return {at: answer for at, answer in answers if isinstance(answer, Failure)}

    def _send_batch(self, events: dict[int, bytes]) -> dict[int, Failure]:
        """Send events in one request; where all are refused, in two, until what is wrong is found."""
        (answer,) = self._post(b"[%s]" % b",".join(events.values()))
        outcome = answer if isinstance(answer, Failure) else self._refused(answer, list(events))
        if isinstance(outcome, dict):
            return outcome
        if outcome.fault == "target" or len(events) == 1:
            return dict.fromkeys(events, outcome)
        ids = list(events)
        first, second = (
            {at: events[at] for at in half} for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :])
        )
        failures = self._send_batch(first)
        down = next((failure for failure in failures.values() if failure.fault == "target"), None)
        return failures | (dict.fromkeys(second, down) if down else self._send_batch(second))

    def _post(self, *bodies: bytes) -> list[Answer | Failure]:
        headers = {"Content-Type": "application/json", **self._config.custom_headers}
        try:
            if bearer := self._config.auth.get_bearer():
                headers["Authorization"] = bearer
        except (OSError, RuntimeError) as error:  # the server that gives tokens
            return [self._unreachable(error)] * len(bodies)
        if self._config.compression:
            headers["Content-Encoding"] = "gzip"
            bodies = tuple(gzip.compress(body, 1) for body in bodies)
        return [
            self._unreachable(answer) if isinstance(answer, Exception) else self._judged(answer)
            for answer in self._client.post(bodies, headers)
        ]

    @property
    def _where(self) -> str:
        return self._url.split("://", 1)[-1].rsplit("@", 1)[-1].split("?", 1)[0]

    def _unreachable(self, error: Exception) -> Failure:
        said = str(error).split("\n", 1)[0] or type(error).__name__
        return Failure(f"{self._where}: {said}", "target")

    def _judged(self, answer: Answer) -> Answer | Failure:
        status = answer.status
        if 200 <= status < 300:  # noqa: PLR2004
            return answer
        said = " ".join(answer.body[:_LONGEST_MESSAGE].decode("utf-8", "replace").split())
        message = f"{self._where} answered {status}{f': {said}' if said else ''}"
        if self._batch and status in _NO_BATCHES:
            return Failure(
                f"{message}; if it takes no batches, leave `batch` out of its configuration", "target"
            )
        if status in _TARGET_STATUSES or status < 400:  # noqa: PLR2004
            return Failure(message, "target", _retry_after(answer.retry_after))
        return Failure(message, "event" if status < 500 else "unknown")  # noqa: PLR2004

    def _refused(self, answer: Answer, ids: list[int]) -> dict[int, Failure] | Failure:
        """Return which events of a batch are refused, or a failure of all where that is not said."""
        if answer.status != 200 or not answer.body:  # noqa: PLR2004
            return {}
        try:
            report = msgspec.json.decode(answer.body, type=_Report)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return Failure(f"{self._where} answered 200, but not as to a batch: {error}", "target")
        refused = {
            ids[event.index]: Failure(
                f"{self._where}: {(event.reason or 'refused')[:_LONGEST_MESSAGE]}",
                "unknown" if event.retriable else "event",
            )
            for event in report.failed_events
            if 0 <= event.index < len(ids)
        }
        if len(refused) != report.summary.failed:
            return Failure(
                f"{self._where} refused {report.summary.failed} events and did not say which", "unknown"
            )
        return refused


def _retry_after(header: str | None) -> float | None:
    return min(float(header), _LONGEST_WAIT) if header and header.isdecimal() else None
