"""The validation loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from peft import PeftModel

from tuneloop.core.failpoints import failpoint
from tuneloop.training.batches import collate, pack
from tuneloop.training.fast_path import supervised_loss
from tuneloop.training.tokenise import Example

VALIDATION_TOKENS = 4096
"""Tokens of one forward pass of an evaluation."""


@torch.no_grad()
def validation_loss(
    model: PeftModel,
    examples: Sequence[Example],
    max_tokens: int = VALIDATION_TOKENS,
    check_signals: Callable[[], None] = lambda: None,
) -> float:
    """Mean loss of the supervised tokens (nats), in evaluation mode."""
    device = next(model.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    model.eval()
    try:
        total = 0.0
        for indices in pack(order, [len(e.ids) for e in examples], max_tokens=max_tokens):
            check_signals()
            failpoint("evaluate.forward")
            total += float(supervised_loss(model, collate([examples[i] for i in indices], device)))
    finally:
        model.train()
    return total / max(1, sum(e.targets for e in examples))
