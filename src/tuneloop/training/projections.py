"""Linear layers that read the same input, as one: base weights together, LoRA updates together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn

from tuneloop.kernels.frozen import freeze
from tuneloop.kernels.lora import Update, lora_linear

Projection = Callable[[Tensor], Tensor]
"""[T, in] → [T, sum of out]."""


def join(layers: Sequence[nn.Module], *, reorder: bool) -> Projection:
    """Make one function of one or more linear layers that read the same input.

    Args:
        layers: linear layers, with or without a LoRA.
        reorder: keep reordered copies of the base weights.

    Returns:
        The outputs side by side. Layers whose LoRA has dropout, a bias or DoRA are called one by one.
    """
    if not all(is_plain(layer) for layer in layers):
        return lambda x: torch.cat([layer(x) for layer in layers], dim=-1) if len(layers) > 1 else layers[0](x)
    bases = [_base(layer) for layer in layers]
    frozen = freeze([base.weight.detach() for base in bases], [base.bias for base in bases], reorder=reorder)
    updates, start = [], 0
    for layer, base in zip(layers, bases, strict=True):
        if isinstance(layer, LoraLinear):
            a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
            updates.append(Update(a, b, layer.scaling["default"], start))
        start += len(base.weight)
    return lambda x: lora_linear(x, frozen, updates)


def is_plain(layer: nn.Module) -> bool:
    """A linear layer that is frozen, or adapted by y = x Wᵀ + s (x Aᵀ) Bᵀ and nothing else."""
    if not isinstance(layer, LoraLinear):
        return type(layer) is nn.Linear and not layer.weight.requires_grad
    return (
        type(layer.get_base_layer()) is nn.Linear
        and list(layer.active_adapters) == ["default"]
        and not layer.merged
        and not layer.use_dora["default"]
        and isinstance(layer.lora_dropout["default"], nn.Identity)
        and not layer.lora_bias["default"]
    )


def _base(layer: nn.Module) -> Any:
    return layer.get_base_layer() if isinstance(layer, LoraLinear) else layer
