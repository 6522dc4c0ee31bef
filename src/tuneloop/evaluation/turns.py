"""Conversations in which a model meets its own earlier answers, not the reference's: mistakes then carry over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuneloop.core.records import Message, Sample
from tuneloop.evaluation.rows import TURN


def depths(rows: Sequence[Sample]) -> list[list[Sample]]:
    """Rows by the turn that they answer, first turns first: those of one depth can be answered together."""
    found: dict[int, list[Sample]] = {}
    for row in rows:
        found.setdefault(int(row.id.rpartition(TURN)[2]), []).append(row)
    return [found[depth] for depth in sorted(found)]


def with_own_answers(row: Sample, said: Mapping[str, str]) -> Sample:
    """The row with the model's own answers in place of the reference's earlier ones.

    Args:
        row: out of `as_rows(..., "own")`.
        said: what the model said so far, by row id. An empty answer stays out of no conversation: it becomes "…".
    """
    conversation = row.id.rpartition(TURN)[0]
    messages: list[Message] = []
    turn = 0
    for place, message in enumerate(row.prompt):
        if message.role == "assistant" and place > 0 and message.content.strip():
            turn += 1
            own = said.get(f"{conversation}{TURN}{turn}")
            if own is not None:
                message = message.model_copy(update={"content": own.strip() or "…"})
        messages.append(message)
    return row.model_copy(update={"messages": (*messages, row.messages[-1])})
