"""Several adapters in one batch: the base product runs once, and each row adds its own adapter's share.

Rows that write one token each take part in one product over the A matrices of all adapters in the batch, a mask that
leaves each row its own adapter's ranks, and one product over the B matrices of each module, added to the base result (the
idea of Punica, arXiv 2310.18547, for a CPU). Chunks of prompts belong to one adapter each and use its matrices alone. The
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
from tuneloop.engine.linear import Linear, pack_linear
from tuneloop.engine.weights import PARTS, Weights

SPARE = 8
"""Adapters that a stack may hold without anybody using them all."""


@dataclass(frozen=True, slots=True)
class Share:
    """One module's share of a part's product."""

    columns: slice
    """Of the part's output."""
    ranks: slice
    """Of the part's A matrix."""
    b: Tensor
    """[columns, ranks], in the compute type, scaling included."""


@dataclass(frozen=True, slots=True)
class PartUpdate:
    """What one adapter adds to a part: the A matrices of its modules one below the other, and a B matrix for each."""

    a: Tensor
    """[r, in], in the compute type."""
    shares: Mapping[str, Share]
    """By module."""

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return self.a.nbytes + sum(share.b.nbytes for share in self.shares.values())


@dataclass(frozen=True, slots=True, eq=False)
class Adapter:
    """One version of an adapter, ready for the batch; it never changes."""

    name: str
    version: str
    layers: tuple[Mapping[str, PartUpdate], ...]
    """The updates of each layer, by part."""
    bytes: int


def make_adapter(name: str, version: str, updates: Mapping[str, LowRank], weights: Weights) -> Adapter:
    """Lay an adapter's matrices out as the decoder's parts.

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
    for path, pair in updates.items():
        found = (pair.b.shape[0], pair.a.shape[1])
        if places.get(path) != found:
            raise IncompatibleError(
                "adapters.does_not_fit", name=name, module=path, found=found, expected=places.get(path, "—")
            )
    layers = tuple(
        {part: update for part in PARTS if (update := _part(layer, part, updates, weights)) is not None}
        for layer in range(len(weights.layers))
    )
    return Adapter(name, version, layers, sum(part.bytes for layer in layers for part in layer.values()))


def _part(layer: int, part: str, updates: Mapping[str, LowRank], weights: Weights) -> PartUpdate | None:
    low: list[Tensor] = []
    shares: dict[str, Share] = {}
    column = rank = 0
    for module in PARTS[part]:
        update = updates.get(f"model.layers.{layer}.{module}")
        out = weights.shapes[layer][module][0]
        if update is not None:
            low.append(update.a.to(device=weights.device, dtype=weights.dtype))
            b = (update.scaling * update.b.float()).to(device=weights.device, dtype=weights.dtype)
            shares[module] = Share(slice(column, column + out), slice(rank, rank + len(update.a)), b)
            rank += len(update.a)
        column += out
    return PartUpdate(torch.cat(low), shares) if low else None


@dataclass(frozen=True, slots=True)
class _StackedPart:
    low: Linear
    """[N, in] → [N, R]: the ranks of one module stand together, adapter by adapter."""
    shares: tuple[tuple[slice, slice, Linear], ...]
    """Of each module: columns of the output, ranks, and [N, ranks] → [N, columns]."""
    layout: int
    """Which of the stack's layouts tells the R ranks' adapters."""


class Stack:
    """The matrices of several adapters side by side. Each module keeps a B of its own: one block matrix for q, k and v
    would be two thirds zeros, which cost as much time to read as anything else.
    """

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self.adapters = tuple(adapters)
        self.layouts: list[tuple[int, ...]] = []
        """Which adapter each rank belongs to: most layers have the same few layouts."""
        layers = len(adapters[0].layers)
        self.layers: tuple[dict[str, _StackedPart], ...] = tuple(
            {part: stacked for part in PARTS if (stacked := self._stack(layer, part)) is not None}
            for layer in range(layers)
        )

    def _stack(self, layer: int, part: str) -> _StackedPart | None:
        low: list[Tensor] = []
        owners: list[int] = []
        shares = []
        updates = [(number, adapter.layers[layer].get(part)) for number, adapter in enumerate(self.adapters)]
        for module in PARTS[part]:
            first = len(owners)
            high: list[Tensor] = []
            columns = slice(0)
            for number, update in updates:
                if update is not None and (share := update.shares.get(module)) is not None:
                    low.append(update.a[share.ranks])
                    high.append(share.b)
                    owners += [number] * share.b.shape[1]
                    columns = share.columns
            if high:
                shares.append((columns, slice(first, len(owners)), pack_linear([torch.cat(high, 1)])))
        if not low:
            return None
        if tuple(owners) not in self.layouts:
            self.layouts.append(tuple(owners))
        return _StackedPart(pack_linear(low), tuple(shares), self.layouts.index(tuple(owners)))


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
        self._masks: list[Tensor] = []
        """[B, R] for each layout: one where the rank is of the row's adapter."""
        if stack is not None:
            numbers = {adapter: number for number, adapter in enumerate(stack.adapters)}
            chosen = [-1 if adapter is None else numbers[adapter] for adapter in writing]
            of_row = torch.tensor(chosen, device=weights.device)[:, None]  # [B, 1]
            for owners in stack.layouts:
                of_rank = torch.tensor(owners, device=weights.device)[None]  # [1, R]
                self._masks.append((of_rank == of_row).to(weights.dtype))

    def add(self, layer: int, part: str, x: Tensor, y: Tensor) -> Tensor:
        """Return y [N, out] with the adapters' share for the inputs x [N, in]; y may be written over."""
        stacked = self._stack.layers[layer].get(part) if self._stack is not None else None
        if stacked is not None:
            low = stacked.low(x[: self._rows]).mul_(self._masks[stacked.layout])  # [B, R]
            for columns, ranks, high in stacked.shares:
                y[: self._rows, columns].add_(high(low[:, ranks]))
        for first, last, adapter in self._pieces:
            update = adapter.layers[layer].get(part)
            if update is not None:
                low = x[first:last] @ update.a.T  # [s, r]
                for share in update.shares.values():
                    y[first:last, share.columns].addmm_(low[:, share.ranks], share.b.T)
        return y
