"""`report.json` of a dataset: what was read, what was done to it, and what is in it.

Language-neutral: advice stands as codes and values, which `core.messages` puts into words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Record, Split
from tuneloop.data.tally import Example, Tally
from tuneloop.data.triggers import Trigger

FORMAT = 2
BINS = 30
BUDGETS = (128, 256, 512, 1024, 2048, 4096, 8192)
"""Lengths in tokens for which the report says how many samples would be cut."""


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
    bin_width: int
    bins: tuple[int, ...]
    """How many lengths stand in [0, bin_width), [bin_width, 2 bin_width), …; the last bin also holds everything longer."""

    @classmethod
    def of(cls, values: Sequence[int]) -> Distribution:
        """Summarise lengths.

        >>> Distribution.of([1, 2, 3]).median, Distribution.of([]).total
        (2, 0)
        """
        ordered = np.sort(np.asarray(values, dtype=np.int64)) if len(values) else np.zeros(1, dtype=np.int64)
        last = len(ordered) - 1
        width, counts = bin_counts(values)
        return cls(
            total=int(ordered.sum()),
            mean=round(float(ordered.mean()), 2),
            minimum=int(ordered[0]),
            median=int(ordered[round(0.5 * last)]),
            p95=int(ordered[round(0.95 * last)]),
            maximum=int(ordered[-1]),
            bin_width=width,
            bins=tuple(counts),
        )


def bin_counts(values: Sequence[int]) -> tuple[int, list[int]]:
    """Count lengths in bins of equal width, up to the 99th percentile; what is longer stands in the last bin.

    Returns:
        Width of a bin, and how many values each holds; their sum is the number of values.

    >>> bin_counts([0, 1, 1, 5])
    (1, [1, 2, 0, 0, 0, 1])
    """
    ordered = np.sort(np.asarray(values, dtype=np.int64)) if len(values) else np.zeros(1, dtype=np.int64)
    top = int(ordered[round(0.99 * (len(ordered) - 1))])
    width = max(1, -(-(top + 1) // BINS))
    places = np.minimum(ordered // width, top // width)
    counts = np.bincount(places, minlength=top // width + 1)
    return width, counts.tolist() if len(values) else [0] * len(counts)


class Lengths(Record):
    """Lengths of prompts (everything before the last answer) and of last answers."""

    prompt: Distribution
    answer: Distribution


class TokenLengths(Lengths):
    """Lengths in tokens of the recipe's model."""

    model: str
    cut: dict[int, int]
    """For several values of `training.max_length`: samples that are longer, prompt and answer together."""


class QuarantinedRow(Record):
    """One of the first rows in quarantine."""

    source: str
    row: int
    code: str
    reason: str
    """In the language of the run."""
    values: dict[str, Any] | None = None
    """What fills the message of `code`; None where it isn't kept."""

    def said(self, language: Language | None = None) -> str:
        """The reason in the reader's language; as the run wrote it where its values aren't kept.

        Args:
            language: of the words; the interface language when None.
        """
        if self.values is None:
            return self.reason
        try:
            return text(self.code, language, **self.values)
        except KeyError:  # another version wrote it, with a reason or values that this one doesn't know
            return self.reason


class Contradictions(Record):
    """Questions that have several different answers."""

    questions: int
    rows: int
    examples: tuple[tuple[str, ...], ...] = ()
    """Up to five: the question, then its answers."""


class Paraphrase(Record):
    """A question, and the tested one that it may ask in other words."""

    split: Split
    """Side of the question before anything was removed."""
    source: str
    row: int
    question: str
    held: str
    similarity: float


class ParaphraseReport(Record):
    """What the recipe's encoder took for paraphrases of tested questions."""

    encoder: str
    """Name of its folder."""
    similarity: float
    """From which cosine on."""
    candidates: int
    removed: int
    """How many left training; none where the recipe wants them shown only."""
    examples: tuple[Paraphrase, ...] = ()
    """The most alike ones."""


class AugmentReport(Record):
    """What one way of augmentation made of the training questions."""

    tried: int
    added: int
    dropped: dict[str, int]
    """Reason and number of variants (see `augment.checks.CHECKS`; `nothing`, `taken`)."""


class Advice(Record):
    """One thing that the reader should know; `code` and `values` are put into words by `core.messages`."""

    code: str
    status: Literal["info", "warn"]
    values: dict[str, Any] = Field(default_factory=dict)


class Report(Record):
    """The whole report. `rows_read = rows_kept + rows_quarantined + what rules removed`.

    `splits` counts what was written: the rows that were kept, and the variants of training rows that were added.
    """

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
    """Samples that were removed because a side before theirs (test, validation) or an evaluation set has their question,
    nearly has it or shares a passage with it, by side; `undivided` are those whose source named no side. `rules` says how
    many each kind of leak cost."""
    against: tuple[SourceReport, ...]
    """Evaluation sets that the dataset was compared with."""
    sources: tuple[SourceReport, ...]
    personal_data: dict[str, int] | None = None
    """Type and number of values found, None (left out of the file) where nothing looked for them; `possible_name` and
    `possible_address` were counted and left. Never a value."""
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
    paraphrases: ParaphraseReport | None = None
    """None (left out of the file) where no encoder looked for them."""
    augmented: dict[str, AugmentReport]
    """By way; empty where no variants were wanted."""
    triggers: tuple[Trigger, ...]
    """Strings that may be a backdoor."""
    advice: tuple[Advice, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Report:
        """What `as_json` made.

        Raises:
            ValidationError: it is a report of another format.
        """
        return cls.model_validate({**value, "tokens": value["tokens"] or None})

    def as_json(self) -> dict[str, Any]:
        """What stands in `report.json`; `tokens` is empty where no model measured them, `personal_data` and `paraphrases` are
        left out where nothing looked for them."""
        content = {**self.model_dump(mode="json"), "tokens": self.tokens.model_dump(mode="json") if self.tokens else {}}
        optional = ("personal_data", "paraphrases")
        return {name: value for name, value in content.items() if name not in optional or value is not None}


def report_schema() -> dict[str, Any]:
    """The JSON schema of `report.json`; it stands in `docs/schema/`."""
    schema = Report.model_json_schema(mode="serialization")
    tokens: dict[str, Any] = schema["properties"]["tokens"]
    nothing = {"type": "object", "maxProperties": 0}
    tokens["anyOf"] = [nothing if kind == {"type": "null"} else kind for kind in tokens["anyOf"]]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def count_rules(tally: Tally) -> dict[str, RuleReport]:
    return {
        name: RuleReport(changed=count.changed, removed=count.removed, flagged=count.flagged)
        for name, count in tally.rules.items()
    }


def rule_examples(tally: Tally) -> dict[str, tuple[Example, ...]]:
    return {name: tuple(count.examples) for name, count in tally.rules.items() if count.examples}


def first_quarantined(tally: Tally) -> tuple[QuarantinedRow, ...]:
    return tuple(
        QuarantinedRow(source=row.source, row=row.row, code=row.code, reason=row.reason, values=row.values)
        for row in tally.quarantine.first
    )
