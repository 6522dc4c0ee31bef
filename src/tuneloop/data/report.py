"""`report.json` of a dataset: what was read, what was done to it, and what is in it.

Language-neutral: advice stands as codes and values, which `core.messages` puts into words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from tuneloop.core.records import SPLITS, Record, Sample, Split
from tuneloop.data.tally import Example, Tally

FORMAT = 1


class RuleReport(Record):
    """What one rule did."""

    changed: int
    removed: int
    flagged: int = 0


class SourceReport(Record):
    """One source, and how it was understood."""

    name: str
    sha256: str
    shape: str
    """Key of `data.shapes.SHAPES`, or `grammar`."""
    columns: dict[str, str]
    """Field and column."""
    how: str
    """`native`, `given`, `names`, `content`, `label` (the last three are guesses) or `grammar`."""
    found: tuple[str, ...] = ()
    """All columns of the file."""
    headerless: bool = False


class Distribution(Record):
    """Figures of a list of lengths."""

    total: int
    mean: float
    minimum: int
    median: int
    p95: int
    maximum: int

    @classmethod
    def of(cls, values: Sequence[int]) -> Distribution:
        """Summarise lengths.

        >>> Distribution.of([1, 2, 3]).median, Distribution.of([]).total
        (2, 0)
        """
        ordered = sorted(values) or [0]
        last = len(ordered) - 1
        return cls(
            total=sum(ordered),
            mean=round(sum(ordered) / len(ordered), 2),
            minimum=ordered[0],
            median=ordered[round(0.5 * last)],
            p95=ordered[round(0.95 * last)],
            maximum=ordered[-1],
        )


class Lengths(Record):
    """Lengths of prompts (everything before the last answer) and of last answers."""

    prompt: Distribution
    answer: Distribution


class TokenLengths(Lengths):
    """Lengths in tokens of the recipe's model."""

    model: str


class QuarantinedRow(Record):
    """One of the first rows in quarantine."""

    source: str
    row: int
    code: str
    reason: str


class Contradictions(Record):
    """Questions that have several different answers."""

    questions: int
    rows: int
    examples: tuple[tuple[str, ...], ...] = ()
    """Up to five: the question, then its answers."""


class Advice(Record):
    """One thing that the reader should know; `code` and `values` are put into words by `core.messages`."""

    code: str
    status: Literal["info", "warn"]
    values: dict[str, Any] = Field(default_factory=dict)


class Report(Record):
    """The whole report. `rows_read = rows_kept + rows_quarantined + what rules removed`."""

    format: int = FORMAT
    name: str
    language: str
    seed: int
    rows_read: int
    rows_kept: int
    rows_quarantined: int
    rules: dict[str, RuleReport]
    splits: dict[Split, int]
    tokens: TokenLengths | None
    leaks: dict[str, int]
    """Samples that were removed because a side before theirs (test, validation) has their question, by side; `undivided`
    are those whose source named no side."""
    sources: tuple[SourceReport, ...]
    quarantine: dict[str, int]
    """Reason (code) and number of rows."""
    quarantined_rows: tuple[QuarantinedRow, ...]
    examples: dict[str, tuple[Example, ...]]
    """Before and after, by rule."""
    characters: Lengths
    languages: dict[str, int]
    intents: dict[Split, dict[str, int]]
    dialogues: int
    """Samples with more than one turn of the user."""
    contradictions: Contradictions
    advice: tuple[Advice, ...]

    def as_json(self) -> dict[str, Any]:
        """What stands in `report.json`; `tokens` is empty where no model measured them."""
        return {**self.model_dump(mode="json"), "tokens": self.tokens.model_dump(mode="json") if self.tokens else {}}


def count_rules(tally: Tally) -> dict[str, RuleReport]:
    return {
        name: RuleReport(changed=count.changed, removed=count.removed, flagged=count.flagged)
        for name, count in tally.rules.items()
    }


def rule_examples(tally: Tally) -> dict[str, tuple[Example, ...]]:
    return {name: tuple(count.examples) for name, count in tally.rules.items() if count.examples}


def first_quarantined(tally: Tally, limit: int = 20) -> tuple[QuarantinedRow, ...]:
    return tuple(
        QuarantinedRow(source=row.source, row=row.row, code=row.code, reason=row.reason)
        for row in tally.quarantined[:limit]
    )


def character_lengths(samples: Sequence[Sample]) -> Lengths:
    return Lengths(
        prompt=Distribution.of([sum(len(message.content) for message in sample.prompt) for sample in samples]),
        answer=Distribution.of([len(sample.answer) for sample in samples]),
    )


def token_lengths(model: str, lengths: Sequence[tuple[int, int]]) -> TokenLengths:
    return TokenLengths(
        model=model,
        prompt=Distribution.of([prompt for prompt, _ in lengths]),
        answer=Distribution.of([answer for _, answer in lengths]),
    )


def count_intents(splits: Mapping[Split, Sequence[Sample]]) -> dict[Split, dict[str, int]]:
    """Samples of each intent in each split, the most frequent intent first; empty where nothing is labelled."""
    counts: defaultdict[Split, dict[str, int]] = defaultdict(dict)
    for split in SPLITS:
        intents = Counter(sample.meta.tags.get("intent") for sample in splits.get(split, ()))
        counts[split] = {intent: count for intent, count in intents.most_common() if intent is not None}
    return dict(counts) if any(counts.values()) else {}


def describe_contradictions(samples: Sequence[Sample], groups: Sequence[Sequence[int]]) -> Contradictions:
    """Count questions with different answers, and show the first five."""
    shown = []
    for positions in groups[:5]:
        answers = dict.fromkeys(samples[position].answer[:200] for position in positions)
        shown.append((samples[positions[0]].question[:200], *list(answers)[:3]))
    return Contradictions(questions=len(groups), rows=sum(map(len, groups)), examples=tuple(shown))
