"""What goes into the engine and what comes out: token ids, never text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Constraint = Callable[[tuple[int, ...]], Sequence[int]]
"""From the ids that were generated so far to the ids that may come next (never none)."""

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen."""

    temperature: float = 0.0
    """0 is greedy: always the most likely token."""
    top_p: float = 1.0
    """Choose among the most likely tokens that together hold this share of the probability."""
    seed: int = 0
    """Each request has its own random numbers: its answer does not depend on what else is in the batch."""
    max_new_tokens: int = 256


@dataclass(frozen=True, slots=True)
class Request:
    """One prompt."""

    ids: tuple[int, ...]
    adapter: str | None = None
    """Name of the adapter that answers; None is the base model."""
    sampling: Sampling = field(default_factory=Sampling)
    stop_ids: tuple[int, ...] = ()
    constraint: Constraint | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer."""

    request: Request
    ids: tuple[int, ...]
    """What was generated, without the stop token."""
    finish_reason: FinishReason
    first_token_seconds: float
    """From the moment the engine took the request up to its first token."""
    seconds: float
    """From the same moment to the end."""
