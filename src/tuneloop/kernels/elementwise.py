"""RMSNorm, SwiGLU and rotary positions as nodes of the graph that keep their inputs only and recompute what is cheap."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tuneloop.kernels.chosen import kernels_for


class _RMSNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float) -> Tensor:
        y, scale = kernels_for(x).rms_norm(x, weight, eps)
        ctx.save_for_backward(x, weight, scale)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        x, weight, scale = ctx.saved_tensors
        return kernels_for(x).rms_norm_backward(grad, x, weight, scale), None, None


def rms_norm(x: Tensor, weight: Tensor, eps: float) -> Tensor:
    """weight · x / sqrt(mean(x²) + eps) over the last axis (arXiv 1910.07467); `weight` is frozen."""
    return _RMSNorm.apply(x, weight, eps)  # type: ignore[no-untyped-call, no-any-return]


class _SwiGLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate_up: Tensor) -> Tensor:
        ctx.save_for_backward(gate_up)
        return kernels_for(gate_up).swiglu(gate_up)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (gate_up,) = ctx.saved_tensors
        return kernels_for(grad).swiglu_backward(grad, gate_up)


def swiglu(gate_up: Tensor) -> Tensor:
    """silu(gate) · up (arXiv 2002.05202) of [..., 2·I], gate left of up; keeps its input only."""
    return _SwiGLU.apply(gate_up)  # type: ignore[no-untyped-call, no-any-return]


class _Rotary(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        ctx.save_for_backward(cos, sin)
        return kernels_for(x).rotate(x, cos, sin, 1.0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        cos, sin = ctx.saved_tensors
        return kernels_for(grad).rotate(grad, cos, sin, -1.0), None, None  # a rotation's transpose turns back


def rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn each pair (x_i, x_{i+D/2}) by its position's angle (RoPE, arXiv 2104.09864).

    Args:
        x: [T, H, D].
        cos: [T, 1, D/2].
        sin: [T, 1, D/2].

    Returns:
        [T, H, D].
    """
    return _Rotary.apply(x, cos, sin)  # type: ignore[no-untyped-call, no-any-return]
