"""A stand-in for vLLM: the part of its API that we use, over the tiny model, on a port of this machine.

What it answers follows vLLM's `entrypoints/openai` (0.11): events with `token_ids`, the stop token among them, tokens as
`token_id:5`, errors as OpenAI's object. The real one was never run here.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from tuneloop.adapters.low_rank import read_low_rank
from tuneloop.engine.engine import Engine
from tuneloop.engine.handle import Handle
from tuneloop.engine.request import Request as Asked
from tuneloop.engine.request import Sampling
from tuneloop.models.load import LoadedModel
from tuneloop.serving.worker import Worker

SAMPLING = ("temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "repetition_penalty")


@dataclass
class FakeVllm:
    """Where it listens, and what it was asked."""

    url: str
    worker: Worker
    bodies: list[dict[str, Any]] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    failing: int | None = None
    """Status with which it refuses to generate."""


@contextmanager
def running(loaded: LoadedModel) -> Iterator[FakeVllm]:
    """Start it, and end it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    worker = Worker(Engine(loaded.model, batch_size=8), queue_limit=1000)
    fake = FakeVllm(f"http://127.0.0.1:{listener.getsockname()[1]}", worker)
    server = uvicorn.Server(uvicorn.Config(make(fake), log_level="warning", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield fake
    server.should_exit = True
    thread.join(10)
    listener.close()
    worker.drain(10)


def make(fake: FakeVllm) -> FastAPI:
    app = FastAPI()

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        base = {"id": "base", "object": "model", "parent": None, "max_model_len": fake.worker.context}
        return {"object": "list", "data": [base, *({"id": name, "parent": "base"} for name in fake.worker.resident)]}

    @app.post("/v1/load_lora_adapter")
    async def load(request: Request) -> Response:
        body = await request.json()
        name = body["lora_name"]
        if name in fake.worker.resident:
            return refusal(400, f"The lora adapter '{name}' has already been loaded.")
        updates = read_low_rank(Path(body["lora_path"]))
        fake.worker.engine.load(name, updates, version="1")
        fake.loads.append(name)
        return PlainTextResponse(f"Success: LoRA adapter '{name}' added successfully.")

    @app.post("/v1/unload_lora_adapter")
    async def unload(request: Request) -> Response:
        name = (await request.json())["lora_name"]
        return PlainTextResponse("Success") if fake.worker.unload(name) else refusal(404, "not loaded")

    @app.post("/v1/completions")
    async def completions(request: Request) -> Response:
        body = await request.json()
        fake.bodies.append(body)
        if fake.failing is not None:
            return refusal(fake.failing, "it fails")
        if body["model"] not in ("base", *fake.worker.resident):
            return refusal(404, f"The model `{body['model']}` does not exist.")
        given = {name: body[name] for name in SAMPLING if name in body}
        sampling = Sampling(**given, max_new_tokens=body["max_tokens"], logprobs=body.get("logprobs"))
        adapter = None if body["model"] == "base" else body["model"]
        asked = Asked(tuple(body["prompt"]), adapter, sampling, tuple(body["stop_token_ids"]))
        return StreamingResponse(events(fake.worker, fake.worker.submit(asked)), media_type="text/event-stream")

    return app


def refusal(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "type": "BadRequestError", "code": status}}, status)


async def events(worker: Worker, handle: Handle) -> AsyncIterator[str]:
    sent = 0
    async for ids in worker.tokens(handle, deadline_seconds=60):
        yield event(ids, logprobs(handle, sent, sent + len(ids)), None)
        sent += len(ids)
    last = list(handle.request.stop_ids[:1]) if handle.reason == "stop" else []
    yield event(last, None, handle.reason)
    yield "data: [DONE]\n\n"


def event(ids: list[int], logprobs: dict[str, Any] | None, reason: str | None) -> str:
    choice = {"index": 0, "text": "?", "token_ids": ids, "logprobs": logprobs, "finish_reason": reason}
    return f"data: {json.dumps({'id': 'cmpl-1', 'object': 'text_completion', 'choices': [choice]})}\n\n"


def logprobs(handle: Handle, start: int, end: int) -> dict[str, Any] | None:
    if handle.request.sampling.logprobs is None:
        return None
    found = handle.logprobs[start:end]
    return {
        "tokens": [f"token_id:{token}" for token in handle.ids[start:end]],
        "token_logprobs": [one.logprob for one in found],
        "top_logprobs": [{f"token_id:{token}": value for token, value in one.top} for one in found],
    }
