"""One batch in the making: what the scheduler asks of a model, and the library's own forward behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel


class Session(Protocol):
    """The rows that are being generated together, with their cache."""

    joins: bool
    """Whether rows may be added while others are under way."""

    @property
    def rows(self) -> int:
        """How many rows there are."""

    def add(self, prompts: Sequence[Sequence[int]], into: Sequence[int] = ()) -> Tensor:
        """Read prompts and return the logits after each one's last token, [prompts, vocabulary].

        Args:
            prompts: ids, none empty.
            into: rows that the first prompts take over, in ascending order; the others become new rows at the end.
        """

    def step(self, tokens: Tensor) -> Tensor:
        """Read one token a row, int64 [rows], and return the logits after it, [rows, vocabulary]."""

    def keep(self, rows: Sequence[int]) -> None:
        """Forget all rows but these."""


class LibrarySession:
    """Any model of transformers through its own forward: left-padded, with its own cache."""

    joins = False

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model
        self._cache: Any = None
        self._mask = torch.empty(0, 0, dtype=torch.int64, device=model.device)  # [rows, slots]: 1 where a token is

    @property
    def rows(self) -> int:
        return int(self._mask.shape[0])

    @torch.inference_mode()
    def add(self, prompts: Sequence[Sequence[int]], into: Sequence[int] = ()) -> Tensor:
        assert not self.rows, "the library's cache takes no rows while others are under way"
        ids, self._mask = left_pad(prompts, self._model.device)
        self._cache = DynamicCache(config=self._model.config)
        return self._forward(ids, (self._mask.cumsum(1) - 1).clamp_min(0))

    @torch.inference_mode()
    def step(self, tokens: Tensor) -> Tensor:
        self._mask = torch.cat([self._mask, self._mask.new_ones(self.rows, 1)], dim=1)
        return self._forward(tokens[:, None], self._mask.sum(1, keepdim=True) - 1)

    @torch.inference_mode()
    def keep(self, rows: Sequence[int]) -> None:
        chosen = torch.tensor(rows, dtype=torch.int64, device=self._model.device)
        self._mask = self._mask[chosen]
        self._cache.batch_select_indices(chosen)

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
