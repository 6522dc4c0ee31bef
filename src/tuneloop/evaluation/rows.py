"""Which rows are scored: the test split, checked, cut to turns, and reduced to a fair share when it is too long.

A row is a `Sample` that ends in the answer to score. Its *unit* is the conversation that it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tuneloop.core.errors import DataError, RefusedError
from tuneloop.core.records import Sample
from tuneloop.core.seeds import generator
from tuneloop.store.samples import read_split
from tuneloop.text.normalise import question_key

Turns = Literal["last", "all", "own"]

TURN = "#"
"""Between the id of a conversation and the number of the turn that a row answers."""


def read_test_rows(dataset: Path) -> list[Sample]:
    """Read the test split of a dataset folder.

    Raises:
        DataError: it has no rows (code `evaluation.no_test_rows`), or a row has no reference answer
            (`evaluation.reference_empty`, with the first such row).
    """
    path = dataset / "test.jsonl"
    samples = read_split(dataset, "test")
    if not samples:
        raise DataError("evaluation.no_test_rows", file=path)
    empty = [row for row, sample in enumerate(samples, start=1) if not sample.answer.strip()]
    if empty:
        raise DataError("evaluation.reference_empty", file=path, row=empty[0], count=len(empty))
    return samples


def leaked(test: Sequence[Sample], train: Sequence[Sample]) -> list[Sample]:
    """Test samples whose question stands in the training split too.

    In a conversation all that was said before the last answer is the question: "yes, please" alone is no leak. The
    data stage divides by the same key, so that only a source's own split can leak.
    """
    seen = {_question(sample) for sample in train}
    return [sample for sample in test if _question(sample) in seen]


def refuse_leaks(leaks: Sequence[Sample], test: Sequence[Sample], dataset: Path) -> None:
    """Refuse to score answers that were trained on.

    Raises:
        RefusedError: there are leaks (code `evaluation.leak`, names the first one).
    """
    if leaks:
        row = next(place for place, sample in enumerate(test, start=1) if sample.id == leaks[0].id)
        raise RefusedError(
            "evaluation.leak",
            file=dataset / "test.jsonl",
            row=row,
            count=len(leaks),
            question=shortened(leaks[0].question),
        )


def choose(samples: Sequence[Sample], max_rows: int | None, seed: int) -> list[Sample]:
    """Choose at most `max_rows` samples, the same ones for the same seed, in their order in the file.

    Shares are kept: samples are sorted by seen or unseen, then intent, then kind, at random within, and every k-th is
    taken (systematic sampling: each group's number is its exact share, rounded up or down).
    """
    if max_rows is None or len(samples) <= max_rows:
        return list(samples)
    random = generator(seed, "evaluation", "rows")
    shuffled = random.sample(range(len(samples)), len(samples))
    ordered = sorted(shuffled, key=lambda place: _stratum(samples[place]))
    step = len(samples) / max_rows
    start = random.random() * step
    taken = {ordered[min(len(samples) - 1, math.floor(start + turn * step))] for turn in range(max_rows)}
    return [samples[place] for place in sorted(taken)]


def as_rows(samples: Sequence[Sample], turns: Turns) -> list[Sample]:
    """Cut conversations into rows: one for the last answer, or one for every assistant turn.

    Before a turn stand the reference's turns; `turns.py` puts the model's own in their place.
    """
    if turns == "last":
        return list(samples)
    return [
        sample.model_copy(update={"id": f"{sample.id}{TURN}{turn}", "messages": sample.messages[: place + 1]})
        for sample in samples
        for turn, place in enumerate(_answers(sample), start=1)
    ]


def units_of(rows: Sequence[Sample], turns: Turns) -> list[str]:
    """The conversation that each row comes from: rows of one conversation are drawn together.

    >>> from tuneloop.core.records import Meta
    >>> units_of([Sample(id="a1#2", messages=(), meta=Meta(source="x", row=1))], "all")
    ['a1']
    """
    return [row.id if turns == "last" else row.id.rpartition(TURN)[0] for row in rows]


def asked_of(row: Sample) -> str:
    """Everything that was said before the answer, but for a system message: "yes, please" alone is no question."""
    return "\n".join(message.content for message in row.prompt if message.role != "system")


def shortened(text: str, length: int = 80) -> str:
    """The beginning of a text, on one line.

    >>> shortened("one\\ntwo three", 8)
    'one two…'
    """
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _answers(sample: Sample) -> list[int]:
    """Places of the assistant turns that answer something."""
    return [
        place
        for place, message in enumerate(sample.messages)
        if message.role == "assistant" and place > 0 and message.content.strip()
    ]


def _question(sample: Sample) -> tuple[tuple[str, str], ...]:
    return tuple((m.role, question_key(m.content)) for m in sample.prompt if m.role != "system")


def _stratum(sample: Sample) -> tuple[str, str, str]:
    tags = sample.meta.tags
    return tags.get("seen", ""), tags.get("intent", ""), tags.get("kind", "")
