"""`GET /lineage/static/<file>`: the bundle of the pages, or a message where it was not built."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_name("static")
BUNDLE = "lineage.js"
TYPES: Mapping[str, str] = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
HEADERS = {
    # For the page of a file itself, and for a worker that is started from it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
# Airflow's page has React as a global; text is set as text, never as HTML.
WITHOUT_BUNDLE = """\
const message = "The lineage pages are not built. In a source checkout run `make ui` (it needs Node 20), or \
install the package from a wheel. The REST API works without them: lineage/openapi.json describes it.";
function Message() {
  const style = { padding: "1.5rem", maxWidth: "50rem" };
  return globalThis.React.createElement("p", { role: "alert", style }, message);
}
for (const name of ["Lineage", "Lineage drift", "AirflowPlugin"]) globalThis[name] = Message;
"""

router = APIRouter()


@router.get("/static/{file}", include_in_schema=False)
def static_file(file: str, request: Request) -> Response:
    """Return a file of the bundle; 404 for any other name. No login is needed: the code is public."""
    path = FOLDER / file
    kind = TYPES.get(path.suffix)
    # The name is one part of the path, so that it cannot leave the folder.
    if kind is None or file != path.name or file.startswith("."):
        raise HTTPException(404, "There is no such file")
    if path.is_file():
        status = path.stat()
        content, etag = _content(path, status.st_mtime_ns, status.st_size)
    elif file == BUNDLE:
        content, etag = WITHOUT_BUNDLE.encode(), '"not-built"'
    else:
        raise HTTPException(404, "There is no such file")
    headers = {**HEADERS, "ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type=kind)


@lru_cache(maxsize=32)
def _content(path: Path, _changed: int, _size: int) -> tuple[bytes, str]:
    content = path.read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:24]}"'
