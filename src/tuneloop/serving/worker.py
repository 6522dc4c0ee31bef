"""An engine of this process as a backend: the one thread that steps it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from tuneloop.core.errors import ResourceError, TryAgainError
from tuneloop.engine.handle import Counts, Handle
from tuneloop.engine.request import Request
from tuneloop.serving.backend import Listeners

IDLE_SECONDS = 1.0
"""How often the thread looks up when nobody calls it."""

PAUSE_SECONDS = 0.1
"""Before the next step after one that failed as a whole."""

log = logging.getLogger("tuneloop.serving")


class Steps(Protocol):
    """What the thread needs of an engine: ours, or merged models as OpenVINO graphs."""

    @property
    def context(self) -> int: ...

    @property
    def counts(self) -> Counts: ...

    @property
    def resident(self) -> Sequence[str]: ...

    def submit(self, request: Request) -> Handle: ...

    def step(self) -> bool: ...

    def fetch(self, name: str, *, pinned: bool = False) -> None: ...

    def unload(self, name: str) -> bool: ...


class Worker:
    """Steps an engine while there is something to do.

    Args:
        engine: what answers.
        queue_limit: requests that may wait or run at one time.
    """

    def __init__(self, engine: Steps, *, queue_limit: int) -> None:
        self.engine = engine
        self._queue_limit = queue_limit
        self._wake = threading.Condition()
        self._listeners = Listeners()
        self._stopping = False
        self._submitted = False
        self._thread = threading.Thread(target=self._run, name="tuneloop-engine", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> Handle:
        """Put a request into the queue; safe from any thread.

        Raises:
            TryAgainError: the server is ending (code `serving.draining`).
            ResourceError: it is full (code `serving.full`).
            TuneloopError: what the engine refuses.
        """
        if self._stopping:
            raise TryAgainError("serving.draining")
        counts = self.engine.counts
        if counts.waiting + counts.running >= self._queue_limit:
            raise ResourceError("serving.full", limit=self._queue_limit)
        handle = self.engine.submit(request)
        with self._wake:
            self._submitted = True
            self._wake.notify_all()
        return handle

    def tokens(self, handle: Handle, *, deadline_seconds: float) -> AsyncIterator[list[int]]:
        """Give an answer's tokens as they come: see `Backend`."""
        return self._listeners.tokens(handle, deadline_seconds=deadline_seconds, cancel=self.cancel)

    def cancel(self, handles: Sequence[Handle]) -> None:
        """End answers before the next step; those that are finished stay as they are."""
        unfinished = [handle for handle in handles if not handle.done]
        for handle in unfinished:
            handle.cancel()
        if unfinished:
            with self._wake:
                self._submitted = True
                self._wake.notify_all()

    def drain(self, seconds: float) -> bool:
        """Take nothing new, finish what was accepted, and end the thread; False when that took too long."""
        self._stopping = True
        with self._wake:
            self._wake.notify_all()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return self.engine.context

    @property
    def counts(self) -> Counts:
        """Requests that wait and run."""
        return self.engine.counts

    @property
    def resident(self) -> Sequence[str]:
        """Adapters in memory, the one that was not used for longest first."""
        return self.engine.resident

    def load(self, label: str, *, pinned: bool = False) -> None:
        """Read an adapter before anybody asks for it.

        Raises:
            TuneloopError: it can't be read, or does not fit.
        """
        self.engine.fetch(label, pinned=pinned)

    def unload(self, label: str) -> bool:
        """Let an adapter leave memory; requests under way finish with it."""
        return self.engine.unload(label)

    def _run(self) -> None:
        while True:
            if self._step():
                continue
            with self._wake:
                if self._stopping:
                    return
                if not self._submitted:
                    self._wake.wait(IDLE_SECONDS)
                self._submitted = False

    def _step(self) -> bool:
        """One step; False when there was nothing to do. The thread outlives whatever goes wrong outside a forward."""
        try:
            return self.engine.step()
        except Exception:
            log.exception("engine")
            time.sleep(PAUSE_SECONDS)
            return True
        finally:
            self._listeners.tell()
