"""Head and loss at supervised positions only, gradient in closed form, chunked: no [tokens, vocabulary] tensor is kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK = 128
"""Positions whose logits exist at one time: 25 MB in float32 for a vocabulary of 49,152."""
TINY = 1e-30
"""Below this probability the logarithm of a float32 softmax is not exact enough; such rows take the slow way."""


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, softcap: float) -> Tensor:
        total = hidden.new_zeros((), dtype=torch.float32)
        grad = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(targets), CHUNK):
            part, target = hidden[start : start + CHUNK], targets[start : start + CHUNK, None]
            logits = (part @ weight.T).float()  # [c, V]
            if softcap:
                logits = torch.tanh(logits / softcap) * softcap
            probability = logits.softmax(-1)
            at_target = probability.gather(1, target)  # [c, 1]
            loss = -at_target.log()
            rare = (at_target < TINY).flatten()
            if rare.any():
                loss[rare] = logits[rare].logsumexp(-1, keepdim=True) - logits[rare].gather(1, target[rare])
            total += loss.sum()
            if grad is not None:
                probability.scatter_(1, target, at_target - 1.0)  # d loss / d logits = softmax − one-hot
                if softcap:
                    probability *= 1 - (logits / softcap).square()
                grad[start : start + CHUNK] = probability.to(hidden.dtype) @ weight
        if grad is not None:
            ctx.save_for_backward(grad)
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_total: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = ctx.saved_tensors
        return grad * grad_total.to(grad.dtype), None, None, None


def linear_cross_entropy(hidden: Tensor, weight: Tensor, targets: Tensor, softcap: float | None = None) -> Tensor:
    """Sum of −log softmax(hidden Wᵀ)[target], with W frozen.

    Args:
        hidden: [N, d], the final hidden states at the positions that predict a supervised token.
        weight: [V, d], the frozen head.
        targets: int64 [N].
        softcap: logits are bounded to ±softcap by tanh (Gemma 2), when given.

    Returns:
        float32 scalar, the sum over the N positions (nats).
    """
    return _LinearCrossEntropy.apply(hidden, weight, targets, softcap or 0.0)  # type: ignore[no-untyped-call, no-any-return]
