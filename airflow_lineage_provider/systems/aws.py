"""Calls of AWS through boto3, with one-line errors that name the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_lineage_provider.systems.errors import SystemReadError, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_BUSY = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
    }
)
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedFault",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }
)
_NOT_FOUND = frozenset({"ResourceNotFoundFault", "ResourceNotFound", "ResourceNotFoundException"})
_MISSING = "does not exist", "could not find", "not found"
_SERVER_ERROR = 500
MOST_PAGES = 1_000


class NotFoundError(SystemReadError):
    """AWS has no such object."""


class DeniedError(SystemReadError):
    """AWS refuses the credentials, or their permissions are too few; `code` is AWS's."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def aws_call(
    operation: Callable[..., Any], name: str, permissions: str, **arguments: Any
) -> Mapping[str, Any]:
    """Return the answer of an operation of a boto3 client.

    `name` is the connection and `permissions` what it needs, for messages. Raises NotFoundError, DeniedError,
    and SystemReadError, `unreachable` where another try may succeed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: Mapping[str, Any] = operation(**arguments)
    except ClientError as error:
        raise _failed(error.response, name, permissions) from None
    except BotoCoreError as error:
        text = one_line(error)
        raise SystemReadError(
            f"{name}: AWS cannot be reached ({text}): check region, network and credentials", unreachable=True
        ) from None
    return answer


def aws_rows(
    call: Callable[[Mapping[str, str]], Mapping[str, Any]],
    key: str,
    *,
    next_key: str,
    what: str,
) -> Iterator[Mapping[str, Any]]:
    """Yield the rows under `key` of all pages.

    `call` returns a page for the argument that asks for it: none at first, then the token of the page before.
    `next_key` is the name of that token in answers and as an argument; `what` begins the messages.
    Raises SystemReadError for an answer without rows, and for more than 1,000 pages.
    """
    following: dict[str, str] = {}
    for _ in range(MOST_PAGES):
        answer = call(following)
        rows = answer.get(key)
        if not isinstance(rows, list):
            raise SystemReadError(f"{what} without {key}: check endpoint_url")
        yield from rows
        if not answer.get(next_key):
            return
        following = {next_key: str(answer[next_key])}
    raise SystemReadError(f"{what} with more than {MOST_PAGES} pages")


def _failed(response: Mapping[str, Any], name: str, permissions: str) -> SystemReadError:
    code = str(response.get("Error", {}).get("Code", ""))
    text = one_line(response.get("Error", {}).get("Message", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0
    missing = code == "ValidationException" and any(words in text.casefold() for words in _MISSING)
    if code in _NOT_FOUND or missing:
        return NotFoundError(f"{name}: AWS answers {code} ({text})")
    if code in _DENIED:
        return DeniedError(f"{name}: AWS refuses the credentials ({code}): allow {permissions}", code)
    busy = code in _BUSY or status >= _SERVER_ERROR
    return SystemReadError(f"{name}: AWS answers {code} ({text})", unreachable=busy)
