"""A few numbers for every sample, so that a million of them can be compared without their texts in memory.

About 200 bytes a sample: 64-bit hashes of its texts, its side, and the bands of two sketches (see `text.near_duplicates`).
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tuneloop.core.records import Sample, Split
from tuneloop.text.near_duplicates import band_keys
from tuneloop.text.normalise import question_key, text_key

Hashes = NDArray[np.uint64]
Sides = NDArray[np.int8]
Mask = NDArray[np.bool_]

SIDES: tuple[Split | None, ...] = ("test", "validation", "train", None)
"""Sides by their number. A smaller number keeps a sample or a question that stands on several: the test side first."""
TEST, VALIDATION, TRAIN, NOWHERE = range(4)

BATCH = 512
"""Samples whose sketches are made together."""


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The numbers of all samples, one array each."""

    whole: Hashes
    """Of the whole text, with the roles, apart from case and spacing."""
    prompt: Hashes
    """Of everything before the last answer but a system message, as a question."""
    opening: Hashes
    """Of the first question."""
    answer: Hashes
    tag: Hashes
    """Of the value of the tag that samples are grouped by; 0 for none."""
    intent: NDArray[np.int32]
    """Number of the intent, from 1; 0 for none."""
    turns: NDArray[np.int32]
    """Turns of the user."""
    own: Sides
    """The side that its source puts it on (see `SIDES`)."""
    foreign: Mask
    """Of an evaluation set that the dataset must not leak from: compared, never written."""
    made: Mask
    """Made by a grammar, which keeps its sides apart itself: no near-duplicates are looked for."""
    prompt_bands: NDArray[np.uint32] | None
    """`[samples, bands]`; None where nearly equal questions are not looked for."""
    whole_bands: NDArray[np.uint32] | None

    def __len__(self) -> int:
        return len(self.whole)


class Keys:
    """Collects the numbers of samples as they pass.

    Args:
        group_by: the tag that samples are grouped by.
        near: similarity from which questions are nearly the same; None when it is not looked for.
        near_copies: the same for whole samples.
    """

    def __init__(
        self, group_by: str | None = None, near: float | None = None, near_copies: float | None = None
    ) -> None:
        self._group_by = group_by
        self._hashes = {name: array("Q") for name in ("whole", "prompt", "opening", "answer", "tag")}
        self._intents: dict[str, int] = {}
        self._intent, self._turns = array("i"), array("i")
        self._own, self._foreign, self._made = array("b"), array("b"), array("b")
        self._prompts = _Bands(near)
        self._wholes = _Bands(near_copies)
        self.tags: set[str] = set()
        """Names of all tags that were seen."""

    def add(self, sample: Sample, own: Split | None, *, foreign: bool = False, made: bool = False) -> None:
        """Take one sample's numbers."""
        asked = questions(sample)
        answer = text_key(sample.answer)
        self._hashes["whole"].append(sample_key(sample))
        self._hashes["prompt"].append(hash64(*(part for turn in asked for part in turn)))
        self._hashes["opening"].append(hash64(next((text for role, text in asked if role == "user"), "")))
        self._hashes["answer"].append(hash64(answer))
        value = sample.meta.tags.get(self._group_by) if self._group_by else None
        self._hashes["tag"].append(hash64(value) if value is not None else 0)
        intent = sample.meta.tags.get("intent")
        self._intent.append(0 if intent is None else self._intents.setdefault(intent, len(self._intents) + 1))
        self._turns.append(sum(message.role == "user" for message in sample.messages))
        self._own.append(SIDES.index(own))
        self._foreign.append(foreign)
        self._made.append(made)
        joined = "\n".join(text for _, text in asked)
        self._prompts.add("" if made else joined)
        self._wholes.add("" if made or foreign else f"{joined}\n{answer}")
        if not foreign:
            self.tags.update(sample.meta.tags)

    def table(self) -> KeyTable:
        """The arrays of all samples; no more can be added, since the arrays share their memory with what was collected."""
        return KeyTable(
            **{name: np.asarray(values, dtype=np.uint64) for name, values in self._hashes.items()},
            intent=np.asarray(self._intent, dtype=np.int32),
            turns=np.asarray(self._turns, dtype=np.int32),
            own=np.asarray(self._own, dtype=np.int8),
            foreign=np.asarray(self._foreign, dtype=np.bool_),
            made=np.asarray(self._made, dtype=np.bool_),
            prompt_bands=self._prompts.matrix(),
            whole_bands=self._wholes.matrix(),
        )


def table_of(samples: Iterable[Sample], group_by: str | None = None) -> KeyTable:
    """The numbers of undivided samples."""
    keys = Keys(group_by)
    for sample in samples:
        keys.add(sample, None)
    return keys.table()


def hash64(*texts: str) -> int:
    """64 bits of BLAKE2b; among a million texts two share them once in about 40 million cases.

    >>> hash64("a", "b") == hash64("a", "b") != hash64("ab", "")
    True
    """
    value = hashlib.blake2b(digest_size=8)
    for text in texts:
        encoded = text.encode("utf-8", "surrogatepass")
        value.update(len(encoded).to_bytes(8, "big") + encoded)
    return int.from_bytes(value.digest(), "big")


def sample_key(sample: Sample) -> int:
    """Key of the whole text, with the roles."""
    return hash64(*(part for message in sample.messages for part in (message.role, text_key(message.content))))


def questions(sample: Sample) -> list[tuple[str, str]]:
    """Role and key of every turn before the last answer, but for a system message."""
    asked = [message for message in sample.prompt if message.role != "system"]
    return [(message.role, question_key(message.content)) for message in asked]


class _Bands:
    """Bands of sketches, made for many texts at once; nothing when there is no threshold."""

    def __init__(self, threshold: float | None) -> None:
        self._threshold = threshold
        self._texts: list[str] = []
        self._done: list[NDArray[np.uint32]] = []

    def add(self, text: str) -> None:
        if self._threshold is None:
            return
        self._texts.append(text)
        if len(self._texts) == BATCH:
            self._sketch()

    def matrix(self) -> NDArray[np.uint32] | None:
        if self._threshold is None:
            return None
        self._sketch()
        self._done = [np.concatenate(self._done)]
        return self._done[0]

    def _sketch(self) -> None:
        assert self._threshold is not None
        self._done.append(band_keys(self._texts, self._threshold))
        self._texts = []
