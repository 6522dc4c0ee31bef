"""The engine: token ids in, token ids or log-probabilities out. It knows nothing of text and nothing of HTTP.

Requests are sorted by length and generated in one running batch; when a quarter of its rows has finished, the next
prompts take their places, or the batch shrinks.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from tuneloop.core.errors import NotFoundError, UsageError
from tuneloop.engine.lean import LeanModel, LeanSession
from tuneloop.engine.request import Completion, FinishReason, Request
from tuneloop.engine.sampling import Chooser, choose_tokens
from tuneloop.engine.session import LibrarySession, Session

Cancelled = Callable[[Request], bool]
RETIRE_SHARE = 0.25
"""Share of finished rows at which the batch is filled up again or made smaller."""


class Engine:
    """Generates and scores with a model and merged copies of it.

    Args:
        model: the base model, frozen; it is read once, later changes may not be seen.
        adapters: merged models by adapter name.
        batch_size: rows that are generated together.
    """

    def __init__(
        self, model: PreTrainedModel, *, adapters: Mapping[str, PreTrainedModel] | None = None, batch_size: int = 32
    ) -> None:
        self._models: dict[str | None, PreTrainedModel] = {None: model}
        self._models.update((adapters or {}).items())
        self._lean: dict[str | None, LeanModel | None] = {}
        self._batch_size = batch_size

    def generate(self, requests: Iterable[Request], *, cancelled: Cancelled | None = None) -> Iterator[Completion]:
        """Answer requests, and give each completion as soon as it is finished; closing the iterator stops the work.

        Args:
            requests: in any order; requests of one adapter run together.
            cancelled: asked for every running request before each step; where it says True, the request ends there.

        Raises:
            UsageError: a prompt is empty or fills the model's context (codes `models.prompt_…`).
            NotFoundError: an adapter is not loaded (code `models.adapter_not_loaded`).
        """
        groups: dict[str | None, list[Request]] = {}
        for request in requests:
            self._check(request)
            groups.setdefault(request.adapter, []).append(request)
        for adapter, group in groups.items():
            # The longest first: later, shorter prompts then fit into the running batch as it stands.
            waiting = sorted(group, key=lambda request: len(request.ids))
            batch = _Batch(partial(self._session, adapter), self._batch_size, self._context(adapter))
            while waiting or batch.runs:
                batch.fill(waiting)
                if cancelled is not None:
                    batch.cancel(cancelled)
                yield from batch.finished()
                batch.step()
                yield from batch.finished()

    def stream(self, request: Request) -> Iterator[int]:
        """Answer one request and give each token as it comes; closing the iterator stops the work.

        Raises:
            UsageError, NotFoundError: as `generate`.
        """
        self._check(request)
        batch = _Batch(partial(self._session, request.adapter), 1, self._context(request.adapter))
        batch.fill([request])
        row = batch.rows[0]
        given = 0
        while True:
            yield from row.ids[given:]
            given = len(row.ids)
            if row.reason is not None:
                return
            batch.step()

    @torch.inference_mode()
    def score(
        self, prompt_ids: Sequence[int], continuations: Sequence[Sequence[int]], *, adapter: str | None = None
    ) -> list[list[float]]:
        """Return the log-probability of every token of each continuation; the prompt is read once.

        Raises:
            UsageError, NotFoundError: as `generate`.
        """
        self._check(Request(tuple(prompt_ids), adapter=adapter))
        model = self._models[adapter]
        ids = torch.tensor([list(prompt_ids)], device=model.device)
        cache = DynamicCache(config=model.config)
        first = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0]  # [1, V]
        scores: list[list[float]] = []
        for start in range(0, len(continuations), self._batch_size):
            scores += _score_rows(model, cache, first, continuations[start : start + self._batch_size])
        return scores

    # ---- inside ------------------------------------------------------------------------------------------------------

    def _check(self, request: Request) -> None:
        if request.adapter not in self._models:
            known = ", ".join(sorted(name for name in self._models if name is not None)) or "—"
            raise NotFoundError("models.adapter_not_loaded", name=request.adapter, known=known)
        if not request.ids:
            raise UsageError("models.prompt_empty")
        limit = self._context(request.adapter)
        if len(request.ids) >= limit:
            raise UsageError("models.prompt_too_long", tokens=len(request.ids), limit=limit)

    def _context(self, adapter: str | None) -> int:
        """How many tokens the model reads at most, prompt and answer together."""
        return int(getattr(self._models[adapter].config, "max_position_embeddings", sys.maxsize))

    def _session(self, adapter: str | None) -> Session:
        model = self._models[adapter]
        if adapter not in self._lean:
            self._lean[adapter] = LeanModel(model) if LeanModel.fits(model) else None
        lean = self._lean[adapter]
        return LibrarySession(model) if lean is None else LeanSession(lean)


class _Row:
    """One request under way."""

    def __init__(self, request: Request, context: int) -> None:
        self.request = request
        self.chooser = Chooser(request)
        self.ids: list[int] = []
        self.last = 0
        self.most = min(request.sampling.max_new_tokens, context - len(request.ids))
        self.reason: FinishReason | None = "length" if self.most < 1 else None
        self.taken = time.perf_counter()
        self.first_token_seconds = 0.0
        self.told = False

    def accept(self, token: int) -> None:
        """Take the next token, unless the row has finished."""
        if self.reason is not None:
            return
        self.first_token_seconds = self.first_token_seconds or time.perf_counter() - self.taken
        self.last = token
        if token in self.request.stop_ids:
            self.reason = "stop"
            return
        self.ids.append(token)
        if len(self.ids) >= self.most:
            self.reason = "length"

    def completion(self) -> Completion:
        assert self.reason is not None
        seconds = time.perf_counter() - self.taken
        return Completion(self.request, tuple(self.ids), self.reason, self.first_token_seconds, seconds)


class _Batch:
    """The rows of one model that are generated together."""

    def __init__(self, make_session: Callable[[], Session], size: int, context: int) -> None:
        self._make_session = make_session
        self._session = make_session()
        self._size = size
        self._context = context
        self.rows: list[_Row] = []

    @property
    def runs(self) -> bool:
        """Whether a row has not finished."""
        return any(row.reason is None for row in self.rows)

    def fill(self, waiting: list[Request]) -> None:
        """Give the places of finished rows to waiting requests (taken from the end), or make the batch smaller."""
        free = [place for place, row in enumerate(self.rows) if row.reason is not None]
        if self.rows and len(free) < max(1, RETIRE_SHARE * len(self.rows)):
            return
        if len(free) == len(self.rows):
            self.rows, free, self._session = [], [], self._make_session()
        elif not self._session.joins:
            waiting = []
        newcomers = [
            _Row(waiting.pop(), self._context)
            for _ in range(min(len(waiting), self._size - len(self.rows) + len(free)))
        ]
        if newcomers:
            self._admit(newcomers, free)
        elif free:
            kept = [place for place, row in enumerate(self.rows) if row.reason is None]
            self._session.keep(kept)
            self.rows = [self.rows[place] for place in kept]

    def step(self) -> None:
        """One more token for every row that has not finished."""
        if self.runs:
            tokens = torch.tensor([row.last for row in self.rows])
            self._accept(self._session.step(tokens), self.rows)

    def cancel(self, cancelled: Cancelled) -> None:
        """End the rows whose requests are cancelled."""
        for row in self.rows:
            if row.reason is None and cancelled(row.request):
                row.reason = "cancelled"

    def finished(self) -> Iterator[Completion]:
        """Completions that were not given yet."""
        for row in self.rows:
            if row.reason is not None and not row.told:
                row.told = True
                yield row.completion()

    def _admit(self, newcomers: list[_Row], free: list[int]) -> None:
        into = free[: len(newcomers)]
        logits = self._session.add([row.request.ids for row in newcomers], into)
        for place, row in zip(into, newcomers, strict=False):
            self.rows[place] = row
        self.rows += newcomers[len(into) :]
        self._accept(logits, newcomers)

    def _accept(self, logits: Tensor, rows: list[_Row]) -> None:
        tokens = choose_tokens(logits, [row.chooser for row in rows], [row.ids for row in rows])
        for row, token in zip(rows, tokens, strict=True):
            row.accept(token)


def _score_rows(
    model: PreTrainedModel, cache: DynamicCache, first: Tensor, continuations: Sequence[Sequence[int]]
) -> list[list[float]]:
    """Log-probabilities of continuations of one prompt.

    Args:
        model: whose prompt it is.
        cache: holds the prompt, one row; it is left as it is.
        first: logits after the prompt, [1, V].
        continuations: at most a batch of them.
    """
    longest = max(len(continuation) for continuation in continuations)
    if longest == 0:
        return [[] for _ in continuations]
    branches = copy.deepcopy(cache)
    branches.batch_repeat_interleave(len(continuations))
    # Right-padded: what stands behind a token can't change its logits.
    padded = torch.tensor([[*c, *[0] * (longest - len(c))] for c in continuations], device=model.device)  # [R, longest]
    head = first.float().log_softmax(-1).expand(len(continuations), 1, -1)
    if longest > 1:
        logits = model(input_ids=padded[:, :-1], past_key_values=branches, use_cache=True).logits
        head = torch.cat([head, logits.float().log_softmax(-1)], dim=1)  # [R, longest, V]
    picked = head.gather(-1, padded[:, :, None])[:, :, 0].tolist()
    return [row[: len(continuation)] for row, continuation in zip(picked, continuations, strict=True)]
