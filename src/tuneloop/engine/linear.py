"""Linear layers that read the same input, as one layer with weights in the layout that suits the processor."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from tuneloop.kernels.reordered import can_reorder, reordered_linear

Linear = Callable[[Tensor], Tensor]
"""[N, in] → [N, out]."""


def pack_linear(weights: Sequence[Tensor], biases: Sequence[Tensor | None] = ()) -> Linear:
    """Make one layer out of several that read the same input; their outputs stand side by side.

    Args:
        weights: each [out_i, in].
        biases: each [out_i] or None; all or none of them.

    Returns:
        A function from [N, in] to [N, sum of out_i].
    """
    weight = weights[0] if len(weights) == 1 else torch.cat(list(weights))
    bias = torch.cat([b for b in biases if b is not None]) if any(b is not None for b in biases) else None
    if can_reorder(weight):
        return reordered_linear(weight, bias)
    return lambda x: F.linear(x, weight, bias)
