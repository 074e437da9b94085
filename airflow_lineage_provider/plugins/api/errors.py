"""Errors as `{"error": ...}`: one line that says what happened and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from airflow_lineage_provider.errors import InputError, LineageError
from airflow_lineage_provider.plugins.api.cache import HEADERS
from airflow_lineage_provider.reports.views.columns import NotInRunError
from airflow_lineage_provider.store.progress import NewerStoreError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

_STATUSES: dict[type[LineageError], int] = {NewerStoreError: 409, NotInRunError: 404, InputError: 422}
_HEADERS = {**HEADERS, "Cache-Control": "no-store"}
_HINTS = {401: "log in again", 403: "ask for permission to read the task instances of this DAG"}


def answer_errors(app: FastAPI) -> None:
    """Register the handlers of errors."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _wrong_parameter)
    app.add_exception_handler(LineageError, _expected_error)


def _http_error(_: Request, error: Exception) -> Response:
    status, detail = getattr(error, "status_code", 500), getattr(error, "detail", "")
    text = f"{detail}: {_HINTS[status]}" if status in _HINTS else str(detail)
    return _refusal(status, text, getattr(error, "headers", None) or {})


def _wrong_parameter(_: Request, error: Exception) -> Response:
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    parts = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in problems[:5]]
    return _refusal(422, "; ".join(parts) or "A parameter is wrong", {})


def _expected_error(_: Request, error: Exception) -> Response:
    status = next((number for kind, number in _STATUSES.items() if isinstance(error, kind)), 503)
    return _refusal(status, str(error), {"Retry-After": "5"} if status == 503 else {})  # noqa: PLR2004


def _refusal(status: int, text: str, headers: dict[str, str]) -> Response:
    return JSONResponse({"error": " ".join(text.split())}, status, {**_HEADERS, **headers})
