"""The HTTP application: OpenAI's routes over one engine."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tuneloop.core.errors import NotFoundError, ResourceError, TuneloopError, UsageError
from tuneloop.core.messages import text
from tuneloop.core.version import __version__
from tuneloop.models.template import ChatTemplate
from tuneloop.serving.completions import Body, begin, streamed, whole
from tuneloop.serving.config import ServingConfig
from tuneloop.serving.meters import Meters
from tuneloop.serving.served import BASE, ServedModels
from tuneloop.serving.wire import ChatRequest, CompletionRequest
from tuneloop.serving.worker import Worker

DRAIN_SECONDS = 30.0
RETRY_SECONDS = 1
"""What Retry-After says when the queue is full."""

log = logging.getLogger("tuneloop.serving")


def make_app(models: ServedModels, worker: Worker, config: ServingConfig) -> FastAPI:
    """Make the application.

    Args:
        models: what it serves.
        worker: the engine's thread; it is drained when the application ends.
        config: limits.
    """
    meters = Meters(worker)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        if not worker.drain(DRAIN_SECONDS):
            log.warning(text("serving.drained_late", seconds=f"{DRAIN_SECONDS:.0f}"))

    app = FastAPI(title="tuneloop", version=__version__, lifespan=lifespan)
    _catch_errors(app)
    _limit_bodies(app, config.max_body_bytes)
    _add_health(app, worker, meters)
    _add_models(app, models)
    _add_completions(app, models, worker, config, meters)
    return app


def _add_health(app: FastAPI, worker: Worker, meters: Meters) -> None:
    @app.get("/health", tags=["operations"])
    async def health() -> dict[str, str]:
        """The process runs."""
        return {"status": "ok"}

    @app.get("/ready", tags=["operations"], responses={503: {"description": "not ready"}})
    async def ready() -> JSONResponse:
        """The model is loaded, and requests are taken."""
        is_ready = worker.alive
        return JSONResponse({"status": "ready" if is_ready else "not ready"}, 200 if is_ready else 503)

    @app.get("/metrics", tags=["operations"], response_class=Response)
    async def metrics() -> Response:
        """Prometheus."""
        return Response(generate_latest(meters.registry), media_type=CONTENT_TYPE_LATEST)


def _add_models(app: FastAPI, models: ServedModels) -> None:
    def shown(id_: str, created: int, parent: str | None, root: str) -> dict[str, Any]:
        return {
            "id": id_,
            "object": "model",
            "created": created,
            "owned_by": "tuneloop",
            "parent": parent,
            "root": root,
        }

    def listed() -> list[dict[str, Any]]:
        """The base model, every adapter by its bare name, and every version and alias."""
        found = [shown(BASE, 0, None, models.base_name)]
        for name in sorted({adapter.name for adapter in models.adapters()}):
            found.append(shown(name, 0, BASE, models.find(name).name))
        for adapter in models.adapters():
            for id_ in (adapter.label, *(f"{adapter.name}@{alias}" for alias in adapter.aliases)):
                found.append(shown(id_, 0, BASE, adapter.label))
        return found

    @app.get("/v1/models", tags=["models"])
    def list_models() -> dict[str, Any]:
        """What `model` may be."""
        return {"object": "list", "data": listed()}

    @app.get("/v1/models/{model}", tags=["models"])
    def get_model(model: str) -> dict[str, Any]:
        """One of them."""
        if len(model) > 200:
            raise NotFoundError("serving.model_unknown", name=model[:60])
        found = models.find(model)
        return shown(model, 0, None if found.adapter is None else BASE, found.name)


def _add_completions(app: FastAPI, models: ServedModels, worker: Worker, config: ServingConfig, meters: Meters) -> None:
    template: ChatTemplate = models.loaded.template
    context = int(getattr(models.loaded.model.config.get_text_config(), "max_position_embeddings", None) or 2**31)

    async def answer(body: Body) -> Response:
        model = models.find(body.model)
        reply = begin(body, model, template, worker, longest=config.max_new_tokens, context=context)
        headers = {"x-tuneloop-model": model.name, "x-tuneloop-response-id": reply.id}
        if body.stream:
            events = meters.watch(reply, streamed(reply, worker, deadline_seconds=config.deadline_seconds))
            return StreamingResponse(_errors_as_events(events), media_type="text/event-stream", headers=headers)
        with meters.watching(reply):
            return JSONResponse(await whole(reply, worker, deadline_seconds=config.deadline_seconds), headers=headers)

    @app.post("/v1/chat/completions", tags=["completions"], response_model=None)
    async def chat_completions(body: ChatRequest) -> Response:
        """Answer a conversation."""
        return await answer(body)

    @app.post("/v1/completions", tags=["completions"], response_model=None)
    async def completions(body: CompletionRequest) -> Response:
        """Continue a text as it stands."""
        return await answer(body)


# ---- errors ----------------------------------------------------------------------------------------------------------


def error_body(error: TuneloopError, param: str | None = None) -> dict[str, Any]:
    """OpenAI's error object."""
    message = f"{error.message()} {error.hint()}"
    return {"error": {"message": message, "type": error.status.openai_type, "param": param, "code": error.code}}


def error_response(error: TuneloopError, param: str | None = None) -> JSONResponse:
    """The error as a response; a full queue is 429 and says when to try again."""
    if error.code == "serving.full":
        return JSONResponse(error_body(error, param), 429, headers={"Retry-After": str(RETRY_SECONDS)})
    if error.code == "serving.body_too_large":
        return JSONResponse(error_body(error, param), 413)
    return JSONResponse(error_body(error, param), error.status.http)


async def _errors_as_events(events: AsyncIterator[str]) -> AsyncIterator[str]:
    """The response has begun, so that an error can only be told as an event, as OpenAI does."""
    try:
        async for event in events:
            yield event
    except TuneloopError as error:
        yield f"data: {json.dumps(error_body(error), ensure_ascii=False)}\n\n"


def _catch_errors(app: FastAPI) -> None:
    @app.exception_handler(TuneloopError)
    async def on_error(request: Request, error: TuneloopError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part != "body") or "body"
        return error_response(UsageError("serving.body_invalid", field=field[:200], problem=first["msg"]), field[:200])

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


def _limit_bodies(app: FastAPI, limit: int) -> None:
    """Read no more of a body than is allowed, whatever its header says."""

    @app.middleware("http")
    async def check(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        size = 0
        chunks: list[bytes] = []
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                return error_response(ResourceError("serving.body_too_large", size=f"> {limit}", limit=limit))
            chunks.append(chunk)
        request._body = b"".join(chunks)
        return await call_next(request)
