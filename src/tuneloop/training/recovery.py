"""What a run decided by itself, kept in `recovery.json`: smaller micro-batches, and windows that are left out after a spike.

Every decision says from which step on it holds. A resumed run meets the same decisions at the same steps, and so stays
the same bit for bit, wherever it was stopped.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tuneloop.core.records import Record
from tuneloop.store.artifacts import write_text_atomically

FILE = "recovery.json"
ATTEMPTS, SOON = 3, 20
"""The run gives up when the trouble came back this often, each time within so many steps."""
RATE_CUT = 0.5
"""The learning rate is multiplied by this at each rollback."""

Place = Literal["training", "evaluation"]


class Smaller(Record):
    """From a step on, a micro-batch holds at most so many tokens; a longer sample stands alone."""

    place: Place
    step: int
    tokens: int


class Rollback(Record):
    """After the checkpoint of step `back_to`, the steps `first` … `last` are left out and the rate is lower."""

    back_to: int
    first: int
    last: int
    reason: Literal["spike", "not_finite"]


class Recovery(Record):
    """All decisions, oldest first."""

    smaller: tuple[Smaller, ...] = ()
    rollbacks: tuple[Rollback, ...] = ()

    def tokens(self, place: Place, step: int) -> int | None:
        """The limit that holds at a step, or None.

        >>> seen = Recovery(smaller=(Smaller(place="training", step=7, tokens=512),))
        >>> seen.tokens("training", 6), seen.tokens("training", 7), seen.tokens("evaluation", 7)
        (None, 512, None)
        """
        return min((s.tokens for s in self.smaller if s.place == place and s.step <= step), default=None)

    def leaves_out(self, step: int) -> bool:
        return any(r.first <= step <= r.last for r in self.rollbacks)

    def rate_factor(self, step: int) -> float:
        """Share of the planned learning rate that is left at a step."""
        return RATE_CUT ** sum(r.back_to < step for r in self.rollbacks)

    def attempts(self, first: int) -> int:
        """How many rollbacks in a row led to a window of bad steps that begins at `first`.

        One counts when the trouble came back within `SOON` steps of the end of its window.

        >>> one, two = (Rollback(back_to=30, first=f, last=f + 4, reason="spike") for f in (31, 36))
        >>> Recovery(rollbacks=(one, two)).attempts(41), Recovery(rollbacks=(one, two)).attempts(200)
        (2, 0)
        """
        count = 0
        for rollback in reversed(self.rollbacks):
            if first - rollback.last > SOON:
                break
            count, first = count + 1, rollback.first
        return count

    def with_smaller(self, place: Place, step: int, tokens: int) -> Recovery:
        return self.model_copy(update={"smaller": (*self.smaller, Smaller(place=place, step=step, tokens=tokens))})

    def with_rollback(self, rollback: Rollback) -> Recovery:
        return self.model_copy(update={"rollbacks": (*self.rollbacks, rollback)})


def read_recovery(folder: Path) -> Recovery:
    """The decisions of the run in a folder; none when it never had to decide."""
    path = folder / FILE
    return Recovery.model_validate_json(path.read_bytes()) if path.exists() else Recovery()


def write_recovery(folder: Path, recovery: Recovery) -> None:
    """Keep the decisions, whole or not at all."""
    write_text_atomically(folder / FILE, recovery.model_dump_json(indent=2) + "\n")
