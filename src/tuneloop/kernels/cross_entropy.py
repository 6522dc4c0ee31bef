"""Head and loss at supervised positions only, gradient in closed form, chunked: no [tokens, vocabulary] tensor is kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tuneloop.kernels.chosen import kernels_for
from tuneloop.kernels.frozen import FrozenMatrix

CHUNK_LOGITS = 256 * 49_152
"""Logits that exist at one time (25 MB in bfloat16): 256 positions for SmolLM's vocabulary, 48 for Gemma's."""


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, head: FrozenMatrix, targets: Tensor, softcap: float) -> Tensor:
        rows = max(16, CHUNK_LOGITS // head.out)
        total = hidden.new_zeros((), dtype=torch.float32)
        grad = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(targets), rows):
            logits = head.forward(hidden[start : start + rows])  # [c, V]
            loss = kernels_for(logits).cross_entropy(logits, targets[start : start + rows], softcap, grad is not None)
            total += loss.sum()
            if grad is not None:
                grad[start : start + rows] = head.backward(logits)
        if grad is not None:
            ctx.save_for_backward(grad)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_total: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = ctx.saved_tensors
        return grad * grad_total.to(grad.dtype), None, None, None


def linear_cross_entropy(hidden: Tensor, head: FrozenMatrix, targets: Tensor, softcap: float | None = None) -> Tensor:
    """Sum of −log softmax(hidden Wᵀ)[target], with W frozen.

    Args:
        hidden: [N, d], the final hidden states at the positions that predict a supervised token.
        head: W [V, d].
        targets: int64 [N].
        softcap: logits are bounded to ±softcap by tanh (Gemma 2), when given.

    Returns:
        float32 scalar, the sum over the N positions (nats).
    """
    return _LinearCrossEntropy.apply(hidden, head, targets, softcap or 0.0)  # type: ignore[no-untyped-call, no-any-return]
