"""Llama (arXiv 2302.13971; Llama 2 and 3, SmolLM2, TinyLlama, …): the plain form that the other families vary.

x [N, E] ─ norm ─ q, k, v [N, (H + 2K) D] ─ rotary ─ attention ─ output [N, E] ─ + x
         ─ norm ─ gate, up [N, 2F] ─ silu(gate) · up ─ down [N, E] ─ + x
"""

from __future__ import annotations

from typing import Any

from torch.nn import functional as F
from transformers import PreTrainedModel

from tuneloop.engine.weights import Layer, Norm, Reader, Weights, assemble


def read(model: PreTrainedModel, reader: Reader) -> Weights:
    """Read the weights of a Llama model."""
    body = model.model
    layers = [_layer(reader, index, module) for index, module in enumerate(body.layers)]
    return assemble(model, reader, layers, read_norm(body.norm), F.silu)


def _layer(reader: Reader, index: int, module: Any) -> Layer:
    return Layer(
        attention_norm=read_norm(module.input_layernorm),
        qkv=reader.part(index, "qkv"),
        output=reader.part(index, "output"),
        mlp_norm=read_norm(module.post_attention_layernorm),
        gate_up=reader.part(index, "gate_up"),
        down=reader.part(index, "down"),
    )


def read_norm(module: Any) -> Norm:
    """The norm as Llama and Qwen store it."""
    return Norm(module.weight, module.variance_epsilon)
