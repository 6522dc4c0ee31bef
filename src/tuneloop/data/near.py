"""Nearly equal questions and nearly equal samples: candidates by their sketches, decided by their texts.

Nearly equal is not the same: two questions of which one says 5,000 and the other 8,000, or one *can* and the other *can't*,
differ in what they are about. Samples whose numbers or negations differ are therefore never copies of each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.records import Sample
from tuneloop.data.keys import KeyTable, Mask, questions
from tuneloop.data.spool import Spool
from tuneloop.text.near_duplicates import Hashes, candidate_pairs, ngrams, overlap
from tuneloop.text.normalise import text_key

Pairs = NDArray[np.int64]
"""`[pairs, 2]` numbers of samples; the first is the one that stays if one must go."""

KEPT = 2048
"""Samples whose n-grams are kept while pairs are judged; a pair's samples are often neighbours."""
_FACT = re.compile(r"\d+|\b(?:no|not|never|none|nor|cannot|without)\b|n['’]t\b|[不没未无非否别勿]")


def near_questions(spool: Spool, table: KeyTable, among: Mask, threshold: float, progress: Progress) -> Pairs:
    """Pairs of samples that ask nearly the same.

    Args:
        spool: the samples.
        table: their keys.
        among: which of them are looked at.
        threshold: Jaccard similarity of the questions' character n-grams from which they are nearly the same.
        progress: gets a bar.
    """
    return _pairs(
        spool, table, table.prompt_bands, among, progress, lambda one, other: _same_question(one, other, threshold)
    )


def near_copies(spool: Spool, table: KeyTable, among: Mask, threshold: float, progress: Progress) -> dict[int, int]:
    """Samples that nearly repeat another one: question and answer each, with the same numbers and negations.

    Returns:
        Number of each copy, and the number of the sample that stays.
    """
    pairs = _pairs(spool, table, table.whole_bands, among, progress, lambda one, other: _copy(one, other, threshold))
    rank = _ranks(table)
    stays: dict[int, int] = {}
    for first, second in sorted(pairs.tolist(), key=lambda pair: (rank[pair[1]], rank[pair[0]])):
        if first not in stays:
            stays.setdefault(second, first)
    return stays


def facts(content: str) -> tuple[str, ...]:
    """The numbers and negations of a text, in their order.

    >>> facts("you can't draw more than 5,000") == facts("You can draw more than 5,000")
    False
    """
    return tuple(_FACT.findall(content.casefold()))


class _Read(NamedTuple):
    """What is compared of a sample."""

    question: Hashes
    """N-grams of everything that is asked."""
    answer: Hashes
    facts: tuple[str, ...]


def _read(sample: Sample) -> _Read:
    asked = "\n".join(content for _, content in questions(sample))
    answer = text_key(sample.answer)
    return _Read(ngrams(asked), ngrams(answer), (*facts(asked), "", *facts(answer)))


def _same_question(one: _Read, other: _Read, threshold: float) -> bool:
    return overlap(one.question, other.question) >= threshold


def _copy(one: _Read, other: _Read, threshold: float) -> bool:
    if one.facts != other.facts:
        return False
    return overlap(one.question, other.question) >= threshold and overlap(one.answer, other.answer) >= threshold


def _pairs(
    spool: Spool,
    table: KeyTable,
    bands: NDArray[np.uint32] | None,
    among: Mask,
    progress: Progress,
    agree: Callable[[_Read, _Read], bool],
) -> Pairs:
    """Candidates that agree; within a pair, the one of the side that counts more comes first."""
    if bands is None:
        return np.empty((0, 2), dtype=np.int64)
    order = np.argsort(_ranks(table), kind="stable")
    order = order[(among & ~table.made)[order]]
    found = order[candidate_pairs(bands[order])]
    spool.written()

    read = lru_cache(KEPT)(lambda number: _read(spool[number]))
    kept = np.zeros(len(found), dtype=bool)
    with progress.track(text("data.progress.comparing"), len(found), text("data.progress.pairs")) as tracker:
        for place, (first, second) in enumerate(found.tolist()):
            kept[place] = agree(read(first), read(second))
            tracker.advance()
    return found[kept]


def _ranks(table: KeyTable) -> NDArray[np.int64]:
    """Which sample stays: the one of the side that counts more, else the earlier one."""
    return table.own.astype(np.int64) * len(table) + np.arange(len(table))
