"""What goes into the engine and what comes out: token ids, never text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tuneloop.core.errors import UsageError

Constraint = Callable[[tuple[int, ...]], Sequence[int]]
"""From the ids that were generated so far to the ids that may come next (never none)."""

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. Names and meanings are OpenAI's and Hugging Face's."""

    temperature: float = 0.0
    """0 is greedy: always the most likely token."""
    top_p: float = 1.0
    """Choose among the most likely tokens that together hold this share of the probability."""
    seed: int = 0
    """Each request has its own random numbers: its answer does not depend on what else is in the batch."""
    max_new_tokens: int = 256
    top_k: int = 0
    """Choose among so many of the most likely tokens; 0: all."""
    repetition_penalty: float = 1.0
    """Above 1, tokens of the prompt and of the answer so far become less likely (arXiv 1909.05858)."""
    presence_penalty: float = 0.0
    """Taken from the logit of each token that stands in the answer already."""
    frequency_penalty: float = 0.0
    """Taken from a token's logit for each time it stands in the answer."""
    logprobs: int | None = None
    """Report each token's log-probability, and those of so many most likely ones beside it; None: do not."""


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
class ScoreRequest:
    """A prompt and several texts that might follow it."""

    ids: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]
    adapter: str | None = None
    """Name of the adapter that judges; None is the base model."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """How likely the model held a token that was generated, before temperature and penalties."""

    logprob: float
    top: tuple[tuple[int, float], ...] = ()
    """The most likely tokens and their log-probabilities, falling."""


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
    logprobs: tuple[TokenLogprob, ...] = ()
    """One a token, when they were asked for."""
    adapter_version: str | None = None
    """Which version of the adapter answered."""


def check_prompt(ids: Sequence[int], texts: Sequence[Sequence[int]] = (), *, vocabulary: int, context: int) -> None:
    """Refuse what a model can't read.

    Args:
        ids: the prompt.
        texts: what may follow it and is to be scored.
        vocabulary: rows of the model's embedding.
        context: tokens that it reads at most.

    Raises:
        UsageError: the prompt is empty, too long or has tokens that don't exist (codes `models.prompt_…`).
    """
    if not ids:
        raise UsageError("models.prompt_empty")
    # One unknown token would end everybody's forward, not only its own request's.
    last = vocabulary - 1
    for text in (ids, *texts):
        if text and not (min(text) >= 0 and max(text) <= last):
            token = min(text) if min(text) < 0 else max(text)
            raise UsageError("models.prompt_token_unknown", token=token, last=last)
    read = len(ids) + max([1, *map(len, texts)]) - 1  # a text's last token is judged, not read
    if read >= context:
        raise UsageError("models.prompt_too_long", tokens=read, limit=context)
