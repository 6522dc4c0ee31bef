"""PiSSA (arXiv 2404.02948): LoRA that begins with the largest singular values of W, and leaves as a plain LoRA.

W = R + s·B0·A0, where B0·A0 holds the r largest singular values. Training freezes R and moves A and B from A0 and B0. The
folder holds what that adds to W itself: s·(B·A - B0·A0) = s·[B, -B0]·[A; A0], a LoRA of rank 2r that loads on the
unchanged base. While it trains, the adapted weights stand in memory twice.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from peft import PeftConfig, PeftModel, get_peft_model_state_dict
from peft.tuners.lora import Linear as LoraLinear
from torch import Tensor, nn
from transformers import PreTrainedModel

from tuneloop.adapters.lora import Settings, pissa_layers


@dataclass(frozen=True, slots=True)
class Start:
    """Where a layer began."""

    weight: Tensor
    """W, [out, in]."""
    a: Tensor
    """A0, [r, in]."""
    b: Tensor
    """B0, [out, r]."""


def attach_pissa(model: PreTrainedModel, settings: Settings, seed: int) -> PeftModel:
    """Move the largest singular values of the adapted weights into LoRA layers; up to rounding, nothing changes.

    Raises:
        RecipeError: the model has no layers of these names (code `adapters.no_target`).
    """
    weights = {m: m.weight.data for m in model.modules() if isinstance(m, nn.Linear)}  # peft sets others in their place
    attached = pissa_layers(model, settings, seed)
    for layer in _layers(attached):
        a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
        layer.start = Start(weights[layer.get_base_layer()], a.detach().clone(), b.detach().clone())
    return attached


def export_pissa(model: PeftModel) -> tuple[PeftConfig, dict[str, Tensor]]:
    """The same update as a LoRA of twice the rank on the unchanged weights: peft's settings and tensors."""
    settings: Any = copy.deepcopy(model.peft_config["default"])
    settings.r, settings.lora_alpha, settings.init_lora_weights = 2 * settings.r, 2 * settings.lora_alpha, True
    tensors = get_peft_model_state_dict(model, save_embedding_layers=False)
    for name, layer in model.named_modules():
        if isinstance(layer, LoraLinear):
            a, b = f"{name}.lora_A.weight", f"{name}.lora_B.weight"
            tensors[a] = torch.cat([tensors[a], layer.start.a])  # [2r, in]
            tensors[b] = torch.cat([tensors[b], -layer.start.b], dim=1)  # [out, 2r]
    return settings, tensors


def detach_pissa(model: PeftModel) -> None:
    """Give the base model back, bit for bit as it was."""
    for layer in _layers(model):
        layer.get_base_layer().weight.data = layer.start.weight
    model.unload()


def _layers(model: PeftModel) -> Iterator[Any]:
    return (module for module in model.modules() if isinstance(module, LoraLinear))
