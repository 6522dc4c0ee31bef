"""Everything that a probe may need: the model in an engine, the rows with their answers, and a way to ask more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tuneloop.core.messages import Language
from tuneloop.core.progress import Progress
from tuneloop.core.records import Figure, Sample
from tuneloop.engine.engine import Engine
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.arms import ARMS, TUNED
from tuneloop.evaluation.scoring import Rows, Scored
from tuneloop.evaluation.statistics import wilson
from tuneloop.models.load import LoadedModel

BASE = "base"


@dataclass(frozen=True)
class Bench:
    """What probes work on."""

    engine: Engine
    loaded: LoadedModel
    rows: Rows
    headline: str
    scored: dict[str, Scored]
    """The answers to the test rows, by arm."""
    language: Language
    dataset: Path
    train: Sequence[Sample]
    """The rows that the adapter was trained on."""
    respond: Callable[[str, Sequence[Sample], str], list[Answer]]
    """From an arm, rows and a name for the progress bar to answers."""
    progress: Progress
    seconds: dict[str, float] = field(default_factory=dict)
    """What each probe cost; it fills while they run."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The baseline and the judged arm; the baseline alone where there is no adapter."""
        return (BASE, TUNED) if TUNED in self.scored else (BASE,)

    @property
    def judged(self) -> str:
        return self.arms[-1]

    def adapter_of(self, arm: str) -> str | None:
        """The name that the engine knows the arm's weights by."""
        return TUNED if ARMS[arm].adapted else None

    def timed(self, name: str, start: float) -> None:
        """Count the time since `start` to a probe."""
        self.seconds[name] = round(time.perf_counter() - start, 3)


def share_of(passed: Sequence[float]) -> Figure:
    """The share of ones among independent items, with Wilson's interval.

    >>> share_of([1.0, 0.0, 1.0, 1.0]).value
    0.75
    """
    interval = wilson(round(sum(passed)), len(passed))
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(passed))
