"""Everything that a probe may need: the model in an engine, the rows with their answers, and a way to ask more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tuneloop.core.messages import Language
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Figure, Message, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.arms import TUNED
from tuneloop.evaluation.scoring import Rows, Scored
from tuneloop.evaluation.statistics import wilson

if TYPE_CHECKING:
    from tuneloop.engine.engine import Engine
    from tuneloop.models.load import LoadedModel

BASE = "base"

Consult = Callable[[str, Mapping[str, Sequence[Message]], str], dict[str, str]]
"""From a server (`https://host/v1#model`), messages by key, and a name for the progress bar to what it says, by key."""


@dataclass(frozen=True)
class Bench:
    """What probes work on."""

    engine: Engine
    loaded: LoadedModel
    rows: Rows
    headline: str
    scored: Mapping[str, Scored]
    """The answers to the test rows, by arm."""
    language: Language
    train: Sequence[Sample]
    """The rows that the adapter was trained on."""
    respond: Callable[[str, Sequence[Sample], str], list[Answer]]
    """From an arm, rows and a name for the progress bar to answers."""
    consult: Consult
    folder: Path
    """Where relative paths of the recipe begin."""
    adapter: Path | None = None
    """The folder of the judged adapter."""
    progress: Progress = SILENT
    """Where to report what takes long."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The baseline and the judged arm; the baseline alone where there is no adapter."""
        return (BASE, TUNED) if TUNED in self.scored else (BASE,)

    @property
    def judged(self) -> str:
        return self.arms[-1]

    @property
    def adapters(self) -> dict[str, str | None]:
        """The name that the engine knows each arm's weights by."""
        return {arm: None if arm == BASE else arm for arm in self.arms}


def share_of(passed: Sequence[float]) -> Figure:
    """The share of ones among independent items, with Wilson's interval.

    >>> share_of([1.0, 0.0, 1.0, 1.0]).value
    0.75
    """
    interval = wilson(round(sum(passed)), len(passed))
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(passed))
