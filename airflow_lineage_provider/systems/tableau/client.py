"""A client of Tableau: the Metadata API page by page, and the schedules of extracts by the REST API.

The answer is plain JSON: the nodes of each connection in `queries`, `tasks` (schedules), and
`incomplete`, one line for each reason why something may be missing from it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from airflow_lineage_provider.errors import InputError
from airflow_lineage_provider.systems.errors import SystemReadError, one_line
from airflow_lineage_provider.systems.saved import SavedAnswer, without_login
from airflow_lineage_provider.systems.tableau.graphql import Page, read_page
from airflow_lineage_provider.systems.tableau.queries import (
    CONNECTIONS,
    NEEDED,
    NOT_MISSED,
    REQUIRED,
    field_of,
    query_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow_lineage_provider.systems.connection import Connection

log = logging.getLogger(__name__)

PAGE = 100
"""Nodes of a page at first; halved where the server says that a page has too many nodes."""
MOST_NODES = 500_000
TIMEOUT_SECONDS = 10.0, 120.0
TRIES = 5
LONGEST_WAIT = 30.0
LARGEST_ANSWER = 64 << 20
_UNREADABLE = ValueError | AttributeError | TypeError | SyntaxError | RecursionError
"""What the library's parsers raise for XML and JSON of another shape."""
_ADMINISTRATORS = frozenset(
    {"SiteAdministrator", "ServerAdministrator", "SiteAdministratorCreator", "SiteAdministratorExplorer"}
)


class TableauClient:
    """Reads one site. `server` is a `tableauserverclient.Server`; `sign_in` signs it in, again too.

    Errors call it `name`, such as "Tableau (connection 'bi')". Requests that are refused for the moment (429,
    502, 503, 504) are tried again after the time that the server names, or longer and longer.
    """

    def __init__(self, server: Any, sign_in: Callable[[], Any], name: str) -> None:
        self._server = server
        self._sign_in = sign_in
        self._name = name
        self._incomplete: dict[str, None] = {}
        _retry_busy_servers(server.session)
        server.add_http_options({"timeout": TIMEOUT_SECONDS})

    def answer(self) -> SavedAnswer:
        """Return the site's metadata. Raises SystemReadError where it cannot be read at all."""
        self._incomplete.clear()
        self._call(self._sign_in, signed_in=False)
        try:
            nodes = {name: list(self._nodes(name)) for name in CONNECTIONS}
            tasks = self._tasks()
            self._check_role()
            answer = {
                "site": self._server.site_url or "",
                "version": self._server.version,
                **nodes,
                "tasks": tasks,
                "incomplete": list(self._incomplete),
            }
        finally:
            self._sign_out()
        host = without_login(str(self._server.server_address))
        return SavedAnswer("tableau", datetime.now(UTC), host, answer)

    def _nodes(self, connection: str) -> Iterator[dict[str, Any]]:
        """Yield the nodes of a connection, with smaller pages and fewer fields where the server needs it."""
        size, cursor, without, count = PAGE, None, dict[str, None](), 0
        while True:
            page = self._page(connection, without, size, cursor)
            if page.unknown and connection not in NEEDED and page.lacks(connection):
                self._miss(f"{connection} are not listed by this server's version")
                return
            if page.unknown:
                self._leave_out(page.unknown, without)
                continue
            if page.too_large and size > 1:
                size = max(1, size // 2)
                continue
            if page.error and connection in NEEDED and not count:
                said = f"{self._name}: its Metadata API does not list {connection} ({one_line(page.error)})"
                raise SystemReadError(
                    f"{said}: check that it is enabled (tsm maintenance metadata-services enable), "
                    "and that the user may use it"
                )
            if page.error:
                self._miss(f"{connection} are not complete: {page.error}")
                return
            for reason in page.reasons:
                self._miss(reason)
            yield from page.nodes
            count += len(page.nodes)
            if not page.next or page.next == cursor or count >= MOST_NODES:
                if page.next or count < page.total:
                    self._miss(f"{count} of {page.total} {connection} were listed")
                return
            cursor = page.next

    def _page(self, connection: str, without: dict[str, None], size: int, cursor: str | None) -> Page:
        query, variables = query_text(connection, without), {"first": size, "afterToken": cursor}
        return read_page(self._call(lambda: self._server.metadata.query(query, variables)), connection)

    def _leave_out(self, unknown: tuple[str, ...], without: dict[str, None]) -> None:
        """Drop fields that the server's schema does not have."""
        for field in unknown:
            name = field_of(field)
            if name in REQUIRED or field in without or name.endswith("Connection"):
                raise SystemReadError(
                    f"{self._name}: its Metadata API has no {field}: Tableau 2019.3 or newer is needed"
                )
            without[field] = None
            if name not in NOT_MISSED:
                self._miss(f"this server's version has no {field}: what it says is not known")

    def _tasks(self) -> list[dict[str, Any]] | None:
        """Return the schedule of each extract refresh; None where the user may not see them."""
        from tableauserverclient import Pager

        try:
            tasks = self._call(lambda: list(Pager(self._server.tasks)))
        except SystemReadError as error:
            self._miss(f"the schedules of extracts are not known: {error}")
            return None
        return [found for task in tasks if (found := _task(task))]

    def _check_role(self) -> None:
        """Note that a user who is no administrator sees only what others have shared."""
        try:
            role = self._call(lambda: self._server.users.get_by_id(self._server.user_id)).site_role
        except SystemReadError:
            role = ""
        if role not in _ADMINISTRATORS:
            self._miss(
                f"the user is {role or 'of an unknown role'}, and no administrator: "
                "content that the user may not see is not listed"
            )

    def _call(self, request: Callable[[], Any], *, signed_in: bool = True) -> Any:
        """Return the result of a request; a session that has expired is signed in again, once."""
        from tableauserverclient.server.endpoint import exceptions as tableau

        try:
            return request()
        except (tableau.FailedSignInError, tableau.NotSignedInError, tableau.NonXMLResponseError) as error:
            if not signed_in:
                raise SystemReadError(
                    f"{self._name} refuses the login ({one_line(error)}): check site, login and password"
                ) from None
        except Exception as error:  # noqa: BLE001 - `_read_error` returns bugs as they are
            raise self._read_error(error) from None
        self._call(self._sign_in, signed_in=False)
        try:
            return request()
        except Exception as error:  # noqa: BLE001 - `_read_error` returns bugs as they are
            raise self._read_error(error) from None

    def _read_error(self, error: Exception) -> Exception:
        """Return what a failed request is to the reader of a task's log; bugs of this module as they are."""
        import requests
        from tableauserverclient.server.endpoint import exceptions as tableau
        from urllib3.exceptions import HTTPError

        said = one_line(error)
        if isinstance(error, tableau.TableauError):
            fault = isinstance(error, tableau.InternalServerError)
            return SystemReadError(f"{self._name} answers with an error ({said})", unreachable=fault)
        if isinstance(error, _UNREADABLE | requests.exceptions.JSONDecodeError):
            return SystemReadError(f"{self._name} gives an answer that cannot be read ({said})")
        if isinstance(error, requests.RequestException | HTTPError | OSError):
            return SystemReadError(
                f"{self._name} cannot be reached ({said}): check its host and port", unreachable=True
            )
        return error

    def _sign_out(self) -> None:
        try:
            self._server.auth.sign_out()
        except Exception as error:  # noqa: BLE001 - the session ends by itself
            log.warning("%s: not signed out: %s", self._name, one_line(error))

    def _miss(self, reason: str) -> None:
        self._incomplete.setdefault(one_line(reason))


def fetch_answer(connection: Connection) -> SavedAnswer:
    """Return the answer of the site that a connection names.

    Host, port and schema (https by default) make the URL. Login and password are a user's; with
    `{"auth": "pat"}` in extra they are the name and secret of a personal access token, and with
    `{"auth": "jwt"}` extra's `jwt_token` or `jwt_file` is used. Extra's `site_id` is the site, `verify` the
    path of a CA bundle. Raises InputError for a connection that names no host, and SystemReadError.
    """
    try:
        import tableauserverclient as tableau
    except ModuleNotFoundError:
        raise InputError(
            "Tableau's client is missing: pip install airflow-lineage-provider[tableau]"
        ) from None
    name = f"Tableau ({connection})"
    server: Any = tableau.Server(server_url(connection))  # type: ignore[no-untyped-call]
    server.add_http_options({"verify": connection.extra.get("verify", True)})
    given = credentials(connection)

    def sign_in() -> None:
        server.use_server_version()
        server.auth.sign_in(given)

    return TableauClient(server, sign_in, name).answer()


def server_url(connection: Connection) -> str:
    """Return the URL of a connection's server. Raises InputError where it has no host, or a login in it."""
    if not connection.host:
        raise InputError(f"{connection} names no host: set it to that of Tableau's server")
    host = (
        connection.host if "://" in connection.host else f"{connection.schema or 'https'}://{connection.host}"
    )
    url = urlsplit(host)
    if "@" in url.netloc:
        raise InputError(f"{connection} has a login in its host: move it to its login and password")
    port = f":{connection.port}" if connection.port and not url.port else ""
    return f"{url.scheme}://{url.netloc}{port}{url.path}".rstrip("/")


def credentials(connection: Connection) -> Any:
    """Return what a connection signs in with: a user, a personal access token, or a JWT."""
    import tableauserverclient as tableau

    site, auth = str(connection.extra.get("site_id") or ""), connection.extra.get("auth")
    if auth == "jwt":
        token = connection.extra.get("jwt_token") or _file(connection, "jwt_file")
        return tableau.JWTAuth(token, site_id=site)
    if auth == "pat":
        return tableau.PersonalAccessTokenAuth(connection.login, connection.password, site_id=site)
    return tableau.TableauAuth(connection.login, connection.password, site_id=site)


def _file(connection: Connection, key: str) -> str:
    from pathlib import Path

    try:
        return Path(str(connection.extra[key])).read_text(encoding="utf-8").strip()
    except (KeyError, OSError):
        raise InputError(f"{connection} has no token: set jwt_token or jwt_file in its extra") from None


def _task(task: Any) -> dict[str, Any] | None:
    """Return an extract refresh as plain data: its target's LUID, and when it runs."""
    schedule, target = task.schedule_item, task.target
    if target is None or schedule is None:
        return None
    interval = schedule.interval_item
    start = getattr(interval, "start_time", None)
    steps = getattr(interval, "interval", None) or ()
    return {
        "target": target.id,
        "kind": target.type,
        "frequency": getattr(interval, "_frequency", None) or "",
        "start": start.isoformat() if start else "",
        "hours": next((float(one) for one in steps if isinstance(one, int | float)), None),
        "next_run_at": schedule.next_run_at.isoformat() if schedule.next_run_at else "",
        "failed": task.consecutive_failed_count,
    }


def _retry_busy_servers(session: Any) -> None:
    """Try requests that are refused for the moment again, and bound the size of answers."""
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry

    class BusyRetry(Retry):
        """Waits no longer than `LONGEST_WAIT` where the server asks for more."""

        def get_retry_after(self, response: Any) -> float | None:
            found = super().get_retry_after(response)
            return None if found is None else min(found, LONGEST_WAIT)

    class BoundedAdapter(HTTPAdapter):
        """Reads no more than `LARGEST_ANSWER` of an answer."""

        def send(self, *arguments: Any, **options: Any) -> Any:
            answer = super().send(*arguments, **options | {"stream": True})
            body = bytearray()
            for chunk in answer.iter_content(1 << 16):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    answer.close()
                    raise ValueError(f"more than {LARGEST_ANSWER >> 20} MiB")
            answer._content = bytes(body)  # noqa: SLF001 - what requests does itself
            return answer

    retry = BusyRetry(
        total=TRIES,
        connect=2,
        read=2,
        backoff_factor=0.5,
        backoff_max=LONGEST_WAIT,
        status_forcelist=(429, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter(max_retries=retry))
