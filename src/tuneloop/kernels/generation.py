"""What generation does between the matrix products, forward only: the places where a compiled kernel can stand in.

Letters: B rows that read one token, s tokens of a chunk, T cells of the cache that are seen, S slots, C cells of a
slot, H query heads, K key-value heads, G = H / K, D head size, F width of the feed-forward part.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def turn(x: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotate each pair (x_i, x_{i + D/2}) by its position's angle (RoPE, arXiv 2104.09864).

    Args:
        x: [N, heads, D].
        cosines: [N, 1, D/2].
        sines: [N, 1, D/2].
    """
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosines - second * sines, second * cosines + first * sines], dim=-1)


def gated(gate_up: Tensor, activation: Callable[[Tensor], Tensor]) -> Tensor:
    """activation(gate) · up for [N, 2F], gate first (arXiv 2002.05202)."""
    gate, up = gate_up.chunk(2, dim=-1)
    return activation(gate).mul_(up)


def attend_rows(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    """Attention of one token a row over the row's own cells.

    Args:
        query: [B, H, D].
        keys: [B, T, K, D], a view into the cache.
        values: [B, T, K, D].
        bias: [B, 1, 1, T], minus infinity where a row must not look; None: everywhere it may.
        scale: factor of the scores.

    Returns:
        [B, H·D].
    """
    rows, _, kv_heads, size = keys.shape
    # The G query heads of one key head stand where queries of a longer text would: no key is repeated.
    grouped = query.view(rows, kv_heads, -1, size)  # [B, K, G, D]
    seen = F.scaled_dot_product_attention(
        grouped, keys.transpose(1, 2), values.transpose(1, 2), attn_mask=bias, scale=scale
    )
    return seen.reshape(rows, -1)


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
