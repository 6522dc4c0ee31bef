"""From samples to token ids: every assistant turn is supervised, its stop token included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuneloop.core.records import Sample
from tuneloop.models.template import ChatTemplate


@dataclass(frozen=True, slots=True)
class Example:
    """One sample as the model is trained on it."""

    id: str
    ids: tuple[int, ...]
    supervised: tuple[bool, ...]
    ends_with_stop: bool
    """False when the last stop token was cut away."""

    @property
    def targets(self) -> int:
        """Tokens that count in the loss (the first token of a sample has no predecessor and can't)."""
        return sum(self.supervised[1:])


def tokenise(samples: Sequence[Sample], template: ChatTemplate, max_length: int | None = None) -> list[Example]:
    """Render samples and cut them at `max_length` tokens."""
    stop = set(template.stop_ids)
    examples = []
    for sample, tokens in zip(samples, template.render_many([s.messages for s in samples]), strict=True):
        ids, supervised = tokens.ids[:max_length], tokens.supervised[:max_length]
        stopped = any(kept and i in stop for i, kept in zip(ids[-2:], supervised[-2:], strict=True))
        examples.append(Example(sample.id, ids, supervised, stopped))
    return examples
