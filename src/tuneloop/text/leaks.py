"""Passages that a training text shares with a text to be tested on: runs of 13 words, or of 13 Chinese characters.

The measure of GPT-3's contamination study (Brown et al., 2020, appendix C), with its exception: a passage that more than
ten training texts hold is a set phrase and shows nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tuneloop.text.words import split_characters

LENGTH = 13
"""Units of a passage: words of English, characters of Chinese."""
SET_PHRASE = 10
"""Training texts above which a passage is a set phrase."""

Hashes = NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def passages(text: str) -> Hashes:
    """Hash every run of 13 units of a text, apart from case, width, punctuation and spaces.

    >>> len(passages("one two three four five six seven eight nine ten eleven twelve thirteen fourteen"))
    2
    >>> len(passages("我昨天在你们的手机银行里转了一笔钱")), len(passages("Where is my card?"))
    (5, 0)
    """
    units = np.array([zlib.crc32(unit.encode("utf-8", "surrogatepass")) for unit in split_characters(text)], np.uint64)
    if len(units) < LENGTH:
        return np.empty(0, dtype=np.uint64)
    hashes = np.zeros(len(units) - LENGTH + 1, dtype=np.uint64)
    for place in range(LENGTH):
        hashes = (hashes ^ units[place : place + len(hashes)]) * _MULTIPLIER
        hashes ^= hashes >> np.uint64(32)
    return np.unique(hashes)


class HeldPassages:
    """The passages of all texts to be tested on, and which training texts hold them.

    Args:
        texts: number and passages of each text to be tested on.
    """

    def __init__(self, texts: Iterable[tuple[int, Hashes]]) -> None:
        given = list(texts)
        joined = np.concatenate([hashes for _, hashes in given]) if given else np.empty(0, dtype=np.uint64)
        self._hashes, first = np.unique(joined, return_index=True)
        owners = np.repeat([number for number, _ in given], [len(hashes) for _, hashes in given])
        self._owners = owners[first].astype(np.int64) if len(joined) else np.empty(0, dtype=np.int64)
        self._times = np.zeros(len(self._hashes), dtype=np.int32)
        self._found: list[tuple[int, NDArray[np.int64]]] = []

    def look(self, number: int, hashes: Hashes) -> None:
        """Look for the passages of a training text."""
        if not len(self._hashes) or not len(hashes):
            return
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        places = places[self._hashes[places] == hashes]
        rare = places[self._times[places] <= SET_PHRASE]
        self._times[places] += 1
        if len(rare):
            self._found.append((number, rare))

    def leaking(self) -> dict[int, int]:
        """Training texts that hold a passage which is no set phrase, and the text to be tested on that it is from."""
        found = {}
        for number, places in self._found:
            rare = places[self._times[places] <= SET_PHRASE]
            if len(rare):
                found[number] = int(self._owners[rare[0]])
        return found


def shared_passages(trained: Sequence[str], held: Sequence[str]) -> dict[int, int]:
    """Positions of training texts that share a passage with a text to be tested on, and that text's position.

    >>> secret = "my flat mate took my card and paid for two flights to Rome with it on Monday"
    >>> shared_passages(["Hello!", f"Hi, {secret.upper()}, help"], ["Where is my card?", secret])
    {1: 1}
    """
    index = HeldPassages((number, passages(text)) for number, text in enumerate(held))
    for number, text in enumerate(trained):
        index.look(number, passages(text))
    return index.leaking()
