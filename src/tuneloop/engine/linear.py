"""A linear layer whose weights were reordered once for the CPU's matrix instructions.

torch's own `linear` reaches a third of the memory's speed on small matrices; oneDNN's layout reaches most of it. The
calls are private to torch: where they are missing or refuse, the layer is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

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
    packed = _reorder(weight)
    if packed is None:
        return lambda x: F.linear(x, weight, bias)
    multiply = torch.ops.mkldnn._linear_pointwise
    return lambda x: multiply(x, packed, bias, "none", [], "")


def _reorder(weight: Tensor) -> Tensor | None:
    """The weight in oneDNN's layout; None where this device, type, processor or build of torch has none."""
    if weight.device.type != "cpu" or weight.dtype != torch.bfloat16 or not can_reorder():
        return None
    packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
    return packed


@cache
def can_reorder() -> bool:
    """Whether the calls exist here and work: tried once a process, on a matrix of no importance."""
    x, weight = torch.zeros(1, 16, dtype=torch.bfloat16), torch.zeros(16, 16, dtype=torch.bfloat16)
    try:
        packed = torch.ops.mkldnn._reorder_linear_weight(weight)
        torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], "")
    except (RuntimeError, AttributeError):  # AttributeError: this build of torch does not have the call
        return False
    return True
