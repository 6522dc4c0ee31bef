"""The insides of Llama-shaped layers (Llama, SmolLM, Mistral, Qwen2, Qwen3), cheaper and exact.

A layer is x + attention(norm(x)), then x + SwiGLU(norm(x)), with half-split rotary positions. T tokens of all samples of
a batch lie one behind another; d is the hidden size, I the feed-forward size, H and K the heads, D their size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from tuneloop.kernels.attention import Heads, Segments, packed_attention, rotary_attention
from tuneloop.kernels.elementwise import rms_norm, rotary, swiglu
from tuneloop.training.projections import join
from tuneloop.training.prompted import Prefix

MODEL_TYPES = ("llama", "mistral", "qwen2", "qwen3")
"""`model_type` of the architectures."""

Forward = Callable[..., Any]


def norm_forward(norm: Any, *, reorder: bool) -> Forward:
    """[..., d] → [..., d]."""
    return lambda x: rms_norm(x, norm.weight, norm.variance_epsilon)


def mlp_forward(mlp: Any, *, reorder: bool) -> Forward:
    """[1, T, d] → [1, T, d]."""
    gate_up, down = join([mlp.gate_proj, mlp.up_proj], reorder=reorder), join([mlp.down_proj], reorder=reorder)

    def forward(x: Tensor) -> Tensor:
        inner = swiglu(gate_up(x[0]))  # [T, 2 I] → [T, I]
        return down(inner)[None]

    return forward


def attention_forward(attention: Any, *, reorder: bool) -> Forward:
    """[1, T, d] → [1, T, d]."""
    layers = [attention.q_proj, attention.k_proj, attention.v_proj]
    joined, output = join(layers, reorder=reorder), join([attention.o_proj], reorder=reorder)
    size, scale, window = attention.head_dim, attention.scaling, getattr(attention, "sliding_window", None)
    key_value = layers[1].out_features // size
    heads = Heads(layers[0].out_features // size, key_value, size)

    def forward(
        hidden_states: Tensor,
        position_embeddings: tuple[Tensor, Tensor],
        segments: Segments,
        prefix: Prefix | None = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        qkv = joined(hidden_states[0])  # [T, (H + 2 K) D]
        cos, sin = (table[0, :, None, : size // 2] for table in position_embeddings)  # [T, 1, D/2]
        has_norms = hasattr(attention, "q_norm")  # Qwen3 normalises each head before it is turned
        if has_norms or prefix is not None:
            query, key, value = heads.split(qkv)
            query = rotary(attention.q_norm(query) if has_norms else query, cos, sin)
            key = rotary(attention.k_norm(key) if has_norms else key, cos, sin)
            if prefix is not None:
                key, value = prefix.put(attention.layer_idx, key, value)
            mixed = packed_attention(query, key, value, segments, scale, window)  # [T, H, D]
        else:
            mixed = rotary_attention(qkv, cos, sin, heads, segments, scale, window)  # [T, H, D]
        return output(mixed.flatten(1))[None], None

    return forward


FORWARDS: dict[str, Callable[..., Forward]] = {
    "RMSNorm": norm_forward,
    "MLP": mlp_forward,
    "Attention": attention_forward,
}
"""End of a module's class name, and what makes its forward."""


def forward_of(module: nn.Module, *, reorder: bool) -> Forward | None:
    """Our forward of a module, None for one that keeps its own."""
    for suffix, make in FORWARDS.items():
        if type(module).__name__.endswith(suffix):
            return make(module, reorder=reorder)
    return None
