"""What is in a dataset: counted while its samples are written, a few numbers a sample."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tuneloop.core.progress import Tracker
from tuneloop.core.records import SPLITS, Sample, Split
from tuneloop.data.report import BUDGETS, Distribution, Lengths, TokenLengths

BATCH = 1000
"""Samples whose lengths in tokens are measured together."""
SHOWN: dict[Split, int] = {"train": 2, "validation": 1, "test": 1}
"""Samples of each side that the page shows."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Lengths in tokens of the recipe's model, which this stage does not know."""

    name: str
    lengths: Callable[[Sequence[Sample]], list[tuple[int, int]]]
    """Prompt tokens and answer tokens of each sample; called with none of them first, to fail before the work begins."""


class Census:
    """Counts samples as they pass.

    Args:
        measure: measures lengths in tokens; characters only when None.
    """

    def __init__(self, measure: Measure | None) -> None:
        self._measure = measure
        self._waiting: list[Sample] = []
        self._prompts, self._answers = array("I"), array("I")
        self._prompt_tokens, self._answer_tokens = array("I"), array("I")
        self._languages: Counter[str] = Counter()
        self._intents: dict[Split, Counter[str]] = {split: Counter() for split in SPLITS}
        self.rows: dict[Split, int] = dict.fromkeys(SPLITS, 0)
        self.dialogues = 0
        """Samples with more than one turn of the user."""
        self.shown: dict[Split, list[Sample]] = {split: [] for split in SPLITS}

    def count(self, split: Split, samples: Iterable[Sample], tracker: Tracker) -> Iterator[Sample]:
        """Let the samples of a side pass, and count them."""
        for sample in samples:
            self._add(split, sample)
            yield sample
            tracker.advance()
        self._measure_waiting()

    @property
    def languages(self) -> dict[str, int]:
        return dict(self._languages.most_common())

    @property
    def intents(self) -> dict[Split, dict[str, int]]:
        """Samples of each intent on each side, the most frequent intent first; empty where nothing is labelled."""
        counts = {split: dict(counter.most_common()) for split, counter in self._intents.items()}
        return counts if any(counts.values()) else {}

    @property
    def characters(self) -> Lengths:
        return Lengths(prompt=Distribution.of(self._prompts), answer=Distribution.of(self._answers))

    @property
    def tokens(self) -> TokenLengths | None:
        if self._measure is None:
            return None
        whole = np.array(self._prompt_tokens, dtype=np.int64) + np.array(self._answer_tokens, dtype=np.int64)
        return TokenLengths(
            model=self._measure.name,
            prompt=Distribution.of(self._prompt_tokens),
            answer=Distribution.of(self._answer_tokens),
            cut={budget: int((whole > budget).sum()) for budget in BUDGETS},
        )

    def _add(self, split: Split, sample: Sample) -> None:
        self.rows[split] += 1
        self._prompts.append(sum(len(message.content) for message in sample.prompt))
        self._answers.append(len(sample.answer))
        self._languages[sample.meta.lang or ""] += 1
        if (intent := sample.meta.tags.get("intent")) is not None:
            self._intents[split][intent] += 1
        self.dialogues += sum(message.role == "user" for message in sample.messages) > 1
        if len(self.shown[split]) < SHOWN[split]:
            self.shown[split].append(sample)
        if self._measure is not None:
            self._waiting.append(sample)
            if len(self._waiting) == BATCH:
                self._measure_waiting()

    def _measure_waiting(self) -> None:
        if self._measure is not None and self._waiting:
            for prompt, answer in self._measure.lengths(self._waiting):
                self._prompt_tokens.append(prompt)
                self._answer_tokens.append(answer)
            self._waiting = []
