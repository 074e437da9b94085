"""Requests for JSON, bounded in time and size, with one-line errors that name the connection."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests import Response, Session

TIMEOUT_SECONDS = 10.0, 30.0
"""To connect, and for the next bytes."""
WHOLE_SECONDS = 120.0
"""For a whole answer, which a server may send byte by byte."""
LARGEST_ANSWER = 64 << 20
LONGEST_WAIT = 30.0
"""How long a `Retry-After` is waited for; a longer one is left to Airflow's retries."""
TRIES = 3
BUSY, NOT_FOUND, OK = 429, 404, 200
FOR_NOW = frozenset({408, 409, 425})
"""A request that came too slowly or too early; 409 of Kafka Connect, while its workers rebalance."""
REFUSED = frozenset({401, 403})
SERVER_ERROR = 500
_CHUNK = 1 << 16


@dataclass(slots=True)
class JsonApi:
    """An HTTP API; `name` is how errors call it, such as "Kafka Connect (connection 'connect')".

    `user` and `password` go as basic authentication, else `token` as a bearer token.
    """

    url: str
    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    verify: bool | str = True
    _session: Session | None = None

    def __str__(self) -> str:
        """Name the API and its URL without credentials."""
        parts = urlsplit(self.url)
        return f"{self.name} at {urlunsplit(parts._replace(netloc=parts.netloc.rpartition('@')[2]))}"

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """Return the JSON at a path; None where there is nothing (404). Raises SystemReadError."""
        return self._json(path, params, None)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON that a query answers, sent as JSON to a path. Raises SystemReadError."""
        return self._json(path, None, body)

    def _json(self, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None) -> Any:
        for attempt in range(1, TRIES + 1):
            status, wait, answer = self._request(path, params, body)
            if status != BUSY or wait > LONGEST_WAIT or attempt == TRIES:
                break
            time.sleep(wait)
        if status == NOT_FOUND:
            return None
        self._judge(status, answer)
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise SystemReadError(f"{self} does not answer with JSON: check host, port and path") from None

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _request(
        self, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> tuple[int, float, bytes]:
        """Return status, the seconds to wait before another try, and body."""
        import requests
        from urllib3.exceptions import HTTPError

        if self._session is None:
            self._session = self._new_session()
        try:
            with self._session.request(
                "GET" if body is None else "POST",
                f"{self.url.rstrip('/')}/{path}",
                params=params,
                json=body,
                timeout=TIMEOUT_SECONDS,
                stream=True,
                allow_redirects=False,
            ) as answer:
                return answer.status_code, _retry_after(answer), self._body(answer)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            cause = getattr(error.args[0], "reason", error) if error.args else error
            why = one_line(str(cause).rsplit("): ", 1)[-1])
            raise SystemReadError(
                f"{self} cannot be reached ({why}): check its server, host and port", unreachable=True
            ) from None

    def _new_session(self) -> Session:
        import requests

        session = requests.Session()
        session.verify = self.verify
        session.headers.update({"Accept": "application/json", **self.headers})
        if self.user:
            session.auth = (self.user, self.password)
        elif self.token:
            session.headers["Authorization"] = f"Bearer {self.token}"
        return session

    def _body(self, answer: Response) -> bytes:
        body, deadline = bytearray(), time.monotonic() + WHOLE_SECONDS
        for chunk in answer.iter_content(_CHUNK):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise SystemReadError(f"{self} answers with more than {LARGEST_ANSWER >> 20} MiB")
            if time.monotonic() > deadline:
                raise SystemReadError(
                    f"{self} has not answered within {WHOLE_SECONDS:g} s: see its log", unreachable=True
                )
        return bytes(body)

    def _judge(self, status: int, body: bytes) -> None:
        if status == OK:
            return
        if status in REFUSED:
            raise SystemReadError(f"{self} refuses the login ({status}): check login and password")
        said = _message(body)
        if status in FOR_NOW:
            raise SystemReadError(f"{self} answers {status} for now{said}: try again", unreachable=True)
        if status == BUSY or status >= SERVER_ERROR:
            raise SystemReadError(f"{self} answers {status}{said}: see its log", unreachable=True)
        raise SystemReadError(f"{self} answers {status}{said}: check host, port and path")


def _retry_after(answer: Response) -> float:
    """Return the seconds of `Retry-After`; a date, which few servers send, counts as a second."""
    given = answer.headers.get("Retry-After", "")
    return float(given) if given.isdecimal() else 1.0


def _message(body: bytes) -> str:
    """Return the `message` of an error body, in the form of Connect's and Schema Registry's."""
    try:
        message = json.loads(body).get("message")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return f" ({one_line(message)})" if isinstance(message, str) else ""
