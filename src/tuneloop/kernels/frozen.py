"""Products with frozen matrices, in both directions: weights reordered once for the CPU's matrix instructions.

Two copies in oneDNN's own layout, one for x Wᵀ and one for g W.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from tuneloop.kernels.reordered import can_reorder, reordered_linear

COPIES = 2
"""Reordered copies that are kept beside each weight."""
ROWS = 1024
"""Rows of x that the layout should suit; others work as well."""


@dataclass(frozen=True, slots=True)
class FrozenMatrix:
    """Frozen linear layers that read the same input; their outputs stand side by side."""

    forward: Callable[[Tensor], Tensor]
    """x [T, in] → x Wᵀ + bias [T, out]; a new tensor."""
    backward: Callable[[Tensor], Tensor]
    """Gradient of the output [T, out] → gradient of x, g W [T, in]; a new tensor."""
    out: int
    """Columns of the output."""


def freeze(weights: Sequence[Tensor], biases: Sequence[Tensor | None] = (), *, reorder: bool = False) -> FrozenMatrix:
    """Make the products of one frozen layer, or of several that read the same input.

    Args:
        weights: each [out_i, in].
        biases: each [out_i] or None.
        reorder: keep two reordered copies of the weights, where `can_reorder` says that this is possible.

    >>> frozen = freeze([torch.ones(2, 3), torch.zeros(1, 3)])
    >>> frozen.forward(torch.ones(1, 3)).tolist(), frozen.backward(torch.ones(1, 3)).tolist()
    ([[3.0, 3.0, 0.0]], [[2.0, 2.0, 2.0]])
    """
    biases = biases or [None] * len(weights)
    out = sum(len(weight) for weight in weights)
    if reorder and can_reorder(weights[0]):
        weight = torch.cat(list(weights))
        given = [b if b is not None else w.new_zeros(len(w)) for w, b in zip(weights, biases, strict=True)]
        bias = torch.cat(given) if any(b is not None for b in biases) else None
        back = reordered_linear(weight.T.contiguous(), None, ROWS)
        return FrozenMatrix(reordered_linear(weight, bias, ROWS), lambda grad: back(grad.contiguous()), out)
    sizes = [len(weight) for weight in weights]

    def forward(x: Tensor) -> Tensor:
        parts = [F.linear(x, weight, bias) for weight, bias in zip(weights, biases, strict=True)]
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)

    def backward(grad: Tensor) -> Tensor:
        grad_x, *rest = (
            torch.mm(part, weight) for part, weight in zip(torch.split(grad, sizes, dim=1), weights, strict=True)
        )
        for other in rest:
            grad_x += other
        return grad_x

    return FrozenMatrix(forward, backward, out)
