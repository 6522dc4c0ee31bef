"""Head and loss at supervised positions only, gradient in closed form, chunked: no [tokens, vocabulary] tensor is kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK_LOGITS = 128 * 49_152
"""Logits that exist at one time (25 MB in float32): 128 positions for SmolLM's vocabulary, 24 for Gemma's."""
TINY = 1e-30
"""Below this probability the logarithm of a float32 softmax is not exact enough; such rows take the slow way."""


class _LinearCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, softcap: float) -> Tensor:
        rows = min(len(targets), max(16, CHUNK_LOGITS // len(weight)))
        # One block for all chunks: blocks of this size, taken and freed again and again, tear the heap to pieces.
        logits = hidden.new_empty(rows, len(weight))  # [c, V]
        probability = torch.empty_like(logits, dtype=torch.float32)  # [c, V]
        total = hidden.new_zeros((), dtype=torch.float32)
        grad = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(targets), max(1, rows)):
            part, target = hidden[start : start + rows], targets[start : start + rows, None]
            z, p = logits[: len(part)], probability[: len(part)]
            torch.mm(part, weight.T, out=z)
            p.copy_(z)
            if softcap:
                p.div_(softcap).tanh_().mul_(softcap)
                z.copy_(p)
            torch.softmax(p, -1, out=p)
            at_target = p.gather(1, target)  # [c, 1]
            loss = -at_target.log()
            rare = (at_target < TINY).flatten()
            if rare.any():
                exact = z[rare].float()
                loss[rare] = exact.logsumexp(-1, keepdim=True) - exact.gather(1, target[rare])
            total += loss.sum()
            if grad is not None:
                p.scatter_(1, target, at_target - 1.0)  # d loss / d logits = softmax − one-hot
                if softcap:
                    p *= 1 - (z.float() / softcap).square()
                torch.mm(z.copy_(p), weight, out=grad[start : start + rows])
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
