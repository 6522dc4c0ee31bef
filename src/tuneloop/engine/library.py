"""Any model of transformers through its own forward: rows start together, and the batch shrinks as they finish."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from tuneloop.engine.handle import AnyHandle, Counts, Handle, ScoreHandle
from tuneloop.engine.lane import choose_for
from tuneloop.engine.rows import Row

RETIRE_SHARE = 0.25
"""Share of finished rows at which the batch is made smaller."""


class LibraryLane:
    """Runs requests on a model whose forward the engine does not know; see `lane.Lane`."""

    def __init__(self, model: PreTrainedModel, *, batch_size: int) -> None:
        self._model = model
        self._batch_size = batch_size
        self._waiting: deque[AnyHandle] = deque()
        self._rows: list[Row] = []
        self._cache: Any = None
        self._mask = torch.empty(0, 0, dtype=torch.int64, device=model.device)  # [rows, cells]: 1 where a token is

    def submit(self, handle: AnyHandle) -> None:
        """Put a request into the queue; safe from any thread."""
        self._waiting.append(handle)

    @property
    def busy(self) -> bool:
        """Whether `step` has anything to do."""
        return bool(self._waiting or self._rows)

    @property
    def counts(self) -> Counts:
        """How many requests wait and run."""
        return Counts(len(self._waiting), sum(not row.handle.done for row in self._rows))

    @torch.inference_mode()
    def step(self) -> bool:
        """One forward. Whatever goes wrong in it ends the requests that took part, and no others."""
        for handle in [*(row.handle for row in self._rows), *self._waiting]:
            if handle.is_cancelled and not handle.done:
                handle.finish("cancelled")
        taking: list[AnyHandle] = []
        try:
            if self._rows:
                self._shrink()
            if self._rows:
                self._write()
            else:
                self._start(taking)
        except Exception as error:  # told to everybody who took part; the next step starts afresh
            for handle in [*(row.handle for row in self._rows), *taking]:
                if not handle.done:
                    handle.fail(error)
            self._rows = []
        return True

    def _start(self, taking: list[AnyHandle]) -> None:
        """Score what is first in the queue, or begin a batch of answers."""
        while self._waiting and len(taking) < self._batch_size:
            handle = self._waiting[0]
            if isinstance(handle, ScoreHandle) and taking:
                break
            self._waiting.popleft()
            if handle.done:
                continue
            handle.start()
            taking.append(handle)
            if isinstance(handle, ScoreHandle):
                request = handle.request
                handle.scores = score_texts(self._model, request.ids, request.continuations, self._batch_size)
                return
        if not taking:
            return
        ids, self._mask = left_pad([handle.request.ids for handle in taking], self._model.device)
        self._cache = DynamicCache(config=self._model.config)
        logits = self._forward(ids, (self._mask.cumsum(1) - 1).clamp_min(0))
        self._rows = [Row(handle, slot) for slot, handle in enumerate(taking)]
        choose_for(self._rows, logits)

    def _write(self) -> None:
        """One more token for every row; what a finished row would say is not looked at."""
        tokens = torch.tensor(
            [row.last if row.handle.ids else 0 for row in self._rows if isinstance(row.handle, Handle)]
        )
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._rows), 1)], dim=1)
        logits = self._forward(tokens[:, None].to(self._model.device), self._mask.sum(1, keepdim=True) - 1)
        going = [place for place, row in enumerate(self._rows) if not row.handle.done]
        choose_for([self._rows[place] for place in going], logits[going])

    def _shrink(self) -> None:
        going = [place for place, row in enumerate(self._rows) if not row.handle.done]
        if going and len(going) > (1 - RETIRE_SHARE) * len(self._rows):
            return
        chosen = torch.tensor(going, dtype=torch.int64, device=self._model.device)
        self._mask = self._mask[chosen]
        self._cache.batch_select_indices(chosen)
        self._rows = [self._rows[place] for place in going]

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        out = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = out.logits[:, -1]
        return logits


def left_pad(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Put rows of ids into a rectangle so that they end together: (ids, mask), both int64 [rows, longest]."""
    longest = max(len(row) for row in rows)
    ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows], device=device)
    mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=device)
    return ids, mask


def score_texts(
    model: PreTrainedModel, prompt: Sequence[int], texts: Sequence[Sequence[int]], batch_size: int
) -> list[list[float]]:
    """Log-probabilities of every token of texts that may follow one prompt; the prompt is read once."""
    cache = DynamicCache(config=model.config)
    ids = torch.tensor([list(prompt)], device=model.device)
    first = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[0]  # [1, V]
    scores: list[list[float]] = []
    for start in range(0, len(texts), batch_size):
        scores += _score_rows(model, cache, first, texts[start : start + batch_size])
    return scores


def _score_rows(
    model: PreTrainedModel, cache: DynamicCache, first: Tensor, texts: Sequence[Sequence[int]]
) -> list[list[float]]:
    """The scores of a batch of texts.

    Args:
        model: whose prompt it is.
        cache: holds the prompt, one row; it is left as it is.
        first: logits after the prompt, [1, V].
        texts: at most a batch of them.
    """
    longest = max(len(text) for text in texts)
    if longest == 0:
        return [[] for _ in texts]
    branches = copy.deepcopy(cache)
    branches.batch_repeat_interleave(len(texts))
    # Right-padded: what stands behind a token can't change its logits.
    padded = torch.tensor(
        [[*text, *[0] * (longest - len(text))] for text in texts], device=model.device
    )  # [R, longest]
    head = first.float().log_softmax(-1).expand(len(texts), 1, -1)
    if longest > 1:
        logits = model(input_ids=padded[:, :-1], past_key_values=branches, use_cache=True).logits
        head = torch.cat([head, logits.float().log_softmax(-1)], dim=1)  # [R, longest, V]
    picked = head.gather(-1, padded[:, :, None])[:, :, 0].tolist()
    return [row[: len(text)] for row, text in zip(picked, texts, strict=True)]
