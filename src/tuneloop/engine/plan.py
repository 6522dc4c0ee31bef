"""What one forward reads: one token each of the rows that write an answer, and chunks of what other rows were asked.

Everything that all layers share is made here once: positions, cells, masks.

Letters: B rows that write, N tokens in all, s tokens of a chunk, T cells that are seen, C cells of a slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

SPREAD = 2
"""Rows are attended to together while padding them to the longest costs less than this factor."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Tokens of one row that are read together."""

    slot: int
    start: int
    """Cells of the slot that are filled already."""
    ids: Sequence[int]
    positions: Sequence[int]
    sees: Tensor | None = None
    """bool [s, start + s]: which cells each token may look at; None: itself and all before it."""
    places: Sequence[int] = ()
    """With `sees`: the position of each of the start + s cells."""
    wanted: Sequence[int] = ()
    """Tokens of the chunk whose logits are wanted."""


@dataclass(frozen=True, slots=True)
class Span:
    """Rows first … last − 1 and the cells that a layer looks at for them."""

    first: int
    last: int
    start: int
    stop: int
    sees: Tensor
    """int64 [rows, 2]: the first cell that each row looks at, counted from `start`, and one past the last."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A chunk's place among the tokens, and what a layer looks at for it."""

    first: int
    last: int
    slot: int
    stop: int
    bias: Tensor | None
    """[s, stop]; None: causal from cell 0."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One forward."""

    tokens: Tensor
    """int64 [N]: the rows' tokens, then the chunks'."""
    positions: Tensor
    """int64 [N]."""
    reach: int
    """One more than the largest position."""
    cells: Tensor
    """int64 [N]: slot · C + cell where a token's key and value go."""
    rows: int
    """B: rows that write, in slots 0 … B − 1."""
    spans: dict[int | None, tuple[Span, ...]]
    """By a layer's window."""
    pieces: dict[int | None, tuple[Piece, ...]]
    wanted: Tensor
    """int64: tokens whose logits are wanted; the rows' come first."""


def make_plan(
    writing: Sequence[tuple[int, int]],
    chunks: Sequence[Chunk],
    *,
    cells: int,
    windows: Sequence[int | None],
    dtype: torch.dtype,
    device: torch.device,
) -> Plan:
    """Lay out a forward.

    Args:
        writing: the token that each row 0 … B − 1 reads, and how many cells it has filled.
        chunks: of other slots.
        cells: C of the cache.
        windows: every window that a layer has.
        dtype: of the masks.
        device: of all tensors.
    """
    tokens = [token for token, _ in writing]
    positions = [filled for _, filled in writing]
    places = [row * cells + filled for row, (_, filled) in enumerate(writing)]
    wanted = list(range(len(writing)))
    starts = []
    for chunk in chunks:
        starts.append(len(tokens))
        wanted += [len(tokens) + place for place in chunk.wanted]
        tokens += chunk.ids
        positions += chunk.positions
        places += range(chunk.slot * cells + chunk.start, chunk.slot * cells + chunk.start + len(chunk.ids))
    filled = [count for _, count in writing]
    return Plan(
        tokens=torch.tensor(tokens, device=device),
        positions=torch.tensor(positions, device=device),
        reach=max(positions) + 1,
        cells=torch.tensor(places, device=device),
        rows=len(writing),
        spans={window: _spans(filled, window, device) for window in windows},
        pieces={
            window: tuple(_piece(c, s, window, dtype, device) for c, s in zip(chunks, starts, strict=True))
            for window in windows
        },
        wanted=torch.tensor(wanted, dtype=torch.int64, device=device),
    )


def _spans(filled: Sequence[int], window: int | None, device: torch.device) -> tuple[Span, ...]:
    """Divide rows into runs of similar length. A row that has filled n cells sees cells 0 … n, the last `window` at most."""
    spans = []
    first = 0
    while first < len(filled):
        last, longest, total = first, 0, 0
        while last < len(filled):
            longest, total = max(longest, filled[last]), total + filled[last] + 1
            if (longest + 1) * (last + 1 - first) > SPREAD * total:
                break
            last += 1
        lengths = filled[first:last]
        start, stop = 0, max(lengths) + 1
        if window is not None:
            start = max(0, min(lengths) + 1 - window)
        last_cell = torch.tensor(lengths, device=device) + 1 - start
        first_cell = torch.zeros_like(last_cell) if window is None else (last_cell - window).clamp_(min=0)
        spans.append(Span(first, last, start, stop, torch.stack([first_cell, last_cell], dim=1)))
        first = last
    return tuple(spans)


def _piece(chunk: Chunk, first: int, window: int | None, dtype: torch.dtype, device: torch.device) -> Piece:
    count, stop = len(chunk.ids), chunk.start + len(chunk.ids)
    bias = None
    if chunk.sees is not None or chunk.start or (window is not None and stop > window):
        sees = torch.ones(count, stop, dtype=torch.bool, device=device).tril(chunk.start)
        if chunk.sees is not None:
            sees = chunk.sees.to(device)
            if window is not None:
                back = torch.tensor(chunk.positions)[:, None] - torch.tensor(chunk.places)
                sees = sees & (back < window).to(device)
        elif window is not None:
            sees = sees.triu(chunk.start + 1 - window)
        bias = _as_bias(~sees, dtype)
    return Piece(first, first + count, chunk.slot, stop, bias)


def _as_bias(hidden: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.zeros(hidden.shape, dtype=dtype, device=hidden.device).masked_fill_(hidden, float("-inf"))
