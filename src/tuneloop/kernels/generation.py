"""What generation does between the matrix products, forward only, beside the kernels that it shares with training.

Letters: s tokens of a chunk, T cells of the cache that are seen, H query heads, K key-value heads, G = H / K, D head
size, F width of the feed-forward part.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from tuneloop.kernels.chosen import kernels_for


def gated(gate_up: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """activation(gate) · up for [N, 2F], gate first (arXiv 2002.05202)."""
    if activation is F.silu:
        return kernels_for(gate_up).swiglu(gate_up)
    gate, up = gate_up.chunk(2, dim=-1)
    return activation(gate).mul_(up)


def attend_chunk(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """Attention of several tokens of one row over the row's cells.

    Args:
        query: [s, H, D].
        keys: [T, K, D], a view into the cache; the chunk's own tokens are the last s.
        values: [T, K, D].
        bias: [s, T], minus infinity where a token must not look; None: causal, and T = s.
        scale: factor of the scores.

    Returns:
        [s, H·D].
    """
    tokens, kv_heads, size = query.shape[0], keys.shape[1], query.shape[2]
    grouped = query.view(tokens, kv_heads, -1, size).permute(2, 1, 0, 3)  # [G, K, s, D]
    group = grouped.shape[0]
    seen = F.scaled_dot_product_attention(
        grouped,
        keys.transpose(0, 1).expand(group, -1, -1, -1),  # [G, K, T, D], nothing is copied
        values.transpose(0, 1).expand(group, -1, -1, -1),
        attn_mask=bias,
        is_causal=bias is None,
        scale=scale,
    )
    return seen.permute(2, 1, 0, 3).reshape(tokens, -1)
