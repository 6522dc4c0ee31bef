"""What a server asks of whoever generates its answers: our engine in a thread, or a process of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol

from tuneloop.core.errors import ResourceError
from tuneloop.engine.handle import Counts, Handle
from tuneloop.engine.request import Request

LOOK_SECONDS = 1.0
"""How often somebody who waits looks up when nobody calls."""


class Backend(Protocol):
    """Token ids in, token ids out; adapters by their labels (`bank@v0003`). `tests/contracts` holds every one to this."""

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""

    @property
    def counts(self) -> Counts:
        """Requests that wait and run."""

    @property
    def alive(self) -> bool:
        """Whether requests are answered."""

    @property
    def resident(self) -> Sequence[str]:
        """Adapters in memory."""

    def submit(self, request: Request) -> Handle:
        """Take a request; safe from any thread.

        Raises:
            TryAgainError: the server is ending (code `serving.draining`).
            ResourceError: it is full (code `serving.full`).
            TuneloopError: what can't be answered.
        """

    def tokens(self, handle: Handle, *, deadline_seconds: float) -> AsyncIterator[list[int]]:
        """Give an answer's tokens as they come; leaving the iterator early ends the answer.

        Raises:
            ResourceError: it took too long (code `serving.deadline`).
            BaseException: what went wrong.
        """

    def cancel(self, handles: Sequence[Handle]) -> None:
        """End answers soon; those that are finished stay as they are."""

    def load(self, label: str, *, pinned: bool = False) -> None:
        """Read an adapter before anybody asks for it.

        Raises:
            TuneloopError: it can't be read, or does not fit.
        """

    def unload(self, label: str) -> bool:
        """Let an adapter leave memory; False when it was not there. The next request for it reads it again."""

    def drain(self, seconds: float) -> bool:
        """Take nothing new, finish what was accepted, and end; False when that took too long."""


class Listeners:
    """Who waits for tokens, each in an event loop of its own."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def tell(self) -> None:
        """There may be news; safe from any thread."""
        for loop, event in list(self._waiting):
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

    async def tokens(
        self, handle: Handle, *, deadline_seconds: float, cancel: Callable[[Sequence[Handle]], None]
    ) -> AsyncIterator[list[int]]:
        """`Backend.tokens`, for a backend that tells of its news."""
        event = asyncio.Event()
        entry = (asyncio.get_running_loop(), event)
        self._waiting.add(entry)
        end = time.monotonic() + deadline_seconds
        try:
            while True:
                event.clear()
                done = handle.done
                if fresh := handle.take_new():
                    yield fresh
                elif done:
                    handle.completion()
                    return
                else:
                    left = end - time.monotonic()
                    if left <= 0:
                        raise ResourceError("serving.deadline", seconds=f"{deadline_seconds:.0f}")
                    try:
                        await asyncio.wait_for(event.wait(), min(left, LOOK_SECONDS))
                    except TimeoutError:  # nobody called: look at the deadline
                        continue
        finally:
            self._waiting.discard(entry)
            cancel([handle])
