"""Events from Marquez, by the contract of its version 0.51.1.

https://github.com/MarquezProject/marquez/blob/0.51.1/api/src/main/java/marquez/api/OpenLineageResource.java
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import msgspec

from airflow_lineage_provider.events.event import event_time, parent_and_root
from airflow_lineage_provider.store.errors import EventSourceError
from airflow_lineage_provider.store.records import utc_text
from airflow_lineage_provider.store.source import matching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from requests import PreparedRequest, Response, Session

_T = TypeVar("_T")
EVENTS = "api/v1/events/lineage"
RUN = "api/v1/jobs/runs"
_PAGE = 100
_LARGEST_PAGE = 256 * 2**20
_TIMEOUT = (5.0, 30.0)  # seconds, to connect and for the next bytes: a page is a query in Marquez's database
_REFUSED = frozenset({401, 403})
_BUSY = 429
_NOT_FOUND = 404
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Marquez leaves out what is not before `before`, and takes 2030 where none is given.
_NEVER = "9999-01-01T00:00:00Z"
# Marquez gives the time of the first event of a run. Events of runs below it may arrive earlier, by far less.
_EARLIER = timedelta(days=1)


class MarquezSource:
    """The run events that Marquez keeps; `url` is where its API is, without `/api/v1`.

    Marquez gives events by time only: none of its queries takes a root run. So those since `since`, or since
    a day before the first event of the root run, are read, page by page, and the wanted ones picked out.

    An `api_key` goes with each request as a bearer token, as the OpenLineage client sends it. Marquez itself
    asks for none; what stands before it may.
    """

    def __init__(self, url: str, *, api_key: str = "", since: datetime | None = None) -> None:
        self._url = url.rstrip("/")
        self._name = _without_credentials(self._url)
        self._auth = bearer(api_key)
        self._since = since
        self._session: Session | None = None

    def __str__(self) -> str:
        """Give the URL without credentials."""
        return self._name

    def events(
        self, *, root_run_id: str | None = None, job_namespace: str | None = None, job_name: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the events that meet every condition, the oldest first. Raises EventSourceError."""
        begun = self._since or (self._first_heard_of(root_run_id) if root_run_id else _EPOCH)
        yield from matching(self._read(begun), root_run_id, job_namespace, job_name)

    def latest_root_run(self) -> str | None:
        """Return the root run of the newest event. Raises EventSourceError."""
        newest = self._page(self._since or _EPOCH, 1, "desc")
        return parent_and_root(newest[0])[1] if newest else None

    def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _first_heard_of(self, run_id: str) -> datetime:
        """Return a time that no event below the run is older than."""
        body = self._get(f"{RUN}/{quote(run_id, safe='')}")
        if body is None:  # a root that only a facet names is no run to Marquez
            return _EPOCH
        return max(_decoded(body, _Run, self).createdAt - _EARLIER, _EPOCH)

    def _read(self, after: datetime) -> Iterator[dict[str, Any]]:
        """Yield all events, each page beginning with the time that the last one ended with.

        Not by Marquez's `offset`: events that come late move all that follow, and the order of events of
        the same time is another one in each answer. So a page repeats the end of the one before it.
        """
        limit, known = _PAGE, set[bytes]()
        while True:
            answer = self._page(after, limit, "asc")
            page = {_identity(event): event for event in answer}
            yield from (event for identity, event in page.items() if identity not in known)
            if len(answer) < limit:
                return
            if (last := event_time(answer[-1])) > after:
                after, limit, known = last, _PAGE, {*page}
            else:  # full of events of one time: only a larger page shows what comes after them
                limit, known = limit * 2, known | {*page}

    def _page(self, after: datetime, limit: int, direction: str) -> list[dict[str, Any]]:
        times = {"after": utc_text(after), "before": _NEVER}
        body = self._get(EVENTS, times | {"limit": str(limit), "offset": "0", "sortDirection": direction})
        if body is None:
            raise EventSourceError(f"{self} has no {EVENTS}, as Marquez has: check the URL")
        return _decoded(body, _Answer, self).events

    def _get(self, path: str, query: dict[str, str] | None = None) -> bytes | None:
        """Return what is at the path; None where there is nothing. Raises EventSourceError."""
        import requests
        from urllib3.exceptions import HTTPError

        if self._session is None:
            self._session = requests.Session()
            self._session.auth = self._auth
        try:
            url = f"{self._url}/{path}"
            with self._session.get(url, params=query, timeout=_TIMEOUT, stream=True) as answer:
                if answer.status_code == _NOT_FOUND:
                    return None
                self._judge(answer)
                body: bytes = answer.raw.read(_LARGEST_PAGE + 1, decode_content=True)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise EventSourceError(
                f"Marquez at {self} cannot be reached ({reason(error)}): check its server and the URL",
                unreachable=not isinstance(error, ValueError),
            ) from None
        if len(body) > _LARGEST_PAGE:
            raise EventSourceError(
                f"Marquez at {self} answers with more than {_LARGEST_PAGE >> 20} MiB at once"
            )
        return body

    def _judge(self, answer: Response) -> None:
        status = answer.status_code
        if status in _REFUSED:
            raise EventSourceError(f"Marquez at {self} refuses the API key ({status}): check the key")
        if status == _BUSY or status >= 500:  # noqa: PLR2004 - HTTP's own number
            raise EventSourceError(f"Marquez at {self} answers {status}: see its log", unreachable=True)
        if status != 200:  # noqa: PLR2004
            raise EventSourceError(f"{self} answers {status}, and not as Marquez does: check the URL")


class _Run(msgspec.Struct):
    """What Marquez tells of a run; it makes a run of whatever an event is of or has for a parent."""

    # Marquez's name for the time of the first event of the run.
    createdAt: Annotated[datetime, msgspec.Meta(tz=True)]  # noqa: N815


class _Answer(msgspec.Struct):
    """What Marquez answers. Its `totalCount` also counts job and dataset events, which are not in it."""

    events: list[dict[str, Any]]


def _decoded(body: bytes, kind: type[_T], source: MarquezSource) -> _T:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EventSourceError(f"{source} does not answer as Marquez does ({error}): check the URL") from None


def _identity(event: dict[str, Any]) -> bytes:
    return json.dumps(event, sort_keys=True).encode()


def bearer(api_key: str) -> Callable[[PreparedRequest], PreparedRequest] | None:
    """Return what puts an API key into a request, for `requests`' `auth`; None without a key.

    Raises EventSourceError for one that no header can carry: the error of a request would print it.
    """
    token = api_key.strip()
    if not (token.isascii() and token.isprintable()):
        raise EventSourceError("the API key has characters that no HTTP header can carry: enter it anew")

    def authorized(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorized if token else None


def reason(error: Exception) -> str:
    """Return why a request failed, on one line, without the names of requests' and urllib3's objects."""
    cause = getattr(error.args[0], "reason", error) if error.args else error
    return str(cause).rsplit("): ", 1)[-1].split("\n", 1)[0]


def _without_credentials(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise EventSourceError(f"Marquez's URL is not one: {error}") from None
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
