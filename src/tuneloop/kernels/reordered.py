"""Weights in oneDNN's own layout, reordered once for the CPU's matrix instructions.

torch reorders a bfloat16 weight anew for every product, and its own `linear` reaches a third of the memory's speed on
small matrices. The calls are private to torch: where they are missing or refuse, callers take ordinary products.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor


def can_reorder(weight: Tensor) -> bool:
    """Whether oneDNN takes such a weight: bfloat16 on a CPU, by a processor and a build of torch that can."""
    return weight.device.type == "cpu" and weight.dtype == torch.bfloat16 and _works_here()


def reordered_linear(weight: Tensor, bias: Tensor | None, rows: int | None = None) -> Callable[[Tensor], Tensor]:
    """A linear layer that keeps a reordered copy of its weight.

    Args:
        weight: [out, in], one that `can_reorder` takes.
        bias: [out] or None.
        rows: of the inputs that the layout should suit; others work as well.

    Returns:
        A function from [N, in] to [N, out].
    """
    packed = torch.ops.mkldnn._reorder_linear_weight(weight, rows)
    multiply = torch.ops.mkldnn._linear_pointwise
    return lambda x: multiply(x, packed, bias, "none", [], "")


@cache
def _works_here() -> bool:
    """Tried once a process, on a matrix of no importance."""
    x, weight = torch.zeros(1, 16, dtype=torch.bfloat16), torch.zeros(16, 16, dtype=torch.bfloat16)
    try:
        reordered_linear(weight, None)(x)
    except (RuntimeError, AttributeError):  # AttributeError: this build of torch does not have the call
        return False
    return True
