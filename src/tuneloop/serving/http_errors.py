"""Errors over HTTP: OpenAI's error object and status codes, for our errors, the framework's, and bugs."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tuneloop.core.errors import NotFoundError, TuneloopError, UsageError

RETRY_SECONDS = 1
"""What Retry-After says when the queue is full."""

STATUS: dict[str, int] = {
    "serving.full": 429,
    "serving.limit_reached": 429,
    "serving.body_too_large": 413,
    "access.key_missing": 401,
    "access.key_invalid": 401,
}
"""Codes whose HTTP status is not that of their class."""

log = logging.getLogger("tuneloop.serving")


def error_body(error: TuneloopError, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error object."""
    message = f"{error.message()} {error.hint()}"
    return {"error": {"message": message, "type": error.status.openai_type, "param": param, "code": error.code}}


def error_response(error: TuneloopError, param: str | None = None) -> JSONResponse:
    """The error as a response; 429 says when to try again, 401 how to say who one is."""
    status = STATUS.get(error.code, error.status.http)
    headers: dict[str, str] = {}
    if status == 429:
        headers["Retry-After"] = str(error.values.get("retry_seconds", RETRY_SECONDS))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error_body(error, param), status, headers=headers)


async def errors_as_events(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The response has begun, so that an error can only be told as an event, as OpenAI does."""
    try:
        async for event in events:
            yield event
    except TuneloopError as error:
        yield f"data: {json.dumps(error_body(error), ensure_ascii=False)}\n\n"
    except Exception as error:  # a bug must not look like the end of an answer
        log.exception("stream", exc_info=error)
        yield f"data: {json.dumps(error_body(TuneloopError('serving.internal')), ensure_ascii=False)}\n\n"


def catch_errors(app: FastAPI) -> None:
    """Answer every error with OpenAI's object."""

    @app.exception_handler(TuneloopError)
    async def on_error(request: Request, error: TuneloopError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
        field = field.encode("utf-8", "replace").decode()[:200]
        return error_response(UsageError("serving.body_invalid", field=field, problem=first["msg"]), field)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code in (404, 405):
            unknown = NotFoundError("serving.route_unknown", method=request.method, path=request.url.path[:200])
            return JSONResponse(error_body(unknown), error.status_code, headers=error.headers)
        invalid = UsageError("serving.body_invalid", field="body", problem=str(error.detail))
        return JSONResponse(error_body(invalid), error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def on_bug(request: Request, error: Exception) -> JSONResponse:
        number = uuid.uuid4().hex
        log.exception("request %s: %s %s", number, request.method, request.url.path, exc_info=error)
        body = error_body(TuneloopError("serving.internal"))
        return JSONResponse(body, 500, headers={"x-request-id": number})
