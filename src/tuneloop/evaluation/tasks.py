"""What kind of answers is judged: free ones, one out of a few candidates, or records.

`TASKS` is the plug-in point: how the candidates of each row are found, and what such answers are judged by. With
candidates nothing is generated: each one's log-probability is read off the model, and the most likely one is the
answer, so that no invalid label can appear. To add a task: a function, a line in `TASKS`, its name in `config.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.core.records import SPLITS, Sample
from tuneloop.evaluation.metrics import normalised
from tuneloop.evaluation.rows import shortened
from tuneloop.store.samples import read_split

Candidates = list[tuple[str, ...]]
"""For each row, the answers that it may get."""

MOST_LABELS = 1000
_OPTION = re.compile(r"^\s*[(（]?([A-Za-z]|\d{1,2})[)）.．、:：]\s*(\S.*?)\s*$", re.MULTILINE)


def labels_of(dataset: Path, given: Sequence[str] | None) -> tuple[str, ...]:
    """The label set: the recipe's, else every answer of the dataset, in alphabetical order.

    Raises:
        DataError: there are fewer than two (code `evaluation.labels_few`), or so many that they are no labels
            (`evaluation.labels_many`).
    """
    found: Iterable[str]
    found = given or (sample.answer.strip() for split in SPLITS for sample in read_split(dataset, split))
    labels = tuple(dict.fromkeys(given)) if given else tuple(sorted(set(found)))
    if len(labels) < 2:
        raise DataError("evaluation.labels_few", file=dataset, labels=", ".join(labels) or text("general.no_rows"))
    if len(labels) > MOST_LABELS:
        raise DataError("evaluation.labels_many", file=dataset, count=len(labels), limit=MOST_LABELS)
    return labels


def same_labels(rows: Sequence[Sample], labels: Sequence[str]) -> Candidates:
    """Every row may get every label.

    Raises:
        DataError: a reference is no label (code `evaluation.label_unknown`, names the first such row).
    """
    known = set(labels)
    for row in rows:
        if row.answer.strip() not in known:
            raise DataError(
                "evaluation.label_unknown",
                file=row.meta.source,
                row=row.meta.row,
                label=shortened(row.answer, 40),
                known=shortened(", ".join(labels), 200),
            )
    return [tuple(labels)] * len(rows)


def listed_options(rows: Sequence[Sample], labels: Sequence[str]) -> Candidates:
    """The options that a row's own question lists, one a line: their letters, or their texts, as the reference is.

    Raises:
        DataError: a question lists no options, or its reference is none of them (code `evaluation.options_missing`).
    """
    return [_options(row) for row in rows]


def _options(row: Sample) -> tuple[str, ...]:
    listed = _OPTION.findall(row.question)
    reference = normalised(row.answer)
    for place in (0, 1):
        options = tuple(dict.fromkeys(option[place] for option in listed))
        if len(options) > 1 and reference in {normalised(option) for option in options}:
            return options
    raise DataError(
        "evaluation.options_missing",
        file=row.meta.source,
        row=row.meta.row,
        question=shortened(row.question),
        answer=shortened(row.answer, 40),
    )


@dataclass(frozen=True)
class Task:
    """One kind of answers."""

    candidates: Callable[[Sequence[Sample], Sequence[str]], Candidates] | None = None
    """From rows and the label set to each row's candidates; None: answers are free."""
    metrics: tuple[str, ...] | None = None
    """What judges them instead of the recipe's metrics."""
    headline: str | None = None
    """The metric of the verdict where the recipe leaves it open."""
    labelled: bool = False
    """All rows share one label set, so that F1 of each label has a meaning."""
    records: bool = False
    """Answers are records in JSON."""


TASKS: dict[str, Task] = {
    "answers": Task(),
    "classification": Task(same_labels, ("accuracy", "macro_f1"), "accuracy", labelled=True),
    "multiple_choice": Task(listed_options, ("accuracy",), "accuracy"),
    "extraction": Task(None, ("field_f1", "record_match", "schema_valid"), "field_f1", records=True),
}
