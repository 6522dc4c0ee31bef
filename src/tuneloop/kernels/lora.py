"""y = x Wᵀ + s · (x Aᵀ) Bᵀ with W frozen, for one linear layer or for several that read the same x.

One node of the graph instead of seven a layer. The A of all layers stand one below another, the B on a block diagonal:
two thin products do for three projections, and no slice of y is ever touched alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tuneloop.kernels.frozen import FrozenMatrix


@dataclass(frozen=True, slots=True)
class Update:
    """The LoRA update of one of the stacked layers."""

    a: Tensor
    """[r, in], float32 master."""
    b: Tensor
    """[out, r], float32 master."""
    scaling: float
    """alpha / r, or alpha / sqrt(r)."""
    start: int
    """First of its columns in the stacked output."""


class _LoraLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, frozen: FrozenMatrix, updates: Sequence[Update], *masters: Tensor) -> Tensor:
        y = frozen.forward(x)  # [T, out]
        a = torch.cat([update.a for update in updates]).to(x.dtype)  # [R, in], R the sum of the ranks
        b = _block_diagonal(updates, y.shape[1], x.dtype)  # [out, R]
        hidden = x @ a.T  # [T, R]
        ctx.save_for_backward(x, a, b, hidden)
        ctx.frozen, ctx.updates = frozen, updates
        return y.addmm_(hidden, b.T)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, a, b, hidden = ctx.saved_tensors
        grad_hidden = grad @ b  # [T, R]
        grad_a = (grad_hidden.T @ x).float()  # [R, in]
        grad_b = (grad.T @ hidden).float()  # [out, R]; only the blocks on the diagonal are wanted
        grad_x = ctx.frozen.backward(grad).addmm_(grad_hidden, a) if ctx.needs_input_grad[0] else None  # [T, in]
        masters: list[Tensor] = []
        column = 0
        for update in ctx.updates:
            rows, columns = slice(update.start, update.start + len(update.b)), slice(column, column + len(update.a))
            masters += [grad_a[columns], grad_b[rows, columns] * update.scaling]
            column += len(update.a)
        return grad_x, None, None, *masters


class _FrozenLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, frozen: FrozenMatrix) -> Tensor:
        ctx.frozen = frozen
        return frozen.forward(x)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return ctx.frozen.backward(grad), None


def lora_linear(x: Tensor, frozen: FrozenMatrix, updates: Sequence[Update]) -> Tensor:
    """Linear layers side by side, each with or without a LoRA update (arXiv 2106.09685, equation 3).

    Args:
        x: [T, in], compute type.
        frozen: W [out, in] of all layers, one below another, compute type.
        updates: of those layers that have one, in their order.

    Returns:
        [T, out], compute type.
    """
    if not updates:
        return _FrozenLinear.apply(x, frozen)  # type: ignore[no-untyped-call, no-any-return]
    masters = [tensor for update in updates for tensor in (update.a, update.b)]
    return _LoraLinear.apply(x, frozen, tuple(updates), *masters)  # type: ignore[no-untyped-call, no-any-return]


def _block_diagonal(updates: Sequence[Update], out: int, dtype: torch.dtype) -> Tensor:
    """[out, R]: s · B of each layer at its rows and its columns, zero elsewhere."""
    blocks = updates[0].b.new_zeros(out, sum(len(update.a) for update in updates))
    column = 0
    for update in updates:
        rank = len(update.a)
        torch.mul(
            update.b, update.scaling, out=blocks[update.start : update.start + len(update.b), column : column + rank]
        )
        column += rank
    return blocks.to(dtype)
