"""Qwen 2, 2.5 (arXiv 2407.10671) and 3 (arXiv 2505.09388): Llama with biases on q, k, v (2), or with a norm over each
head of q and k before the rotation (3). A layer may see a window of tokens only.
"""

from __future__ import annotations

from typing import Any

from torch.nn import functional as F
from transformers import PreTrainedModel

from tuneloop.engine.families.llama import read_norm
from tuneloop.engine.weights import Layer, Reader, Weights, assemble


def read(model: PreTrainedModel, reader: Reader) -> Weights:
    """Read the weights of a Qwen model."""
    body = model.model
    layers = [_layer(reader, index, module) for index, module in enumerate(body.layers)]
    return assemble(model, reader, layers, read_norm(body.norm), F.silu)


def _layer(reader: Reader, index: int, module: Any) -> Layer:
    attention = module.self_attn
    normed = hasattr(attention, "q_norm")  # Qwen 3: weight [D], over the last axis of [N, heads, D]
    return Layer(
        attention_norm=read_norm(module.input_layernorm),
        qkv=reader.part(index, "qkv"),
        output=reader.part(index, "output"),
        mlp_norm=read_norm(module.post_attention_layernorm),
        gate_up=reader.part(index, "gate_up"),
        down=reader.part(index, "down"),
        q_norm=read_norm(attention.q_norm) if normed else None,
        k_norm=read_norm(attention.k_norm) if normed else None,
        window=getattr(attention, "sliding_window", None),
    )
