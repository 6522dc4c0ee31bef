"""Keys and values of the rows under way: every row has a slot, every token it has read a cell in it."""

from __future__ import annotations

import torch
from torch import Tensor

FIRST_CELLS = 256
"""Cells of a slot before any row needs more."""


class SlotCache:
    """One tensor [L layers, 2, S slots, C cells, K heads, D]; it grows by doubling and never shrinks.

    New room is zero, not merely empty: a masked value counts nothing times itself, and nothing times NaN is NaN.

    Args:
        layers: L.
        heads: K.
        size: D.
        dtype: of keys and values.
        device: where they live.
    """

    def __init__(self, layers: int, heads: int, size: int, dtype: torch.dtype, device: torch.device) -> None:
        self._cells = torch.zeros(layers, 2, 0, FIRST_CELLS, heads, size, dtype=dtype, device=device)
        self.layers: list[tuple[Tensor, Tensor]] = []
        """Keys and values of each layer, [S, C, K, D] views."""

    @property
    def slots(self) -> int:
        """S."""
        return int(self._cells.shape[2])

    @property
    def cells(self) -> int:
        """C."""
        return int(self._cells.shape[3])

    @property
    def bytes(self) -> int:
        """Memory in use."""
        return self._cells.nbytes

    def bytes_for(self, slots: int, cells: int) -> int:
        """Memory that the cache takes once it has had room for so many slots with so many cells each."""
        layers, _, _, _, heads, size = self._cells.shape
        slots, cells = self._grown(slots, cells)
        return layers * 2 * slots * cells * heads * size * self._cells.element_size()

    def _grown(self, slots: int, cells: int) -> tuple[int, int]:
        more_slots, more_cells = self.slots or 1, self.cells
        while more_slots < slots:
            more_slots *= 2
        while more_cells < cells:
            more_cells *= 2
        return more_slots, more_cells

    def reserve(self, slots: int, cells: int) -> None:
        """Make room for so many slots with so many cells each."""
        if slots <= self.slots and cells <= self.cells:
            return
        more_slots, more_cells = self._grown(slots, cells)
        old = self._cells
        layers, _, used, filled, heads, size = old.shape
        self._cells = old.new_zeros(layers, 2, more_slots, more_cells, heads, size)
        self._cells[:, :, :used, :filled] = old
        self.layers = [(layer[0], layer[1]) for layer in self._cells]

    def read(self, slot: int, start: int, stop: int) -> Tensor:
        """A copy of some cells of a slot, [L, 2, stop − start, K, D]."""
        return self._cells[:, :, slot, start:stop].clone()

    def write(self, slot: int, start: int, block: Tensor) -> None:
        """Put such a copy into cells of a slot."""
        self._cells[:, :, slot, start : start + block.shape[2]] = block

    def move(self, source: int, target: int, cells: int) -> None:
        """Copy a slot's first cells into another slot."""
        self._cells[:, :, target, :cells] = self._cells[:, :, source, :cells]
