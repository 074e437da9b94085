"""Events to an OpenLineage HTTP endpoint: one a request, or many where the endpoint accepts batches."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec

from airflow_lineage_provider.forwarding.http_client import HttpClient, HttpResponse
from airflow_lineage_provider.forwarding.target import Failure, TargetConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Statuses about the target or the access to it, not about the event.
_TARGET_STATUSES = frozenset({401, 402, 403, 404, 405, 407, 408, 421, 423, 425, 429, 502, 503, 504})
_NO_BATCHES = frozenset({404, 405, 501})
_CONNECTIONS = 4
_LONGEST_WAIT = 300.0  # seconds
_LONGEST_MESSAGE = 500


class _RejectedEvent(msgspec.Struct):
    index: int
    reason: str | None = None
    retriable: bool = False


class _Summary(msgspec.Struct):
    failed: int


class _BatchReport(msgspec.Struct):
    """The response to a batch: which of its events were rejected."""

    summary: _Summary
    failed_events: list[_RejectedEvent] = []


class HttpTarget:
    """An endpoint of OpenLineage's HTTP API: Marquez, DataHub, OpenMetadata, this package's own.

    With `"batch": N` in the configuration, up to N events go in one request to `ENDPOINT/batch`. An endpoint
    need not have that part of the API, so it is used on request only.
    https://openlineage.io/apidocs/openapi/#tag/OpenLineage/operation/postEventBatch
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        from openlineage.client.transport.http import HttpConfig

        self._config = HttpConfig.from_dict(dict(config))
        self._batch = config.get("batch")
        if self._batch is not None and (type(self._batch) is not int or self._batch < 1):
            raise TargetConfigError("its `batch` is not a number of events")
        self.max_batch = self._batch or _CONNECTIONS
        self._url = urljoin(self._config.url.strip(), self._config.endpoint)
        if self._batch:
            self._url = f"{self._url.rstrip('/')}/batch"
        self._client = HttpClient(self._config, self._url, 1 if self._batch else _CONNECTIONS)

    def send(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        """POST the events as they are stored; return the failures by id."""
        return self._send_batch(dict(events)) if self._batch else self._send_each(events)

    def interrupt(self) -> None:
        """End a `send` that is under way in another thread."""
        self._client.interrupt("no response before forwarding was stopped")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _send_each(self, events: Mapping[int, bytes]) -> dict[int, Failure]:
        outcomes = zip(events, self._post(*events.values()), strict=True)
        return {at: outcome for at, outcome in outcomes if isinstance(outcome, Failure)}

    def _send_batch(self, events: dict[int, bytes]) -> dict[int, Failure]:
        """Send events in one request; halve a batch that is rejected as a whole, to find the wrong event."""
        (response,) = self._post(b"[%s]" % b",".join(events.values()))
        outcome = response if isinstance(response, Failure) else self._rejected(response, list(events))
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

    def _post(self, *bodies: bytes) -> list[HttpResponse | Failure]:
        headers = {"Content-Type": "application/json", **self._config.custom_headers}
        try:
            if bearer := self._config.auth.get_bearer():
                headers["Authorization"] = bearer
        except (OSError, RuntimeError) as error:  # of the server that issues tokens
            return [self._unreachable(error)] * len(bodies)
        if self._config.compression:
            headers["Content-Encoding"] = "gzip"
            bodies = tuple(gzip.compress(body, 1) for body in bodies)
        return [
            self._unreachable(result) if isinstance(result, Exception) else self._checked(result)
            for result in self._client.post(bodies, headers)
        ]

    @property
    def _where(self) -> str:
        return self._url.split("://", 1)[-1].rsplit("@", 1)[-1].split("?", 1)[0]

    def _unreachable(self, error: Exception) -> Failure:
        message = str(error).split("\n", 1)[0] or type(error).__name__
        return Failure(f"{self._where}: {message}", "target")

    def _checked(self, response: HttpResponse) -> HttpResponse | Failure:
        status = response.status
        if 200 <= status < 300:  # noqa: PLR2004
            return response
        text = " ".join(response.body[:_LONGEST_MESSAGE].decode("utf-8", "replace").split())
        message = f"{self._where} answered {status}{f': {text}' if text else ''}"
        if self._batch and status in _NO_BATCHES:
            return Failure(
                f"{message}; if it accepts no batches, remove `batch` from its configuration", "target"
            )
        if status in _TARGET_STATUSES or status < 400:  # noqa: PLR2004
            return Failure(message, "target", _retry_after(response.retry_after))
        return Failure(message, "event" if status < 500 else "unknown")  # noqa: PLR2004

    def _rejected(self, response: HttpResponse, ids: list[int]) -> dict[int, Failure] | Failure:
        """Return which events of a batch were rejected, or one failure for all where that is not reported."""
        if response.status != 200 or not response.body:  # noqa: PLR2004
            return {}
        try:
            report = msgspec.json.decode(response.body, type=_BatchReport)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return Failure(f"{self._where} answered 200, but not as to a batch: {error}", "target")
        rejected = {
            ids[event.index]: Failure(
                f"{self._where}: {(event.reason or 'rejected')[:_LONGEST_MESSAGE]}",
                "unknown" if event.retriable else "event",
            )
            for event in report.failed_events
            if 0 <= event.index < len(ids)
        }
        if len(rejected) != report.summary.failed:
            return Failure(
                f"{self._where} rejected {report.summary.failed} events and did not say which", "unknown"
            )
        return rejected


def _retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header, a number or an HTTP date; None for anything else."""
    if not header:
        return None
    if header.strip().isdecimal():
        return min(float(header), _LONGEST_WAIT)
    try:
        time = parsedate_to_datetime(header)
    except ValueError:
        return None
    seconds = (time.replace(tzinfo=time.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_WAIT)
