"""Gemma 3 (arXiv 2503.19786): a norm before and after each half of a layer, norms over the heads of q and k, and layers
that see a window of tokens in between those that see all, each kind with its own rotary angles.

    x [N, E] ─ norm ─ q, k, v ─ norms of q and k ─ rotary ─ attention ─ output ─ norm ─ + x
             ─ norm ─ gate, up ─ gelu(gate) · up ─ down ─ norm ─ + x
"""

from __future__ import annotations

from functools import partial
from typing import Any

from torch.nn import functional as F
from transformers import PreTrainedModel

from tuneloop.engine.weights import Layer, Norm, Reader, Weights, assemble


def read(model: PreTrainedModel, reader: Reader) -> Weights:
    """Read the weights of a Gemma 3 text model."""
    body = model.model
    layers = [_layer(reader, index, module) for index, module in enumerate(body.layers)]
    return assemble(model, reader, layers, _norm(body.norm), partial(F.gelu, approximate="tanh"))


def _layer(reader: Reader, index: int, module: Any) -> Layer:
    attention = module.self_attn
    return Layer(
        attention_norm=_norm(module.input_layernorm),
        qkv=reader.part(index, "qkv"),
        output=reader.part(index, "output"),
        mlp_norm=_norm(module.pre_feedforward_layernorm),
        gate_up=reader.part(index, "gate_up"),
        down=reader.part(index, "down"),
        q_norm=_norm(attention.q_norm),
        k_norm=_norm(attention.k_norm),
        after_attention=_norm(module.post_attention_layernorm),
        after_mlp=_norm(module.post_feedforward_layernorm),
        window=attention.sliding_window,
        rotary=attention.layer_type,
    )


def _norm(module: Any) -> Norm:
    """Gemma stores the difference from one."""
    return Norm((1.0 + module.weight.float()).to(module.weight.dtype), module.eps)
