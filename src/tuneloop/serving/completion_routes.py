"""`POST /v1/chat/completions` and `/v1/completions`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

from fastapi import FastAPI, Request, Security
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.responses import Response

from tuneloop.core.errors import RefusedError
from tuneloop.serving.completions import Body, Reply, begin, question_of, streamed, whole
from tuneloop.serving.documents import ChatCompletion, TextCompletion, streamed_or
from tuneloop.serving.feedback import Answered
from tuneloop.serving.http_errors import errors_as_events
from tuneloop.serving.served import AUTO, BASE, Model
from tuneloop.serving.server import BEARER, Server
from tuneloop.serving.wire import ChatRequest, CompletionRequest
from tuneloop.store.access import Key

CLIENT_LEFT = 499
"""nginx's status; nobody reads it."""


def add_completions(app: FastAPI, server: Server) -> None:
    """Add the two routes."""

    @app.post(
        "/v1/chat/completions",
        tags=["completions"],
        response_model=None,
        responses=streamed_or(ChatCompletion),
        dependencies=[Security(BEARER)],
    )
    async def chat_completions(body: ChatRequest, request: Request) -> Response:
        """Answer a conversation."""
        return await answer(server, body, request)

    @app.post(
        "/v1/completions",
        tags=["completions"],
        response_model=None,
        responses=streamed_or(TextCompletion),
        dependencies=[Security(BEARER)],
    )
    async def completions(body: CompletionRequest, request: Request) -> Response:
        """Continue a text as it stands."""
        return await answer(server, body, request)


async def answer(server: Server, body: Body, request: Request) -> Response:
    """Answer a request, whole or as a stream; it ends when its client leaves."""
    key = server.allow(request, "generate")
    server.keys.take_request(key)
    model, routing = await choose_model(server, body, key)
    reply = begin(body, model, server.models.loaded.template, server.backend, longest=server.config.max_new_tokens)
    server.keys.take_tokens(key, reply.prompt_tokens)
    reply.routing = routing
    headers = {"x-tuneloop-model": model.name, "x-tuneloop-response-id": reply.id}
    if routing is not None:
        headers |= {"x-tuneloop-route": f"{routing['reason']} {routing['score']}"}
    deadline = server.config.deadline_seconds
    if body.stream:
        events = server.meters.watch(reply, streamed(reply, server.backend, deadline_seconds=deadline))
        events = _noted(server, key, reply, errors_as_events(events))
        return StreamingResponse(events, media_type="text/event-stream", headers=headers)
    with server.meters.watching(reply):
        said = await _unless_left(request, whole(reply, server.backend, deadline_seconds=deadline))
    _note(server, key, reply)
    return Response(status_code=CLIENT_LEFT) if said is None else JSONResponse(said, headers=headers)


async def choose_model(server: Server, body: Body, key: Key) -> tuple[Model, dict[str, Any] | None]:
    """What answers, and with `model: auto` how it was chosen: never an adapter that does not exist for the key.

    Raises:
        NotFoundError: there is no such model.
        RefusedError: the question belongs to no adapter, and the key may not ask the base model (code `serving.no_route`).
    """
    if body.model != AUTO:
        return server.models.find(body.model, key), None
    router = await asyncio.to_thread(server.routers.current, server.models.adapters())
    allowed = {adapter.name for adapter in server.models.adapters(key)}
    route = await asyncio.to_thread(router.choose, question_of(body), allowed)
    if route.name is None and not key.may_use(BASE):
        raise RefusedError("serving.no_route")
    model = server.models.find(route.name or BASE, key)
    return model, {"model": model.name, "score": route.score, "similarity": route.similarity, "reason": route.reason}


async def _unless_left(request: Request, work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any] | None:
    """Do the work while the client is there; None when it left."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return await working if working.done() else None
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _noted(server: Server, key: Key, reply: Reply, events: AsyncIterator[str]) -> AsyncIterator[str]:
    try:
        async for event in events:
            yield event
    finally:
        _note(server, key, reply)


def _note(server: Server, key: Key, reply: Reply) -> None:
    """Count what was written, and remember the answers that are whole."""
    server.keys.take_tokens(key, reply.usage["completion_tokens"])
    for number, choice in enumerate(reply.choices):
        if choice.finish_reason in ("stop", "length"):
            id_ = reply.id if number == 0 else f"{reply.id}-{number}"
            server.recent.remember(Answered(id_, reply.model.name, reply.messages, choice.pieces.text, key.id))
