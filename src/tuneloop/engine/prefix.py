"""Prompts that begin alike are read once: keys and values are kept by blocks of tokens.

A block's key hashes everything that its values depend on: the adapter, its version, and all ids up to its end. So a
hit is exact, whatever the prompts have in common after it. The oldest unused blocks go when the memory is full.
"""

from __future__ import annotations

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor

BLOCK = 32
"""Tokens of a block."""


def block_keys(root: str, ids: Sequence[int]) -> list[bytes]:
    """Keys of the whole blocks of a prompt.

    Args:
        root: adapter and version.
        ids: of the prompt.

    >>> a, b = block_keys("base", range(70)), block_keys("base", [*range(40), 7, 7, *range(42, 70)])
    >>> len(a), a[0] == b[0], a[1] == b[1]
    (2, True, False)
    """
    key = hashlib.blake2b(root.encode(), digest_size=20).digest()
    keys = []
    for start in range(0, len(ids) - BLOCK + 1, BLOCK):
        key = hashlib.blake2b(key + array("q", ids[start : start + BLOCK]).tobytes(), digest_size=20).digest()
        keys.append(key)
    return keys


class PrefixCache:
    """Blocks [L, 2, BLOCK, K, D] by key.

    Args:
        max_bytes: memory that the blocks may take; 0: nothing is kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._blocks: OrderedDict[bytes, Tensor] = OrderedDict()
        self.bytes = 0
        self.hit_tokens = 0
        """Tokens that did not have to be read again, so far."""

    def __contains__(self, key: bytes) -> bool:
        return key in self._blocks

    def find(self, keys: Sequence[bytes]) -> list[Tensor]:
        """The blocks of the longest beginning that is known."""
        found = []
        for key in keys:
            if key not in self._blocks:
                break
            found.append(self._blocks[key])
        for key in reversed(keys[: len(found)]):  # a beginning outlives what follows it
            self._blocks.move_to_end(key)
        self.hit_tokens += BLOCK * len(found)
        return found

    def keep(self, key: bytes, block: Tensor) -> None:
        """Remember a block; the ones that were not used for longest make room."""
        if key in self._blocks or block.nbytes > self._max_bytes:
            return
        self._blocks[key] = block
        self.bytes += block.nbytes
        while self.bytes > self._max_bytes:
            _, oldest = self._blocks.popitem(last=False)
            self.bytes -= oldest.nbytes

    def forget(self) -> None:
        """Forget all blocks, so that the next prompt is read anew: for whoever measures."""
        self._blocks.clear()
        self.bytes = 0

    @property
    def is_on(self) -> bool:
        """Whether anything is ever kept."""
        return self._max_bytes > 0
