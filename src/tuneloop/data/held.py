"""Questions that a variant of a training question must not ask: those of the dataset, and what would leak from the tested sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tuneloop.data.config import LeaksConfig
from tuneloop.data.fates import Fates, question_passages
from tuneloop.data.keys import TEST, VALIDATION, hash64, questions
from tuneloop.data.spool import Spool
from tuneloop.text.leaks import passages
from tuneloop.text.near_duplicates import band_keys, ngrams, overlap
from tuneloop.text.normalise import question_key


class HeldQuestions:
    """The questions of a divided dataset, asked about one new question at a time.

    The same rules as for training rows (`fates.py`): no question twice on two sides, none nearly the same as a tested one, no
    passage shared with one. Besides, no question that another training row asks: its answer is another one.

    Args:
        spool: all samples.
        fates: their sides.
        config: which leaks are looked for.
    """

    def __init__(self, spool: Spool, fates: Fates, config: LeaksConfig) -> None:
        table = fates.table
        self._spool = spool
        self._openings = np.unique(table.opening)
        tested = (fates.kept & np.isin(fates.sides, (TEST, VALIDATION))) | table.foreign
        numbers = np.flatnonzero(tested & ~table.made)
        self._near = config.near
        self._numbers = numbers
        self._columns: list[tuple[NDArray[np.uint32], NDArray[np.int64]]] = []
        if config.near is not None and table.prompt_bands is not None and len(numbers):
            for column in table.prompt_bands[numbers].T:
                order = np.argsort(column, kind="stable")
                self._columns.append((column[order], order))
        self._passages = np.empty(0, dtype=np.uint64)
        if config.passages and len(numbers):
            found = [question_passages(sample) for sample in spool.read(numbers.tolist())]
            self._passages = np.unique(np.concatenate(found))

    def asks(self, variant: str, question: str) -> bool:
        """Say whether a variant stands in the way.

        Args:
            variant: the new question.
            question: the training question that it was made from; what that has in common with tested ones was decided.
        """
        key = question_key(variant)
        opening = np.uint64(hash64(key))
        place = int(np.searchsorted(self._openings, opening))
        if place < len(self._openings) and self._openings[place] == opening:
            return True
        return self._shares_passage(variant, question) or self._is_near(key)

    def _shares_passage(self, variant: str, question: str) -> bool:
        if not len(self._passages):
            return False
        new = np.setdiff1d(passages(variant), passages(question))
        return bool(np.isin(new, self._passages, assume_unique=True).any())

    def _is_near(self, key: str) -> bool:
        if self._near is None or not self._columns:
            return False
        (bands,) = band_keys([key], self._near)
        candidates: set[int] = set()
        for band, (values, order) in zip(bands, self._columns, strict=True):
            low, high = np.searchsorted(values, band, "left"), np.searchsorted(values, band, "right")
            candidates.update(order[low:high].tolist())
        asked = ngrams(key)
        return any(overlap(asked, ngrams(self._asked(int(self._numbers[place])))) >= self._near for place in candidates)

    def _asked(self, number: int) -> str:
        return "\n".join(content for _, content in questions(self._spool[number]))
