"""Errors as `{"error": ...}`: one line that says what happened and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from airflow_lineage_provider.errors import InputError, LineageError
from airflow_lineage_provider.plugins.api.cache import HEADERS
from airflow_lineage_provider.reports.views.columns import NotInRunError
from airflow_lineage_provider.store.progress import NewerStoreError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

_STATUSES: dict[type[LineageError], int] = {NewerStoreError: 409, NotInRunError: 404, InputError: 422}
_HEADERS = {**HEADERS, "Cache-Control": "no-store"}
_NOT_ALLOWED = 405
_HINTS = {401: "log in again", 403: "ask for permission to read the task instances of this DAG"}


def answer_errors(app: FastAPI) -> None:
    """Register the handlers of errors."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(LineageError, _expected_error)


def _http_error(request: Request, error: Exception) -> Response:
    status, detail = getattr(error, "status_code", 500), getattr(error, "detail", "")
    text = f"{detail}: {_HINTS[status]}" if status in _HINTS else str(detail)
    headers = dict(getattr(error, "headers", None) or {})
    if status == _NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return _refusal(status, text, headers)


def _methods(request: Request) -> set[str]:
    """Return the methods of all routes of a path; the framework names those of the first one only."""
    return {
        method
        for route in request.app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", None) or ()
    }


def _wrong_parameter(_: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    parts = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems[:5]]
    return _refusal(422, "; ".join(parts) or "A parameter is wrong", {})


def _expected_error(_: Request, error: Exception) -> Response:
    status = next((number for kind, number in _STATUSES.items() if isinstance(error, kind)), 503)
    return _refusal(status, str(error), {"Retry-After": "5"} if status == 503 else {})  # noqa: PLR2004


def _refusal(status: int, text: str, headers: dict[str, str]) -> Response:
    return JSONResponse({"error": " ".join(text.split())}, status, {**_HEADERS, **headers})
