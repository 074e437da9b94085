"""One page of the Metadata API: its nodes, and what its errors say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_UNKNOWN = (
    re.compile(r"Field '(\w+)' in type '(\w+)' is undefined"),  # graphql-java
    re.compile(r"Cannot query field '(\w+)' on type '(\w+)'"),
)
_UNKNOWN_TYPE = re.compile(r"Unknown type '?(\w+)'?")
_TOO_LARGE = frozenset({"NODE_LIMIT_EXCEEDED", "TIME_LIMIT_EXCEEDED"})
_REASONS = {
    "BACKFILL_RUNNING": "the Metadata API is still indexing the site",
    "PERMISSIONS_MODE_SWITCHED": "content that the user may not see was left out",
}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a connection. `next` is the cursor of the following one; `total` counts all nodes."""

    nodes: tuple[dict[str, Any], ...] = ()
    next: str | None = None
    total: int = 0
    unknown: tuple[str, ...] = ()
    """Fields (`Type.field`) and types (`... on Type`) that the server's schema does not have."""
    too_large: bool = False
    error: str = ""
    """Why there is no page."""
    reasons: tuple[str, ...] = ()
    """Why the page may lack nodes."""

    def lacks(self, connection: str) -> bool:
        """Whether the server's schema does not have the connection itself."""
        return any(field.endswith(f".{connection}Connection") for field in self.unknown)


def read_page(answer: Any, connection: str) -> Page:
    """Return the page in an answer of the Metadata API."""
    body: Mapping[str, Any] = answer if isinstance(answer, dict) else {}
    errors = [one for one in body.get("errors") or () if isinstance(one, dict)]
    messages = [str(one.get("message") or _code(one)) for one in errors]
    found = (body.get("data") or {}).get(f"{connection}Connection")
    too_large = any(_code(one) in _TOO_LARGE for one in errors)
    undefined = (match for text in messages for form in _UNKNOWN for match in form.finditer(text))
    types = (match[1] for text in messages for match in _UNKNOWN_TYPE.finditer(text))
    unknown = tuple(
        dict.fromkeys((*(f"{one[2]}.{one[1]}" for one in undefined), *(f"... on {one}" for one in types)))
    )
    if unknown or not isinstance(found, dict):
        error = "; ".join(messages) or "the answer has no such part"
        return Page(unknown=unknown, too_large=too_large, error=error)
    nodes = tuple(node for node in found.get("nodes") or () if isinstance(node, dict))
    page = found.get("pageInfo") or {}
    hidden = len(found.get("nodes") or ()) - len(nodes)
    reasons = [_reason(one, connection) for one in errors]
    reasons += [f"{hidden} {connection} are not shown to the user"] if hidden else []
    return Page(
        nodes,
        page.get("endCursor") if page.get("hasNextPage") else None,
        int(found.get("totalCount") or 0),
        too_large=too_large,
        reasons=tuple(reasons),
    )


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    return str(extensions.get("code") or "") if isinstance(extensions, dict) else ""


def _reason(error: Mapping[str, Any], connection: str) -> str:
    code = _code(error)
    return f"{connection}: {_REASONS.get(code) or error.get('message') or code}"
