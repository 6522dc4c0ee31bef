"""A linear layer whose weights were reordered once for the CPU's matrix instructions.

torch's own `linear` reaches a third of the memory's speed on small matrices; oneDNN's layout reaches most of it. The
calls are private to torch: where they are missing or refuse, the layer is an ordinary one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    if (
        weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    ):
        try:
            packed = torch.ops.mkldnn._reorder_linear_weight(weight)
            multiply = torch.ops.mkldnn._linear_pointwise
            multiply(weight.new_zeros(1, weight.shape[1]), packed, bias, "none", [], "")
        except RuntimeError:  # this processor or this build of torch has no such layout
            return lambda x: F.linear(x, weight, bias)
        return lambda x: multiply(x, packed, bias, "none", [], "")
    return lambda x: F.linear(x, weight, bias)
