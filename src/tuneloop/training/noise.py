"""NEFTune (arXiv 2310.05914): uniform noise on the embeddings in training, so that answers are learned less by heart."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor


@contextmanager
def noisy_embeddings(model: PeftModel, alpha: float) -> Iterator[None]:
    """Within the block and in training mode, every embedding gets noise in ±alpha / sqrt(L·d) (section 2 of the paper).

    L is the length of each sample, as if it stood alone: packing does not make the noise smaller. With alpha 0 nothing is
    changed.

    Args:
        model: its decoder is called with `position_ids` [1, T] that start from 0 in every sample.
        alpha: 5 to 15 in the paper.
    """
    if not alpha:
        yield
        return
    base = model.get_base_model()
    positions: list[Tensor] = []

    def remember(module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        positions[:] = [kwargs["position_ids"][0]]

    def add(module: Any, args: Any, embedded: Tensor) -> Tensor:
        if not module.training:
            return embedded
        bound = alpha / (sample_lengths(positions[0]) * embedded.shape[-1]).sqrt()  # [T]
        return embedded + torch.empty_like(embedded).uniform_(-1, 1) * bound[:, None].to(embedded.dtype)

    hooks = [
        base.get_decoder().register_forward_pre_hook(remember, with_kwargs=True),
        base.get_input_embeddings().register_forward_hook(add),
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def sample_lengths(positions: Tensor) -> Tensor:
    """For every token, the length of the sample it belongs to.

    >>> sample_lengths(torch.tensor([0, 1, 2, 0, 1])).tolist()
    [3, 3, 3, 2, 2]
    """
    sample = (positions == 0).cumsum(0) - 1  # [T]
    return torch.bincount(sample)[sample]
