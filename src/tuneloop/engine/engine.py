"""The engine: token ids in, token ids or log-probabilities out. It knows nothing of text and nothing of HTTP.

`submit` puts a request into the queue and returns a handle, `step` makes one forward for everybody; a server calls
`step` from a thread of its own. `generate`, `stream` and `score` are loops around the two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Protocol

from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.adapters.low_rank import LowRank
from tuneloop.core.errors import IncompatibleError, NotFoundError
from tuneloop.engine.claims import Claims
from tuneloop.engine.decoder import Decoder
from tuneloop.engine.families import knows, read_weights
from tuneloop.engine.handle import AnyHandle, Counts, Handle, ScoreHandle
from tuneloop.engine.lane import CACHE_BYTES, Lane
from tuneloop.engine.library import LibraryLane
from tuneloop.engine.lora import Adapter, make_adapter
from tuneloop.engine.pool import AdapterPool
from tuneloop.engine.prefix import PrefixCache
from tuneloop.engine.request import Completion, Request, ScoreRequest, check_prompt
from tuneloop.engine.weights import Weights, context_of

Updates = Mapping[str, LowRank]
FindAdapter = Callable[[str], tuple[str, Updates]]
Cancelled = Callable[[Request], bool]
PREFILL_TOKENS = 512
"""Tokens of prompts that one step reads at most: rows that write wait so long for each other's prompts."""
PREFIX_BYTES = 256 * 2**20
"""Memory for the beginnings of prompts."""

ADAPTER_BYTES = 2 * 2**30
"""Memory for adapters that share a batch."""

PAUSE = 0.02
"""Seconds that a step waits for an adapter when there is nothing else to do."""


class _Lane(Protocol):
    @property
    def busy(self) -> bool: ...

    def submit(self, handle: AnyHandle) -> None: ...

    @property
    def counts(self) -> Counts: ...

    def step(self) -> bool: ...


class Engine:
    """Generates and scores with a model, adapters that share its batch, and merged copies of it.

    Args:
        model: the base model, frozen; it is read once, later changes may not be seen.
        adapters: merged models by adapter name: for methods that can't share a batch. Each has a batch of its own.
        find_adapter: reads an adapter on its first use: from its name to its version and its updates by module path.
        adapter_bytes: memory for adapters that share the batch.
        batch_size: rows of a model that are generated together.
        prefill_tokens: tokens of prompts that one step reads at most.
        cache_bytes: memory for keys and values of a model; requests wait while all rows together could need more.
        prefix_bytes: memory for the beginnings of prompts that others may share; 0: each is read anew.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        *,
        adapters: Mapping[str, PreTrainedModel] | None = None,
        find_adapter: FindAdapter | None = None,
        adapter_bytes: int = ADAPTER_BYTES,
        batch_size: int = 32,
        prefill_tokens: int = PREFILL_TOKENS,
        cache_bytes: int = CACHE_BYTES,
        prefix_bytes: int = PREFIX_BYTES,
    ) -> None:
        self._models: dict[str | None, PreTrainedModel] = {None: model}
        self._models.update((adapters or {}).items())
        self._lanes: dict[str | None, _Lane] = {}
        self._leaving: list[_Lane] = []
        self._numbers = count()
        self._find_adapter = find_adapter
        self.pool: AdapterPool[Adapter] = AdapterPool(
            self._load_adapter if find_adapter else None, max_bytes=adapter_bytes
        )
        self._batch_size = batch_size
        self._prefill_tokens = prefill_tokens
        self._cache_bytes = cache_bytes
        self.prefix = PrefixCache(prefix_bytes)
        self._stepping = threading.Lock()
        self._making = threading.RLock()

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
        self._check(request.ids, request.adapter, request.continuations)
        handle = ScoreHandle(request)
        self._lane(request.adapter).submit(handle)
        return handle

    def step(self) -> bool:
        """Make one forward of every model that has something to do; False when none has.

        What goes wrong ends the requests that took part; their handles raise it.
        """
        with self._stepping:
            busy = [lane for lane in (*self._lanes.values(), *self._leaving) if lane.busy]
            worked = [lane.step() for lane in busy]
            self._leaving = [lane for lane in self._leaving if lane.busy]
        if busy and not any(worked):
            self.pool.wait(PAUSE)
        return bool(busy)

    @property
    def counts(self) -> Counts:
        """How many requests wait and run."""
        each = [lane.counts for lane in (*self._lanes.values(), *self._leaving)]
        return Counts(sum(one.waiting for one in each), sum(one.running for one in each))

    @property
    def context(self) -> int:
        """Tokens that prompt and answer may have together."""
        return context_of(self._models[None])

    @property
    def resident(self) -> Sequence[str]:
        """Adapters in memory that share the batch, the one that was not used for longest first."""
        return self.pool.names

    # ---- adapters ----------------------------------------------------------------------------------------------------

    def load(self, name: str, updates: Updates, *, version: str, pinned: bool = False) -> None:
        """Let an adapter share the base model's batch from the next step on, in the place of another one of its name.

        Args:
            name: as requests call it.
            updates: by module path in the base model.
            version: which one it is; requests under way finish with the version they began with.
            pinned: keep it in memory whatever happens.

        Raises:
            IncompatibleError: it does not fit (code `adapters.does_not_fit`), or the model's architecture can't mix
                adapters (`adapters.not_mixed`).
            ResourceError: there is no room for it (code `adapters.over_budget`).
        """
        adapter = make_adapter(name, version, updates, self._weights())
        self.pool.add(adapter, pinned=pinned)
        self._drop_lane(name)

    def fetch(self, name: str, *, pinned: bool = False) -> None:
        """Read an adapter as its first use would, before that; one that is in memory is only pinned, or no longer.

        Raises:
            NotFoundError: there is nobody to ask for it (code `models.adapter_not_loaded`).
            TuneloopError: what reading it raises, and as `load`.
        """
        if not self.pool.pin(name, pinned=pinned):
            if self._find_adapter is None:
                raise NotFoundError("models.adapter_not_loaded", name=name, known=", ".join(self.pool.names) or "—")
            self.pool.add(self._load_adapter(name), pinned=pinned)

    def load_merged(self, name: str, updates: Updates, *, version: str) -> None:
        """Merge an adapter into a copy of the weights, in float32: the fastest way for one that is used alone.

        It costs the memory of the model, and its requests do not share the others' batch.

        Raises:
            IncompatibleError: as `load`.
        """
        make_adapter(name, version, updates, self._weights())  # checks that it fits

        def delta(path: str) -> Tensor | None:
            return updates[path].delta() if path in updates else None

        lane = self._make_lane(read_weights(self._models[None], delta), version=version)
        with self._stepping:
            self._drop_lane(name)
            self.pool.remove(name)
            self._lanes[name] = lane

    def unload(self, name: str) -> bool:
        """Forget an adapter; False when it was not there. Requests under way finish with it."""
        was_pooled, was_merged = self.pool.remove(name), self._models.pop(name, None) is not None
        return self._drop_lane(name) or was_pooled or was_merged

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
            self._check(request.ids, request.adapter, request.continuations)
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

    def _check(self, ids: Sequence[int], adapter: str | None, texts: Sequence[Sequence[int]] = ()) -> int:
        """Refuse what can't be answered; returns the model's context."""
        if adapter not in self._models and adapter not in self._lanes and not self.pool.knows(str(adapter)):
            names = {*self._models, *self._lanes, *self.pool.names} - {None}
            raise NotFoundError(
                "models.adapter_not_loaded", name=adapter, known=", ".join(sorted(map(str, names))) or "—"
            )
        limit = context_of(self._models.get(adapter, self._models[None]))
        check_prompt(ids, texts, vocabulary=self._models[None].get_input_embeddings().weight.shape[0], context=limit)
        return limit

    def _lane(self, adapter: str | None) -> _Lane:
        """The lane that answers for an adapter: its own if it has one, else the base model's."""
        with self._making:
            if adapter is not None and adapter not in self._models and adapter not in self._lanes:
                self._mixing_lane()
                adapter = None
            if adapter not in self._lanes:
                model = self._models[adapter]
                if knows(model):
                    self._lanes[adapter] = self._make_lane(read_weights(model), mixes=adapter is None)
                else:
                    self._lanes[adapter] = LibraryLane(model, batch_size=self._batch_size)
            return self._lanes[adapter]

    def _mixing_lane(self) -> None:
        """Make sure that the base model's lane can mix adapters."""
        if not knows(self._models[None]):
            raise IncompatibleError("adapters.not_mixed", architecture=type(self._models[None]).__name__)

    def _make_lane(self, weights: Weights, *, mixes: bool = False, version: str | None = None) -> Lane:
        return Lane(
            Decoder(weights),
            batch_size=self._batch_size,
            prefill_tokens=self._prefill_tokens,
            prefix=self.prefix,
            root=f"model {next(self._numbers)}",
            cache_bytes=self._cache_bytes,
            claims=Claims(self.pool) if mixes else None,
            version=version,
        )

    def _weights(self) -> Weights:
        """The base model's, as its lane reads them."""
        self._mixing_lane()
        lane = self._lane(None)
        assert isinstance(lane, Lane)
        return lane.weights

    def _load_adapter(self, name: str) -> Adapter:
        assert self._find_adapter is not None
        version, updates = self._find_adapter(name)
        return make_adapter(name, version, updates, self._weights())

    def _drop_lane(self, name: str) -> bool:
        """Let a merged adapter's lane finish what it has and go."""
        lane = self._lanes.pop(name, None)
        if lane is not None:
            self._leaving.append(lane)
        return lane is not None
