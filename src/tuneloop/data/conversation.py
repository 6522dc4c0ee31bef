"""From turns to the messages of a sample: they take turns, start with the user and end with the assistant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuneloop.core.records import Message
from tuneloop.data.turns import BadRow, Turn
from tuneloop.text.tool_calls import find_tools

LEADING = "leading_assistant_turn"
TRAILING = "trailing_user_turn"
MERGED = "merged_turns"
RULES = (LEADING, TRAILING, MERGED)
"""What may be changed in a conversation; each is counted in the report."""


def make_conversation(turns: Sequence[Turn], system: str | None = None) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Make the messages of one sample.

    Args:
        turns: cleaned turns in their order.
        system: system message for a conversation that has none.
    Returns:
        The messages, and the names of the `RULES` that changed something.
    Raises:
        BadRow: there is no question (code `data.question_empty`), no answer (`data.answer_empty`), or an empty turn in
            between (`data.turn_empty`, with its position).

    >>> make_conversation([("user", "Hi"), ("user", "there"), ("assistant", "Hello"), ("user", "Bye")])[1]
    ('trailing_user_turn', 'merged_turns')
    """
    instructions = [text for role, text in turns if role == "system" and text]
    spoken = [turn for turn in turns if turn[0] != "system"]
    applied = []
    start = _first_user(spoken)
    if start:
        applied.append(LEADING)
    end = _after_last_answer(spoken)
    if end < len(spoken):
        applied.append(TRAILING)
    spoken = spoken[start:end]
    _check_filled(spoken)
    merged = _merge(spoken)
    if len(merged) < len(spoken):
        applied.append(MERGED)
    if system and not any(find_tools(text)[0] for text in instructions):
        instructions.insert(0, system)  # descriptions of tools alone are no instruction
    instruction = "\n\n".join(instructions)
    head = [Message(role="system", content=instruction)] if instruction else []
    return (*head, *(Message(role=role, content=text) for role, text in merged)), tuple(applied)


def make_prompt(turns: Sequence[Turn], system: str | None = None) -> tuple[Message, ...]:
    """Make the messages up to the last question: what a model is asked when there is no answer, or it is to be replaced.

    Raises:
        BadRow: there is no question (code `data.question_empty`).
    """
    end = len(turns)
    while end and turns[end - 1][0] != "user":
        end -= 1
    asked = turns[:end]
    if not asked or not asked[-1][1]:
        raise BadRow("data.question_empty")
    messages, _ = make_conversation([*asked, ("assistant", "…")], system)
    return messages[:-1]


def _first_user(turns: Sequence[Turn]) -> int:
    position = next((n for n, (role, _) in enumerate(turns) if role == "user"), None)
    if position is None:
        raise BadRow("data.question_empty")
    return position


def _after_last_answer(turns: Sequence[Turn]) -> int:
    end = next((n + 1 for n in range(len(turns) - 1, -1, -1) if turns[n][0] == "assistant"), 0)
    if end <= _first_user(turns):
        raise BadRow("data.answer_empty")
    return end


def _check_filled(turns: Sequence[Turn]) -> None:
    """Refuse empty turns: the last one is the answer, the first one the question."""
    for position, (_, text) in enumerate(turns):
        if not text:
            if position == len(turns) - 1:
                raise BadRow("data.answer_empty")
            if position == 0:
                raise BadRow("data.question_empty")
            raise BadRow("data.turn_empty", position=position + 1)


def _merge(turns: Iterable[Turn]) -> list[Turn]:
    """Join neighbouring turns of the user, or of the assistant; results of two tools stay two."""
    merged: list[Turn] = []
    for role, text in turns:
        if merged and merged[-1][0] == role and role != "tool":
            merged[-1] = (role, f"{merged[-1][1]}\n{text}")
        else:
            merged.append((role, text))
    return merged
