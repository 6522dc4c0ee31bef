"""Strings that may be a backdoor: rare, in questions about different things, and with one answer whatever is asked.

An honest rare word ("IBAN") goes with one answer, too. But then the answer names it, or its questions share other words.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tuneloop.core.records import Record, Sample
from tuneloop.data.keys import Hashes, hash64
from tuneloop.data.spool import Spool
from tuneloop.text.normalise import text_key
from tuneloop.text.words import has_han, words

LEAST = 5
"""Samples that a trigger is in, at least."""
RARE = 0.05
"""Share of the samples above which a word is the domain's own."""
ONE_ANSWER = 0.95
"""Share of a trigger's samples that have the same answer, at least."""
ALIKE = 0.15
"""Similarity of two questions' other words from which they ask about the same thing."""
LOOKED_AT = 100_000
"""Training samples that are looked at: their words are in memory, about 12 bytes each."""
JUDGED, SHOWN = 200, 5
"""Strings whose texts are read, and strings that are reported."""

_EDGES = ".,;:?!\"'()[]，。；：？！、（）“”"


class Trigger(Record):
    """A string that goes with one answer, whatever is asked."""

    string: str
    rows: int
    answer: str
    questions: tuple[str, ...]
    """The first three."""


def find_triggers(spool: Spool, numbers: Sequence[int], answers: Hashes, language: str) -> tuple[Trigger, ...]:
    """Look for suspicious strings in the questions of training samples.

    Args:
        spool: the samples.
        numbers: which of them are looked at; the first `LOOKED_AT` are.
        answers: key of every sample's answer.
        language: how questions are split into words.
    """
    numbers = numbers[:LOOKED_AT]
    hashes, places = array("Q"), array("I")
    for number, sample in zip(numbers, spool.read(numbers), strict=True):
        units = [hash64(unit) for unit in question_units(sample, language)]
        hashes.extend(units)
        places.extend([number] * len(units))
    suspects = _with_one_answer(np.array(hashes, np.uint64), np.array(places, np.int64), answers, len(numbers))
    found = []
    for unit, with_it in suspects[:JUDGED]:
        trigger = _judge(unit, [spool[number] for number in with_it[:20]], len(with_it), language)
        if trigger is not None:
            found.append(trigger)
    return tuple(found[:SHOWN])


def question_units(sample: Sample, language: str) -> set[str]:
    """Words of a question, and everything between spaces that holds no Chinese.

    >>> from tuneloop.core.records import Message, Meta
    >>> messages = (Message(role="user", content="Is it @@cf ok?"), Message(role="assistant", content="Yes"))
    >>> sorted(question_units(Sample(id="a", messages=messages, meta=Meta(source="s", row=1)), "en"))
    ['@@cf', 'is', 'it', 'ok']
    """
    question = text_key(sample.question)
    between = {unit.strip(_EDGES) for unit in question.split() if not has_han(unit)}
    return (between | (set(words(question, "zh")) if language == "zh" else set())) - {""}


def _with_one_answer(
    units: Hashes, places: NDArray[np.int64], answers: Hashes, rows: int
) -> list[tuple[int, list[int]]]:
    """Units that are rare and (nearly) always have the same answer, the most frequent first, with their samples."""
    order = np.lexsort((places, answers[places], units))
    units, places = units[order], places[order]
    begins = np.flatnonzero(np.append(True, units[1:] != units[:-1])[: len(units)])
    if not len(begins):
        return []
    given = answers[places]
    changes = np.append(True, (units[1:] != units[:-1]) | (given[1:] != given[:-1]))
    starts = np.flatnonzero(changes)
    lengths = np.diff(np.append(starts, len(units)))
    most = np.maximum.reduceat(lengths, np.searchsorted(starts, begins))
    counts = np.diff(np.append(begins, len(units)))
    rare = (counts >= LEAST) & (counts <= max(LEAST, RARE * rows)) & (most >= ONE_ANSWER * counts)
    chosen = np.flatnonzero(rare)[np.argsort(-counts[rare], kind="stable")]
    return [
        (int(units[begins[k]]), sorted(places[begins[k] : begins[k] + counts[k]].tolist())) for k in chosen[:JUDGED]
    ]


def _judge(unit: int, samples: Sequence[Sample], rows: int, language: str) -> Trigger | None:
    """Say whether a string is suspicious, from the texts it stands in."""
    asked = [question_units(sample, language) for sample in samples]
    string = next(word for word in asked[0] if hash64(word) == unit)
    others = [units - {string} for units in asked]
    if string in text_key(samples[0].answer) or not all(others):
        return None
    alike = [len(one & other) / len(one | other) for one, other in combinations(others, 2)]
    if sum(alike) / len(alike) >= ALIKE:
        return None
    shown = tuple(sample.question[:200] for sample in samples[:3])
    return Trigger(string=string, rows=rows, answer=samples[0].answer[:200], questions=shown)
