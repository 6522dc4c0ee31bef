"""vLLM as a backend: a process of its own, asked through its OpenAI API with token ids, so that templates, keys, router,
limits and feedback stay this server's.

What of its API is used (vLLM 0.11 and later): `/v1/models`, `/v1/completions` with ids as prompt, `return_token_ids` and
`return_tokens_as_token_ids`, and `/v1/load_lora_adapter`, `/v1/unload_lora_adapter`, which want
`VLLM_ALLOW_RUNTIME_LORA_UPDATING=True`. It reads adapters from the same disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tuneloop.core.errors import ResourceError, TryAgainError, UsageError
from tuneloop.engine.handle import Counts, Handle
from tuneloop.engine.request import Request
from tuneloop.serving.backend import Listeners
from tuneloop.serving.vllm_process import Process
from tuneloop.serving.vllm_wire import accept, body_of

KEY = "VLLM_API_KEY"
"""Environment variable with vLLM's own key, where it wants one: the same that vLLM reads."""

QUIET_SECONDS = 120.0
"""So long nothing may come from it."""

Result = TypeVar("Result")


class Vllm:
    """Answers through a vLLM process.

    Args:
        url: its address, without `/v1`.
        folder_of: an adapter's folder by its label; it checks that the adapter fits.
        queue_limit: requests that may wait or run at one time.
        process: the process, where this server started it; it ends with the server.

    Raises:
        TryAgainError: it does not answer (code `serving.engine_away`).
        UsageError: it serves no model (code `serving.engine_refused`).
    """

    def __init__(
        self, url: str, folder_of: Callable[[str], Path], *, queue_limit: int, process: Process | None = None
    ) -> None:
        self._url = url.rstrip("/")
        self._folder_of = folder_of
        self._queue_limit = queue_limit
        self._process = process
        self._listeners = Listeners()
        self._tasks: dict[Handle, asyncio.Task[None] | None] = {}
        """Answers under way; None until the loop takes one up."""
        self._loaded: dict[str, asyncio.Task[None]] = {}
        self._lock = threading.Lock()
        self._stopping = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tuneloop-vllm", daemon=True)
        self._thread.start()
        self._client = self._wait(_open(self._url))
        try:
            card = self._wait(self._base_card())
        except BaseException:
            self._end()
            raise
        self._base = str(card["id"])
        self.context = int(card.get("max_model_len") or 2**31 - 1)

    # ---- what a server asks ------------------------------------------------------------------------------------------

    @property
    def counts(self) -> Counts:
        """Requests that wait for their first token, and those that write."""
        handles = list(self._tasks)
        running = sum(bool(handle.ids) for handle in handles)
        return Counts(len(handles) - running, running)

    @property
    def alive(self) -> bool:
        """Whether this end works and, where it was started here, the process runs."""
        return self._thread.is_alive() and (self._process is None or self._process.alive)

    @property
    def resident(self) -> Sequence[str]:
        """Adapters that it was told of."""
        return [label for label, task in self._loaded.items() if task.done()]

    def submit(self, request: Request) -> Handle:
        """Take a request: see `Backend`."""
        if self._stopping:
            raise TryAgainError("serving.draining")
        if len(self._tasks) >= self._queue_limit:
            raise ResourceError("serving.full", limit=self._queue_limit)
        if not request.ids:
            raise UsageError("models.prompt_empty")
        if len(request.ids) >= self.context:
            raise UsageError("models.prompt_too_long", tokens=len(request.ids), limit=self.context)
        handle = Handle(request, self.context)
        if not handle.done:
            self._tasks[handle] = None
            self._loop.call_soon_threadsafe(self._start, handle)
        return handle

    def tokens(self, handle: Handle, *, deadline_seconds: float) -> AsyncIterator[list[int]]:
        """Give an answer's tokens as they come: see `Backend`."""
        return self._listeners.tokens(handle, deadline_seconds=deadline_seconds, cancel=self.cancel)

    def cancel(self, handles: Sequence[Handle]) -> None:
        """End answers; vLLM ends its work when the connection closes."""
        for handle in handles:
            handle.cancel()
            if (task := self._tasks.get(handle)) is not None:
                self._loop.call_soon_threadsafe(task.cancel)

    def load(self, label: str, *, pinned: bool = False) -> None:
        """Tell vLLM of an adapter; what stays in its memory is its own choice, so `pinned` says nothing here."""
        self._wait(self._ready(label))

    def unload(self, label: str) -> bool:
        """Let vLLM forget an adapter; False when it was not told of it."""
        return self._wait(self._forget(label))

    def drain(self, seconds: float) -> bool:
        """Finish what was accepted, and end the process that was started here; one that was found is left running."""
        self._stopping = True
        end = time.monotonic() + seconds
        while self._tasks and time.monotonic() < end:
            time.sleep(0.02)
        in_time = not self._tasks
        if self._thread.is_alive():
            self._end()
        if self._process is not None:
            self._process.end()
        return in_time

    # ---- on the loop -------------------------------------------------------------------------------------------------

    def _start(self, handle: Handle) -> None:
        self._tasks[handle] = self._loop.create_task(self._answer(handle))

    async def _answer(self, handle: Handle) -> None:
        """Generate one answer; whatever goes wrong is told through its handle."""
        try:
            if handle.is_cancelled:
                raise asyncio.CancelledError
            if handle.request.adapter is not None:
                await self._ready(handle.request.adapter)
            handle.start()
            await self._generate(handle)
        except asyncio.CancelledError:
            if not handle.done:
                handle.finish("cancelled")
        except httpx.HTTPError as error:
            handle.fail(self._away(error))
        except Exception as error:  # told to whoever waits for the answer
            handle.fail(error)
        finally:
            del self._tasks[handle]
            self._listeners.tell()

    async def _generate(self, handle: Handle) -> None:
        body = body_of(handle, handle.request.adapter or self._base)
        async with self._client.stream("POST", "/v1/completions", json=body) as response:
            if response.status_code != 200:
                raise self._refusal(response.status_code, (await response.aread()).decode(errors="replace"))
            async for line in response.aiter_lines():
                if not line.startswith("data: ") or line == "data: [DONE]":
                    continue
                event = json.loads(line.removeprefix("data: "))
                if "error" in event:
                    raise self._refusal(int(event["error"].get("code") or 500), str(event["error"].get("message")))
                accept(handle, event["choices"])
                self._listeners.tell()
                if handle.done:
                    return
        raise TryAgainError("serving.engine_away", url=self._url, problem="the stream ended early")

    async def _ready(self, label: str) -> None:
        """Tell vLLM of an adapter once, however many ask; what went wrong is tried again by the next one."""
        task = self._loaded.get(label)
        if task is None:
            task = self._loaded[label] = asyncio.create_task(self._load(label))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            raise
        except BaseException:
            if self._loaded.get(label) is task:
                del self._loaded[label]
            raise

    async def _load(self, label: str) -> None:
        folder = await asyncio.to_thread(self._folder_of, label)
        response = await self._client.post("/v1/load_lora_adapter", json={"lora_name": label, "lora_path": str(folder)})
        if response.status_code != 200 and "already been loaded" not in response.text:
            raise self._refusal(response.status_code, response.text)

    async def _forget(self, label: str) -> bool:
        if self._loaded.pop(label, None) is None:
            return False
        response = await self._client.post("/v1/unload_lora_adapter", json={"lora_name": label})
        if response.status_code not in (200, 404):
            raise self._refusal(response.status_code, response.text)
        return True

    async def _base_card(self) -> dict[str, Any]:
        """The base model among `/v1/models`: the one that hangs on no other."""
        response = await self._client.get("/v1/models")
        if response.status_code != 200:
            raise self._refusal(response.status_code, response.text)
        cards: list[dict[str, Any]] = response.json()["data"]
        found = next((card for card in cards if not card.get("parent")), None)
        if found is None:
            raise UsageError("serving.engine_refused", url=self._url, status=200, problem="/v1/models: []")
        return found

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something on the loop, from any other thread."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except httpx.HTTPError as error:
            raise self._away(error) from error

    def _end(self) -> None:
        async def close() -> None:
            tasks = [task for task in self._tasks.values() if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.aclose()

        self._wait(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _away(self, error: httpx.HTTPError) -> TryAgainError:
        return TryAgainError("serving.engine_away", url=self._url, problem=str(error) or type(error).__name__)

    def _refusal(self, status: int, said: str) -> UsageError | TryAgainError:
        if status >= 500 or status == 429:
            return TryAgainError("serving.engine_away", url=self._url, problem=f"{status} {said[:200]}")
        return UsageError("serving.engine_refused", url=self._url, status=status, problem=said[:300])


async def _open(url: str) -> httpx.AsyncClient:
    """A client, made on the loop that uses it. Proxies of the environment are for the net, not for this."""
    key = os.environ.get(KEY)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    limits = httpx.Limits(max_connections=None)
    timeout = httpx.Timeout(QUIET_SECONDS, connect=5.0)
    return httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=timeout, trust_env=False)
