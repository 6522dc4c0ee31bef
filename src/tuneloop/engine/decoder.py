"""The forward of all families that the engine writes out. One layer fits a screen, shapes stand beside the lines.

Against the library's forward it stacks q, k, v and gate, up into one product each, keeps weights in oneDNN's layout,
builds masks once for all layers and calls no hooks. Its greedy ids in float32 are transformers'.

Letters: N tokens, E hidden, H query heads, K key-value heads, D head size, F width of the feed-forward part.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from tuneloop.engine.cache import SlotCache
from tuneloop.engine.linear import Linear
from tuneloop.engine.plan import Plan
from tuneloop.engine.weights import Layer, Weights
from tuneloop.kernels.chosen import kernels_for
from tuneloop.kernels.generation import attend_chunk, gated

HEAD_ROWS = 256
"""Tokens whose logits are made at once: 50 MB in float32 for a vocabulary of 49,152."""


class Updates(Protocol):
    """What adapters add to the products of one forward."""

    def add(self, layer: int, part: str, x: Tensor, y: Tensor) -> Tensor:
        """Return y [N, out] with the adapters' share for the inputs x [N, in]; y may be written over."""


class Decoder:
    """Runs plans over a model's weights."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.windows: tuple[int | None, ...] = tuple({layer.window for layer in weights.layers})
        self._angles: dict[str, tuple[Tensor, Tensor]] = {}
        self._reach = 0

    def make_cache(self) -> SlotCache:
        """An empty cache for this model."""
        w = self.weights
        return SlotCache(len(w.layers), w.key_value_heads, w.head_size, w.dtype, w.device)

    @torch.inference_mode()
    def forward(self, plan: Plan, cache: SlotCache, updates: Updates | None = None) -> Tensor:
        """Read all tokens of a plan; returns the normed hidden states of the wanted ones, [wanted, E]."""
        x = self.weights.embedding(plan.tokens)  # [N, E]
        angles = self._angles_at(plan)
        for index, layer in enumerate(self.weights.layers):
            qkv = _product(layer.qkv, layer.attention_norm(x), index, "qkv", updates)
            mixed = self._attend(layer, qkv, angles[layer.rotary], plan, cache, index)  # [N, H·D]
            mixed = _product(layer.output, mixed, index, "output", updates)
            x = x + (mixed if layer.after_attention is None else layer.after_attention(mixed))
            gate_up = _product(layer.gate_up, layer.mlp_norm(x), index, "gate_up", updates)  # [N, 2F]
            mixed = _product(layer.down, gated(gate_up, self.weights.activation), index, "down", updates)
            x = x + (mixed if layer.after_mlp is None else layer.after_mlp(mixed))
        return self.weights.norm(x if len(plan.wanted) == len(x) else x[plan.wanted])

    @torch.inference_mode()
    def logits(self, hidden: Tensor) -> Tensor:
        """[n, E] → [n, vocabulary], in the compute type."""
        return self.weights.head(hidden)

    def _attend(
        self, layer: Layer, qkv: Tensor, angles: tuple[Tensor, Tensor], plan: Plan, cache: SlotCache, index: int
    ) -> Tensor:
        w, kernels = self.weights, kernels_for(qkv)
        qkv = qkv.view(-1, w.heads + 2 * w.key_value_heads, w.head_size)  # [N, H + 2K, D]
        q, k, v = torch.split(qkv, [w.heads, w.key_value_heads, w.key_value_heads], dim=1)
        if layer.q_norm is not None and layer.k_norm is not None:
            turned = kernels.rotate(torch.cat([layer.q_norm(q), layer.k_norm(k)], dim=1), *angles, 1.0)
        else:
            turned = kernels.rotate(qkv[:, : w.heads + w.key_value_heads], *angles, 1.0)
        q = turned[:, : w.heads]
        keys, values = cache.layers[index]  # [S, C, K, D]
        keys.view(-1, w.key_value_heads, w.head_size).index_copy_(0, plan.cells, turned[:, w.heads :])
        values.view(-1, w.key_value_heads, w.head_size).index_copy_(0, plan.cells, v)
        seen = []
        for span in plan.spans[layer.window]:
            rows, cells = slice(span.first, span.last), slice(span.start, span.stop)
            seen.append(kernels.attend_rows(q[rows], keys[rows, cells], values[rows, cells], span.sees, w.scale))
        for piece in plan.pieces[layer.window]:
            tokens, k, v = (
                slice(piece.first, piece.last),
                keys[piece.slot, : piece.stop],
                values[piece.slot, : piece.stop],
            )
            seen.append(attend_chunk(q[tokens], k, v, piece.bias, w.scale))
        return seen[0] if len(seen) == 1 else torch.cat(seen)

    def _angles_at(self, plan: Plan) -> dict[str, tuple[Tensor, Tensor]]:
        """Cosines and sines of the rotary angles at the tokens' positions, for each table: two [N, 1, D/2]."""
        if plan.reach > self._reach:
            w = self.weights
            self._reach = max(256, 2 * plan.reach)
            every = torch.arange(self._reach, device=w.device)[None]
            like = torch.empty(0, device=w.device, dtype=w.dtype)
            for name in {layer.rotary for layer in w.layers}:
                cosines, sines = w.rotary(like, every, *([name] if name else []))
                half = slice(0, w.head_size // 2)  # the second half repeats the first
                self._angles[name] = cosines[0, :, None, half].contiguous(), sines[0, :, None, half].contiguous()
        return {name: (cos[plan.positions], sin[plan.positions]) for name, (cos, sin) in self._angles.items()}


def _product(linear: Linear, x: Tensor, layer: int, part: str, updates: Updates | None) -> Tensor:
    y = linear(x)
    return y if updates is None else updates.add(layer, part, x, y)
