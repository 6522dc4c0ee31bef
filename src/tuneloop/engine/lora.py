"""Several adapters in one batch: the base product runs once, and each row adds its own adapter's share.

Rows that write one token each take part in one product over the A matrices of all adapters in the batch, a mask that
leaves each row its own adapter's ranks, and one product over the B matrices that adds to the base result (the idea of
Punica, arXiv 2310.18547, for a CPU). Chunks of prompts belong to one adapter each and use its matrices alone. The
adapters travel as an argument: there are no hooks, and nothing that an error could leave behind.

Letters: N tokens, R ranks of all stacked adapters, r ranks of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tuneloop.adapters.low_rank import LowRank
from tuneloop.core.errors import IncompatibleError
from tuneloop.engine.linear import AddingLinear, Linear, pack_adding_linear, pack_linear
from tuneloop.engine.weights import PARTS, Weights

SPARE = 8
"""Adapters that a stack may hold without anybody using them all."""
Pair = tuple[Tensor, Tensor]
"""A [r, in] and B [out, r] of one part, in the compute type, scaling included."""


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """One version of an adapter, ready for the batch; it never changes."""

    name: str
    version: str
    layers: tuple[Mapping[str, Pair], ...]
    """The pairs of each layer, by part."""
    bytes: int


def make_adapter(name: str, version: str, updates: Mapping[str, LowRank], weights: Weights) -> Adapter:
    """Lay an adapter's matrices out as the decoder's parts. q, k and v each keep their own ranks in one block matrix.

    Args:
        name: of the adapter.
        version: which one it is; two adapters of the same name and version are taken for the same.
        updates: by module path in the base model.
        weights: of the base model.

    Raises:
        IncompatibleError: a module is unknown or of another shape (code `adapters.does_not_fit`).
    """
    places = {
        f"model.layers.{layer}.{module}": shape
        for layer, shapes in enumerate(weights.shapes)
        for module, shape in shapes.items()
    }
    for path, update in updates.items():
        found = (update.b.shape[0], update.a.shape[1])
        if places.get(path) != found:
            raise IncompatibleError(
                "adapters.does_not_fit", name=name, module=path, found=found, expected=places.get(path, "—")
            )
    layers = tuple(
        {part: pair for part in PARTS if (pair := _pair(layer, part, updates, weights)) is not None}
        for layer in range(len(weights.layers))
    )
    size = sum(tensor.nbytes for layer in layers for pair in layer.values() for tensor in pair)
    return Adapter(name, version, layers, size)


def _pair(layer: int, part: str, updates: Mapping[str, LowRank], weights: Weights) -> Pair | None:
    """A part's matrices: A one below the other, B a block for each module."""
    low, blocks, rows = [], [], 0
    for module in PARTS[part]:
        update = updates.get(f"model.layers.{layer}.{module}")
        out = weights.shapes[layer][module][0]
        if update is not None:
            low.append(update.a.to(device=weights.device, dtype=weights.dtype))
            blocks.append((rows, update.scaling * update.b.float()))
        rows += out
    if not low:
        return None
    b = torch.zeros(rows, sum(len(a) for a in low), dtype=weights.dtype, device=weights.device)
    column = 0
    for row, block in blocks:
        b[row : row + block.shape[0], column : column + block.shape[1]] = block
        column += block.shape[1]
    return torch.cat(low), b


@dataclass(frozen=True, slots=True)
class _StackedPart:
    low: Linear
    """[N, in] → [N, R]."""
    high: AddingLinear
    """[N, R] and [N, out] → [N, out]."""
    owners: tuple[int, ...]
    """Which adapter each of the R ranks belongs to."""


class Stack:
    """The matrices of several adapters side by side."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self.adapters = tuple(adapters)
        layers = len(adapters[0].layers)
        self.layers: tuple[dict[str, _StackedPart], ...] = tuple(self._stack(layer) for layer in range(layers))

    def _stack(self, layer: int) -> dict[str, _StackedPart]:
        stacked = {}
        for part in PARTS:
            pairs = [(n, pair) for n, a in enumerate(self.adapters) if (pair := a.layers[layer].get(part)) is not None]
            if pairs:
                owners = tuple(number for number, (a, _) in pairs for _ in range(len(a)))
                low = pack_linear([a for _, (a, _) in pairs])
                stacked[part] = _StackedPart(low, pack_adding_linear(torch.cat([b for _, (_, b) in pairs], 1)), owners)
        return stacked


def restack(stack: Stack | None, needed: Sequence[Adapter]) -> Stack:
    """A stack that holds the adapters which are needed: the old one if it does, else a new one.

    Making one costs some steps' time. So adapters that nobody uses just now stay in it while there are few in all.
    """
    if stack is not None and set(needed) <= set(stack.adapters) and len(stack.adapters) <= max(SPARE, 2 * len(needed)):
        return stack
    old = [] if stack is None else [adapter for adapter in stack.adapters if adapter not in needed]
    names = {adapter.name for adapter in needed}
    spare = [adapter for adapter in old if adapter.name not in names][: max(0, SPARE - len(needed))]
    return Stack([*needed, *spare])


class MixedUpdates:
    """What the adapters of one forward add; see `decoder.Updates`.

    Args:
        stack: holds the adapters of the writing rows; None when no row has one.
        writing: the adapter of each of the rows 0 … B − 1, None for the base model.
        pieces: first and last token (exclusive) of chunks, each with its adapter.
        weights: of the base model.
    """

    def __init__(
        self,
        stack: Stack | None,
        writing: Sequence[Adapter | None],
        pieces: Sequence[tuple[int, int, Adapter]],
        weights: Weights,
    ) -> None:
        self._stack = stack
        self._rows = len(writing)
        self._pieces = pieces
        self._dtype = weights.dtype
        self._masks: dict[tuple[int, ...], Tensor] = {}
        if stack is not None:
            numbers = {adapter: number for number, adapter in enumerate(stack.adapters)}
            chosen = [-1 if adapter is None else numbers[adapter] for adapter in writing]
            self._numbers = torch.tensor(chosen, device=weights.device)[:, None]  # [B, 1]

    def add(self, layer: int, part: str, x: Tensor, y: Tensor) -> Tensor:
        """Return y [N, out] with the adapters' share for the inputs x [N, in]; y may be written over."""
        stacked = self._stack.layers[layer].get(part) if self._stack is not None else None
        if stacked is not None:
            rows = self._rows
            low = stacked.low(x[:rows]).mul_(self._mask(stacked.owners))  # [B, R]
            if rows == len(x):
                y = stacked.high(low, y)
            else:
                y[:rows] = stacked.high(low, y[:rows])
        for first, last, adapter in self._pieces:
            pair = adapter.layers[layer].get(part)
            if pair is not None:
                a, b = pair
                y[first:last].addmm_(x[first:last] @ a.T, b.T)
        return y

    def _mask(self, owners: tuple[int, ...]) -> Tensor:
        """[B, R]: one where the rank is of the row's adapter."""
        if owners not in self._masks:
            of = torch.tensor(owners, device=self._numbers.device)[None]  # [1, R]
            self._masks[owners] = (of == self._numbers).to(self._dtype)
        return self._masks[owners]
