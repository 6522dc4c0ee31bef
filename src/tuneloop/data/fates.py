"""What becomes of every sample: removed by a named rule, or put on a side. Decided on keys; a text is read where it must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.records import Sample, Split
from tuneloop.data.config import DataConfig
from tuneloop.data.duplicates import find_duplicates, group_names
from tuneloop.data.keys import NOWHERE, SIDES, TEST, TRAIN, VALIDATION, KeyTable, Mask, Sides
from tuneloop.data.near import Pairs, near_copies, near_questions
from tuneloop.data.paraphrases import Candidates, Encoder, asked, find_paraphrases
from tuneloop.data.split import divide
from tuneloop.data.spool import Spool
from tuneloop.data.tally import EXAMPLES, Tally
from tuneloop.text.leaks import Hashes, HeldPassages, passages

EXACT = "exact_duplicate"
NEAR = "near_duplicate"
LEAK = "leak"
NEAR_LEAK = "near_leak"
PASSAGE_LEAK = "passage_leak"
PARAPHRASE_LEAK = "paraphrase_leak"
RULES = (EXACT, NEAR, LEAK, NEAR_LEAK, PASSAGE_LEAK, PARAPHRASE_LEAK)
"""What may remove a sample, in this order."""


@dataclass(slots=True)
class Fates:
    """The side of every sample, and why some have none."""

    sides: Sides
    """Side of each sample; nowhere: removed, or of an evaluation set (see `keys.SIDES`)."""
    table: KeyTable
    validation_taken: bool = False
    leaks: Counter[str] = field(default_factory=Counter)
    """Samples that left because of a leak, by the side that their source named (`undivided` where it named none)."""
    paraphrases: Candidates | None = None
    """Samples that may ask a tested question in other words; None where no encoder looked for them."""

    def on(self, side: Split) -> NDArray[np.int64]:
        """Numbers of the samples of a side, in the order in which they were read."""
        return np.flatnonzero((self.sides == SIDES.index(side)) & ~self.table.foreign)

    @property
    def learnt(self) -> NDArray[np.int64]:
        """Numbers of the training samples that no grammar made."""
        return np.flatnonzero((self.sides == TRAIN) & ~self.table.made)

    @property
    def kept(self) -> Mask:
        on_a_side: Mask = self.sides != NOWHERE
        return on_a_side & ~self.table.foreign


def decide(
    spool: Spool, config: DataConfig, seed: int, tally: Tally, progress: Progress, encoder: Encoder | None = None
) -> Fates:
    """Remove duplicates, divide what is left, and take out of training what leaks.

    Args:
        spool: all samples, those of evaluation sets included.
        config: the recipe's data section.
        seed: seed of the division.
        tally: counts what is removed, and shows the first ones.
        progress: gets bars.
        encoder: looks for paraphrases; None where the recipe names none.
    Raises:
        DataError: too few samples are left to divide (codes `data.too_few`, `data.no_training_rows`), or none has the tag
            they are grouped by (`data.group_missing`), or the encoder names most of them (`data.encoder_finds_most`).
    """
    table = spool.keys.table()
    spool.written()
    left = ~table.foreign
    if config.deduplicate.exact:
        copies = find_duplicates(table.whole[left], table.own[left])
        numbers = np.flatnonzero(left)
        _remove(EXACT, {int(numbers[one]): int(numbers[other]) for one, other in copies.items()}, left, spool, tally)
    if config.deduplicate.exact and config.deduplicate.near is not None:
        copies = near_copies(spool, table, left, config.deduplicate.near, progress)
        _remove(NEAR, copies, left, spool, tally)

    near = np.empty((0, 2), dtype=np.int64)
    if config.leaks.near is not None:
        near = near_questions(spool, table, left | table.foreign, config.leaks.near, progress)
    fates = _divide(spool, table, left, near, config, seed)

    in_the_way = left & (fates.sides == NOWHERE)
    _remove_leaks(LEAK, dict.fromkeys(np.flatnonzero(in_the_way).tolist()), fates, spool, tally)
    _remove_leaks(NEAR_LEAK, _across(near, fates), fates, spool, tally)
    if config.leaks.passages:
        _remove_leaks(PASSAGE_LEAK, _shared_passages(spool, fates, progress), fates, spool, tally)
    if encoder is not None:
        fates.paraphrases = find_paraphrases(spool, fates.sides, table, encoder, progress)
        if encoder.config.remove:
            fates.paraphrases.refuse_if_most(int((fates.sides == TRAIN).sum()))
            _remove_leaks(PARAPHRASE_LEAK, fates.paraphrases.held, fates, spool, tally)
    if not len(fates.on("train")) and not _only_tested(table, left):
        raise DataError("data.no_training_rows", rows=int(left.sum()))
    return fates


def _divide(spool: Spool, table: KeyTable, left: Mask, near: Pairs, config: DataConfig, seed: int) -> Fates:
    """Decide each sample's side, and refuse what can't be divided."""
    group_by = config.split.group_by
    if group_by is not None and not table.tag[left].any():
        raise DataError(
            "data.group_missing", group_by=group_by, known=", ".join(sorted(spool.keys.tags)) or text("general.none")
        )
    # Nearly equal questions of given sides are no group: each pair is looked at by itself afterwards.
    free = (table.own == NOWHERE)[near].all(axis=1)
    names = group_names(table, near[free])
    wants_sides = config.split.validation > 0 or config.split.test > 0
    if len(np.unique(names[left])) < 2 and (table.own[left] == NOWHERE).all() and wants_sides:
        raise DataError("data.too_few", rows=int(left.sum()), questions=len(np.unique(names[left])))
    numbers = np.flatnonzero(left | table.foreign)
    division = divide(names[numbers], table.own[numbers], table.intent[numbers], config.split, seed)
    sides = np.full(len(table), NOWHERE, dtype=np.int8)
    sides[numbers] = division.sides
    return Fates(sides, table, division.validation_taken)


def _only_tested(table: KeyTable, left: Mask) -> bool:
    """A file to be scored has test rows alone."""
    return bool((table.own[left] == TEST).all())


def _across(near: Pairs, fates: Fates) -> dict[int, int]:
    """Samples that ask nearly what a side before theirs (test, validation) asks, and the sample that does."""
    sides = fates.sides[near]
    order = np.argsort(sides, axis=1, kind="stable")
    sorted_sides = np.take_along_axis(sides, order, axis=1)
    crossing = (sorted_sides[:, 0] < sorted_sides[:, 1]) & (sorted_sides[:, 1] != NOWHERE)
    pairs = np.take_along_axis(near, order, axis=1)[crossing]
    return {leaking: held for held, leaking in pairs.tolist()}


def _shared_passages(spool: Spool, fates: Fates, progress: Progress) -> dict[int, int]:
    """Training samples whose questions share a passage with a test question, and validation samples that do.

    The tested side's passages are kept in memory, eight bytes each; the others pass by. Answers are not looked at: those of
    one domain share the house's phrases, and more than half of the training rows would go (see docs/log.md).
    """
    found: dict[int, int] = {}
    for held, checked in ((TEST, VALIDATION), (VALIDATION, TRAIN), (TEST, TRAIN)):
        numbers = np.flatnonzero((fates.sides == checked) & ~fates.table.made & ~fates.table.foreign).tolist()
        tested = np.flatnonzero((fates.sides == held) & ~fates.table.made).tolist()
        if not numbers or not tested:
            continue
        samples = zip(tested, spool.read(tested), strict=True)
        index = HeldPassages((number, question_passages(sample)) for number, sample in samples)
        with progress.track(text("data.progress.leaks"), len(numbers), text("data.progress.rows")) as tracker:
            for number, sample in zip(numbers, spool.read(numbers), strict=True):
                index.look(number, question_passages(sample))
                tracker.advance()
        found |= index.leaking()
    return found


def question_passages(sample: Sample) -> Hashes:
    """The passages of everything that the user says."""
    return np.concatenate([passages(message.content) for message in sample.messages if message.role == "user"])


def _remove(rule: str, copies: Mapping[int, int | None], left: Mask, spool: Spool, tally: Tally) -> None:
    """Take samples out, count them, and show the first ones beside what stays."""
    left[list(copies)] = False
    tally.remove(rule, len(copies))
    for number, stays in list(copies.items())[:EXAMPLES]:
        sample = spool[number]
        if rule == NEAR and stays is not None:
            removed, other = (f"{one.question}\n{one.answer}" for one in (sample, spool[stays]))
        else:
            # An earlier turn may be what they share.
            removed, other = asked(sample), "" if stays is None or rule == EXACT else asked(spool[stays])
        tally.show(rule, sample.meta.source, sample.meta.row, removed, other)


def _remove_leaks(rule: str, leaking: Mapping[int, int | None], fates: Fates, spool: Spool, tally: Tally) -> None:
    """Take samples off their side."""
    left = fates.sides != NOWHERE
    _remove(rule, leaking, left, spool, tally)
    fates.sides[~left] = NOWHERE
    named = Counter(SIDES[own] or "undivided" for own in fates.table.own[list(leaking)].tolist())
    fates.leaks.update(named)
