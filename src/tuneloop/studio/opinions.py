"""From what a person clicks to feedback that a training can learn from."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tuneloop.core.errors import UsageError
from tuneloop.core.messages import Language, text
from tuneloop.core.records import Message
from tuneloop.serving.feedback import keep as keep_one
from tuneloop.store.feedback import Feedback
from tuneloop.store.workspace import Workspace
from tuneloop.studio.talk import Spoken, Turns, history


def last(turns: Turns, side: int) -> Spoken:
    """The newest answer of one side.

    Raises:
        UsageError: nothing was answered yet, or the answer is not finished (code `studio.nothing_to_rate`).
    """
    return _answer(turns, side, len(turns) - 1)


def thumb(turns: Turns, side: int, turn: int, liked: object) -> list[Feedback]:
    """Thumb up or down on the answer of any turn; taking a thumb back says nothing."""
    if liked not in (True, False):
        return []
    said = _answer(turns, side, turn)
    return [_feedback(turns, side, turn, said, kind="thumbs", value="up" if liked else "down")]


def choice(turns: Turns, value: str) -> list[Feedback]:
    """Which of the newest two answers is better: `left`, `right` or `tie`."""
    left, right = last(turns, 0), last(turns, 1)
    said = _feedback(
        turns, 0, len(turns) - 1, left, kind="choice", value=value,
        other_response_id=right.response_id, other_model=right.model, other_answer=right.text,
    )  # fmt: skip
    return [said]


def correction(turns: Turns, side: int, corrected: str) -> list[Feedback]:
    """The newest answer as it should have been.

    Raises:
        UsageError: it says nothing new (code `studio.nothing_corrected`).
    """
    said = last(turns, side)
    if not corrected.strip() or corrected.strip() == said.text.strip():
        raise UsageError("studio.nothing_corrected")
    return [_feedback(turns, side, len(turns) - 1, said, kind="correction", value="corrected", corrected=corrected)]


def keep(workspace: Workspace, said: Sequence[Feedback], language: Language) -> str:
    """Store what was said, masked, and return the sentence that confirms it.

    Raises:
        TuneloopError: what the database raises.
    """
    for one in said:
        keep_one(workspace, one)
    if not said:
        return ""
    newest = said[-1]
    about = newest.model if newest.other_model is None else f"{newest.model} / {newest.other_model}"
    value = text(f"studio.value_{newest.value}", language)
    return escape(text("studio.kept", language, value=value, model=about, id=newest.response_id[-8:]))


def _answer(turns: Turns, side: int, turn: int) -> Spoken:
    if not 0 <= turn < len(turns) or not turns[turn].sides[side].is_rateable:
        raise UsageError("studio.nothing_to_rate")
    return turns[turn].sides[side]


def _feedback(turns: Turns, side: int, turn: int, said: Spoken, **fields: object) -> Feedback:
    asked = (*history(turns[:turn], side), Message(role="user", content=turns[turn].question))
    values = {"response_id": said.response_id, "model": said.model, "messages": asked, "answer": said.text}
    return Feedback.model_validate(values | fields)
