"""The engine: token ids in, token ids or log-probabilities out. It knows nothing of text and nothing of HTTP.

`submit` puts a request into the queue and returns a handle, `step` makes one forward for everybody; a server calls
`step` from a thread of its own. `generate`, `stream` and `score` are loops around the two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from transformers import PreTrainedModel

from tuneloop.core.errors import NotFoundError, UsageError
from tuneloop.engine.decoder import Decoder
from tuneloop.engine.families import knows, read_weights
from tuneloop.engine.handle import Handle, ScoreHandle
from tuneloop.engine.lane import AnyHandle, Lane
from tuneloop.engine.library import LibraryLane
from tuneloop.engine.prefix import PrefixCache
from tuneloop.engine.request import Completion, Request, ScoreRequest
from tuneloop.engine.weights import context_of

Cancelled = Callable[[Request], bool]
PREFILL_TOKENS = 512
"""Tokens of prompts that one step reads at most: rows that write wait so long for each other's prompts."""
PREFIX_BYTES = 256 * 2**20
"""Memory for the beginnings of prompts."""


class _Lane(Protocol):
    @property
    def busy(self) -> bool: ...

    def submit(self, handle: AnyHandle) -> None: ...

    def step(self) -> None: ...


class Engine:
    """Generates and scores with a model and merged copies of it.

    Args:
        model: the base model, frozen; it is read once, later changes may not be seen.
        adapters: merged models by adapter name.
        batch_size: rows of a model that are generated together.
        prefill_tokens: tokens of prompts that one step reads at most.
        prefix_bytes: memory for the beginnings of prompts that others may share; 0: each is read anew.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        adapters: Mapping[str, PreTrainedModel] | None = None,
        batch_size: int = 32,
        prefill_tokens: int = PREFILL_TOKENS,
        prefix_bytes: int = PREFIX_BYTES,
    ) -> None:
        self._models: dict[str | None, PreTrainedModel] = {None: model}
        self._models.update((adapters or {}).items())
        self._lanes: dict[str | None, _Lane] = {}
        self._batch_size = batch_size
        self._prefill_tokens = prefill_tokens
        self.prefix = PrefixCache(prefix_bytes)
        self._stepping = threading.Lock()

    # ---- for a server ------------------------------------------------------------------------------------------------

    def submit(self, request: Request) -> Handle:
        """Put a request into the queue; safe from any thread.

        Raises:
            UsageError: the prompt is empty or fills the model's context (codes `models.prompt_…`).
            NotFoundError: the adapter is not loaded (code `models.adapter_not_loaded`).
        """
        limit = self._check(request.ids, request.adapter)
        handle = Handle(request, limit)
        if not handle.done:
            self._lane(request.adapter).submit(handle)
        return handle

    def submit_score(self, request: ScoreRequest) -> ScoreHandle:
        """Put texts that are to be scored into the queue; safe from any thread.

        Raises:
            UsageError, NotFoundError: as `submit`; the longest text counts as part of the prompt.
        """
        longest = max((len(text) for text in request.continuations), default=0)
        self._check(request.ids, request.adapter, longest)
        handle = ScoreHandle(request)
        self._lane(request.adapter).submit(handle)
        return handle

    def step(self) -> bool:
        """Make one forward of every model that has something to do; False when none has.

        What goes wrong ends the requests that took part; their handles raise it.
        """
        with self._stepping:
            busy = [lane for lane in list(self._lanes.values()) if lane.busy]
            for lane in busy:
                lane.step()
        return bool(busy)

    # ---- for everybody else ------------------------------------------------------------------------------------------

    def generate(self, requests: Iterable[Request], *, cancelled: Cancelled | None = None) -> Iterator[Completion]:
        """Answer requests, and give each completion as soon as it is finished; closing the iterator stops the work.

        Args:
            requests: in any order.
            cancelled: asked for every request before each step; where it says True, the request ends there.

        Raises:
            UsageError, NotFoundError: as `submit`, before any work is done.
        """
        asked = list(requests)
        for request in asked:
            self._check(request.ids, request.adapter)
        # Neighbours of similar length are attended to together; the longest first, so that the batch ends level.
        asked.sort(key=lambda request: len(request.ids), reverse=True)
        running = [self.submit(request) for request in asked]
        try:
            while running:
                for handle in running:
                    if cancelled is not None and not handle.done and cancelled(handle.request):
                        handle.cancel()
                for handle in running:
                    if handle.done:
                        yield handle.completion()
                running = [handle for handle in running if not handle.done]
                if running:
                    self.step()
        finally:
            for handle in running:
                handle.cancel()

    def stream(self, request: Request) -> Iterator[int]:
        """Answer one request and give each token as it comes; closing the iterator stops the work.

        Raises:
            UsageError, NotFoundError: as `submit`.
        """
        handle = self.submit(request)
        try:
            while not handle.done:
                self.step()
                yield from handle.take_new()
            handle.completion()
        finally:
            handle.cancel()

    def score(
        self, prompt_ids: Sequence[int], continuations: Sequence[Sequence[int]], *, adapter: str | None = None
    ) -> list[list[float]]:
        """Return the log-probability of every token of each continuation.

        The prompt is read once, and so is what continuations have in common: K labels cost little more than one.

        Raises:
            UsageError, NotFoundError: as `submit`.
        """
        texts = tuple(tuple(text) for text in continuations)
        return next(self.score_many([ScoreRequest(tuple(prompt_ids), texts, adapter)]))

    def score_many(self, requests: Iterable[ScoreRequest]) -> Iterator[list[list[float]]]:
        """Score many prompts together, in their order; closing the iterator stops the work.

        Raises:
            UsageError, NotFoundError: as `submit`, before any work is done.
        """
        asked = list(requests)
        for request in asked:
            self._check(request.ids, request.adapter, max((len(text) for text in request.continuations), default=0))
        handles = [self.submit_score(request) for request in asked]
        try:
            for handle in handles:
                while not handle.done:
                    self.step()
                yield handle.result()
        finally:
            for handle in handles:
                handle.cancel()

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _check(self, ids: Sequence[int], adapter: str | None, more: int = 0) -> int:
        """Refuse what can't be answered; returns the model's context."""
        if adapter not in self._models:
            known = ", ".join(sorted(name for name in self._models if name is not None)) or "—"
            raise NotFoundError("models.adapter_not_loaded", name=adapter, known=known)
        if not ids:
            raise UsageError("models.prompt_empty")
        limit = context_of(self._models[adapter])
        if len(ids) + max(0, more - 1) >= limit:
            raise UsageError("models.prompt_too_long", tokens=len(ids) + max(0, more - 1), limit=limit)
        return limit

    def _lane(self, adapter: str | None) -> _Lane:
        if adapter not in self._lanes:
            model = self._models[adapter]
            self._lanes[adapter] = (
                self._make_lane(model) if knows(model) else LibraryLane(model, batch_size=self._batch_size)
            )
        return self._lanes[adapter]

    def _make_lane(self, model: PreTrainedModel) -> Lane:
        return Lane(
            Decoder(read_weights(model)),
            batch_size=self._batch_size,
            prefill_tokens=self._prefill_tokens,
            prefix=self.prefix,
            root=f"model {len(self._lanes)}",
        )
