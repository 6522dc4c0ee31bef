"""y = x Wᵀ + s · (x Aᵀ) Bᵀ with W frozen: one node of the graph instead of seven, and no copy of x for the base product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class _LoraLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scaling: float
    ) -> Tensor:
        a_low, b_low = a.to(x.dtype), b.to(x.dtype)  # the float32 masters, in compute type
        hidden = x @ a_low.T  # [T, r]
        ctx.save_for_backward(x, weight, a_low, b_low, hidden)
        ctx.scaling, ctx.needs_input = scaling, ctx.needs_input_grad[0]
        return F.linear(x, weight, bias).addmm_(hidden, b_low.T, alpha=scaling)  # [T, out]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, a, b, hidden = ctx.saved_tensors
        grad_hidden = (grad @ b).mul_(ctx.scaling)  # [T, r]
        grad_a = (grad_hidden.T @ x).float()  # [r, in]
        grad_b = (grad.T @ hidden).float().mul_(ctx.scaling)  # [out, r]
        grad_x = (grad @ weight).addmm_(grad_hidden, a) if ctx.needs_input else None  # [T, in]
        return grad_x, None, None, grad_a, grad_b, None


def lora_linear(x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scaling: float) -> Tensor:
    """A linear layer with a LoRA update (arXiv 2106.09685, equation 3).

    Args:
        x: [T, in], compute type.
        weight: [out, in], compute type, frozen.
        bias: [out] or None, frozen.
        a: [r, in], float32 master.
        b: [out, r], float32 master.
        scaling: alpha / r (or alpha / sqrt(r)).

    Returns:
        [T, out], compute type.
    """
    return _LoraLinear.apply(x, weight, bias, a, b, scaling)  # type: ignore[no-untyped-call, no-any-return]
