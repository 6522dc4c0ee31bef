"""Causal attention over packed samples: linears see real tokens only, attention sees each sample alone.

Samples stand one behind another in a row of T tokens. For attention they are gathered into a few groups of similar
length, right-padded to [B, L]; a padded key can't be seen by a real query because it lies in its future, so the causal
mask alone isolates samples, and no [T, T] mask exists. Two batched products and a softmax beat the CPU's fused
attention backward by two to three times on samples of 100–400 tokens (docs/log.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from tuneloop.kernels.chosen import kernels_for

SHORTEST_IN_GROUP = 0.75
"""A group's shortest sample has at least this share of its longest one's tokens: below it, padding costs more than a group."""


@dataclass(frozen=True, slots=True)
class Group:
    """Samples of similar length that are attended to in one batched product."""

    rows: Tensor
    """int64 [B·L]: which packed token stands at each place; padding repeats the sample's last token."""
    padding: Tensor
    """int64 [P]: places in [0, B·L) that are padding."""
    real: Tensor
    """int64 [N]: places in [0, B·L) that hold a real token."""
    batch: int
    length: int


@dataclass(frozen=True, slots=True)
class Segments:
    """How the T packed tokens divide into samples; made once for a batch, used by every layer."""

    groups: tuple[Group, ...]
    tokens: int


def segments(lengths: Sequence[int], device: torch.device | None = None) -> Segments:
    """Divide packed samples into groups of similar length.

    Args:
        lengths: tokens of each sample, in their packed order.
        device: where the index tensors live.

    >>> [(g.batch, g.length) for g in segments([3, 10, 9]).groups]
    [(2, 10), (1, 3)]
    """
    starts = [0]
    for length in lengths:
        starts.append(starts[-1] + length)
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    groups: list[Group] = []
    while order:
        longest = lengths[order[0]]
        members = [i for i in order if lengths[i] >= SHORTEST_IN_GROUP * longest]
        order = order[len(members) :]
        groups.append(_group([(starts[i], lengths[i]) for i in members], longest, device))
    return Segments(tuple(groups), starts[-1])


def _group(members: list[tuple[int, int]], length: int, device: torch.device | None) -> Group:
    start = torch.tensor([s for s, _ in members])[:, None]
    count = torch.tensor([n for _, n in members])[:, None]
    place = torch.arange(length)[None, :]
    rows = (start + torch.minimum(place, count - 1)).flatten()
    is_real = (place < count).flatten()
    return Group(
        rows=rows.to(device),
        padding=(~is_real).nonzero().flatten().to(device),
        real=is_real.nonzero().flatten().to(device),
        batch=len(members),
        length=length,
    )


def _attend(
    query: Tensor, key: Tensor, value: Tensor, segments: Segments, scale: float, window: int
) -> tuple[Tensor, list[Tensor]]:
    """[T, H, D] of attention, and what its backward needs: q, k, v and weights of each group."""
    kv_heads = key.shape[1]
    output = query.new_empty(query.shape)
    saved: list[Tensor] = []
    for group in segments.groups:
        q = _gather(query, group, kv_heads)  # [B·K, G·L, D]
        k = _gather(key, group, kv_heads)  # [B·K, L, D]
        v = _gather(value, group, kv_heads)  # [B·K, L, D]
        weights = kernels_for(q).attention_weights(q, k, scale, window)  # [B·K, G·L, L]
        _scatter(output, torch.bmm(weights, v), group, kv_heads)
        saved += [q, k, v, weights]
    return output, saved


def _attend_backward(
    grad: Tensor, saved: Sequence[Tensor], segments: Segments, scale: float, window: int, into: Sequence[Tensor]
) -> None:
    """Write the gradients of query, key and value into three tensors of their shapes."""
    grad_query, grad_key, grad_value = into
    kv_heads = grad_key.shape[1]
    for number, group in enumerate(segments.groups):
        q, k, v, weights = saved[4 * number : 4 * number + 4]
        g = _gather(grad, group, kv_heads, zero_padding=True)  # [B·K, G·L, D]
        _scatter(grad_value, torch.bmm(weights.transpose(1, 2), g), group, kv_heads)
        grad_weights = torch.bmm(g, v.transpose(1, 2))  # [B·K, G·L, L]
        scores = kernels_for(q).attention_weights_backward(grad_weights, weights, scale, window)
        _scatter(grad_query, torch.bmm(scores, k), group, kv_heads)
        _scatter(grad_key, torch.bmm(scores.transpose(1, 2), q), group, kv_heads)


class _PackedAttention(torch.autograd.Function):
    """softmax(scale · Q Kᵀ + causal) V for every sample, grouped-query: H query heads share K key heads, G = H / K."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, segments: Segments, scale: float, window: int
    ) -> Tensor:
        output, saved = _attend(query, key, value, segments, scale, window)
        ctx.save_for_backward(*saved)
        ctx.segments, ctx.scale, ctx.window, ctx.shapes = segments, scale, window, (query.shape, key.shape)
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        query, key = ctx.shapes
        into = grad.new_empty(query), grad.new_empty(key), grad.new_empty(key)
        _attend_backward(grad, ctx.saved_tensors, ctx.segments, ctx.scale, ctx.window, into)
        return *into, None, None, None


def packed_attention(
    query: Tensor, key: Tensor, value: Tensor, segments: Segments, scale: float, window: int | None = None
) -> Tensor:
    """Attention of every packed sample with itself.

    Args:
        query: [T, H, D].
        key: [T, K, D], H a multiple of K (grouped-query attention, arXiv 2305.13245).
        value: [T, K, D].
        segments: how T divides into samples.
        scale: factor of the scores, usually D ** -0.5.
        window: a query sees only this many tokens back, itself included (sliding-window layers); None: all.

    Returns:
        [T, H, D].
    """
    return _PackedAttention.apply(query, key, value, segments, scale, window or 0)  # type: ignore[no-untyped-call, no-any-return]


class _RotaryAttention(torch.autograd.Function):
    """Rotary positions and attention of queries, keys and values that lie side by side; nothing is cut out or joined."""

    @staticmethod
    def forward(
        ctx: Any, joined: Tensor, cos: Tensor, sin: Tensor, heads: Heads, segments: Segments, scale: float, window: int
    ) -> Tensor:
        query, key, value = heads.split(joined)
        turn = kernels_for(joined).rotate
        query, key = turn(query, cos, sin, 1.0), turn(key, cos, sin, 1.0)
        output, saved = _attend(query, key, value, segments, scale, window)
        ctx.save_for_backward(cos, sin, *saved)
        ctx.heads, ctx.segments, ctx.scale, ctx.window = heads, segments, scale, window
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        cos, sin, *saved = ctx.saved_tensors
        joined = grad.new_empty(grad.shape[0], ctx.heads.width)
        query, key, value = ctx.heads.split(joined)
        turned = grad.new_empty(query.shape), grad.new_empty(key.shape)
        _attend_backward(grad, saved, ctx.segments, ctx.scale, ctx.window, (*turned, value))
        for to, back in zip((query, key), turned, strict=True):  # a rotation's transpose turns back
            kernels_for(grad).rotate(back, cos, sin, -1.0, out=to)
        return joined, None, None, None, None, None, None


@dataclass(frozen=True, slots=True)
class Heads:
    """How queries, keys and values lie side by side in [T, (H + 2 K) · D]."""

    query: int
    key_value: int
    size: int

    @property
    def width(self) -> int:
        """(H + 2 K) · D."""
        return (self.query + 2 * self.key_value) * self.size

    def split(self, joined: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Views [T, H, D], [T, K, D] and [T, K, D]."""
        views = joined.view(len(joined), -1, self.size)
        query, key, value = torch.split(views, [self.query, self.key_value, self.key_value], dim=1)
        return query, key, value


def rotary_attention(
    joined: Tensor,
    cos: Tensor,
    sin: Tensor,
    heads: Heads,
    segments: Segments,
    scale: float,
    window: int | None = None,
) -> Tensor:
    """`packed_attention` of queries and keys turned by their positions (RoPE, arXiv 2104.09864).

    Args:
        joined: [T, (H + 2 K) · D], queries, keys and values side by side.
        cos: [T, 1, D/2].
        sin: [T, 1, D/2].
        heads: H, K and D.
        segments: how T divides into samples.
        scale: factor of the scores, usually D ** -0.5.
        window: a query sees only this many tokens back, itself included; None: all.

    Returns:
        [T, H, D].
    """
    return _RotaryAttention.apply(joined, cos, sin, heads, segments, scale, window or 0)  # type: ignore[no-untyped-call, no-any-return]


def _gather(packed: Tensor, group: Group, kv_heads: int, *, zero_padding: bool = False) -> Tensor:
    """[T, H, D] → [B·K, G·L, D]: the query heads of one key head stand one behind another."""
    rows = packed.index_select(0, group.rows)  # [B·L, H, D]
    if zero_padding and len(group.padding):
        rows.index_fill_(0, group.padding, 0)
    heads, size = packed.shape[1], packed.shape[2]
    split = rows.view(group.batch, group.length, kv_heads, heads // kv_heads, size)
    return split.permute(0, 2, 3, 1, 4).reshape(group.batch * kv_heads, -1, size)


def _scatter(packed: Tensor, grouped: Tensor, group: Group, kv_heads: int) -> None:
    """[B·K, G·L, D] → the group's real rows of [T, H, D]."""
    heads, size = packed.shape[1], packed.shape[2]
    split = grouped.view(group.batch, kv_heads, heads // kv_heads, group.length, size)
    rows = split.permute(0, 3, 1, 2, 4).reshape(-1, heads, size)
    if len(group.padding):
        rows, target = rows.index_select(0, group.real), group.rows.index_select(0, group.real)
    else:
        target = group.rows
    packed.index_copy_(0, target, rows)
