"""A model's frozen weights as the decoder reads them, and how they are read out of transformers' modules.

Letters: N tokens, E hidden, H query heads, K key-value heads, D head size, F width of the feed-forward part.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from tuneloop.engine.linear import Linear, pack_linear
from tuneloop.kernels.chosen import kernels_for

PARTS: dict[str, tuple[str, ...]] = {
    "qkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "output": ("self_attn.o_proj",),
    "gate_up": ("mlp.gate_proj", "mlp.up_proj"),
    "down": ("mlp.down_proj",),
}
"""A layer's matrix products, and the modules whose outputs each one holds side by side."""

Deltas = Callable[[str], Tensor | None]
"""From a module's path to what is added to its weight before it is used, float32 [out, in]: a merged adapter."""


@dataclass(frozen=True, slots=True)
class Norm:
    """RMSNorm: x / rms(x) · weight (arXiv 1910.07467)."""

    weight: Tensor
    epsilon: float

    def __call__(self, x: Tensor) -> Tensor:
        return kernels_for(x).rms_norm(x, self.weight, self.epsilon)[0]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer. What a family lacks is None."""

    attention_norm: Norm
    qkv: Linear
    """[N, E] → [N, (H + 2K) D]."""
    output: Linear
    """[N, H·D] → [N, E]."""
    mlp_norm: Norm
    gate_up: Linear
    """[N, E] → [N, 2F]."""
    down: Linear
    """[N, F] → [N, E]."""
    q_norm: Norm | None = None
    k_norm: Norm | None = None
    after_attention: Norm | None = None
    after_mlp: Norm | None = None
    window: int | None = None
    """How many tokens back this layer sees, itself included; None: all."""
    rotary: str = ""
    """Which table of angles it uses."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A whole model."""

    layers: tuple[Layer, ...]
    embedding: Callable[[Tensor], Tensor]
    """int64 [N] → [N, E]."""
    norm: Norm
    head: Linear
    """[N, E] → [N, vocabulary]."""
    activation: Callable[[Tensor], Tensor]
    heads: int
    key_value_heads: int
    head_size: int
    scale: float
    rotary: Callable[..., tuple[Tensor, Tensor]]
    """transformers' own module: cosines and sines of positions."""
    shapes: tuple[Mapping[str, tuple[int, int]], ...]
    """Of each layer's adaptable modules: (out, in) by name within the layer, for checking adapters."""
    context: int
    """How many tokens it reads at most, prompt and answer together."""
    dtype: torch.dtype
    device: torch.device


class Reader:
    """Reads modules of a transformers model by path, adding an adapter's deltas in float32 where there are any."""

    def __init__(self, model: PreTrainedModel, deltas: Deltas | None = None) -> None:
        self._model = model
        self._deltas = deltas

    def part(self, layer: int, part: str) -> Linear:
        """One of `PARTS` of a layer."""
        return self.linear([f"model.layers.{layer}.{name}" for name in PARTS[part]])

    def linear(self, paths: Sequence[str]) -> Linear:
        """Modules that read the same input, as one product."""
        modules = [self._model.get_submodule(path) for path in paths]
        return pack_linear([self._weight(path) for path in paths], [module.bias for module in modules])

    def _weight(self, path: str) -> Tensor:
        weight: Tensor = self._model.get_submodule(path).weight
        delta = None if self._deltas is None else self._deltas(path)
        # In bf16 a small update would be rounded away: the sum is made in float32, then cast once.
        return weight if delta is None else (weight.float() + delta.to(weight.device)).to(weight.dtype)


def assemble(
    model: PreTrainedModel,
    reader: Reader,
    layers: Sequence[Layer],
    norm: Norm,
    activation: Callable[[Tensor], Tensor],
) -> Weights:
    """Put a family's layers together with what all families share."""
    config, body = model.config, model.model
    attention = body.layers[0].self_attn
    names = [name for part in PARTS.values() for name in part]
    return Weights(
        layers=tuple(layers),
        embedding=model.get_input_embeddings(),
        norm=norm,
        head=reader.linear(["lm_head"]),
        activation=activation,
        heads=config.num_attention_heads,
        key_value_heads=config.num_key_value_heads,
        head_size=attention.head_dim,
        scale=attention.scaling,
        rotary=body.rotary_emb,
        shapes=tuple({name: tuple(layer.get_submodule(name).weight.shape) for name in names} for layer in body.layers),
        context=context_of(model),
        dtype=model.dtype,
        device=model.device,
    )


def context_of(model: Any) -> int:
    """How many tokens a model reads at most."""
    return int(getattr(model.config, "max_position_embeddings", None) or sys.maxsize)
