"""Feedback: what people say about answers, stored with the version that answered, masked.

Rows are only added. Who changes their mind says something new; the reader takes the newest of a response, kind and user.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, Self

import sqlalchemy as sa
from pydantic import Field, model_validator

from tuneloop.core.records import Message, Record
from tuneloop.store.database import FEEDBACK, database_exists, open_database
from tuneloop.store.workspace import Workspace

Kind = Literal["thumbs", "choice", "correction"]
VALUES: dict[str, tuple[str, ...]] = {
    "thumbs": ("up", "down"),
    "choice": ("left", "right", "tie"),
    "correction": ("corrected",),
}
"""What each kind may say. `left` is the answer itself, `right` the other one."""

Mask = Callable[[Sequence[str]], Sequence[str]]
"""Hides personal data in the texts of one conversation; the same value gets the same stand-in in all of them."""

LONGEST = 100_000
"""Characters of a text."""


class Feedback(Record):
    """One thing that one person said about one answer.

    >>> said = Feedback(response_id="r1", model="bank@v0001", messages=(Message(role="user", content="Hi"),),
    ...                 answer="Hello", kind="thumbs", value="up")
    >>> said.value, said.corrected
    ('up', None)
    """

    response_id: str = Field(min_length=1, max_length=64)
    model: str = Field(min_length=1, max_length=160)
    """Label of the version that answered: `bank-service@v0003`, or `base`."""
    messages: tuple[Message, ...] = Field(min_length=1)
    """The conversation before the answer."""
    answer: str = Field(max_length=LONGEST)
    kind: Kind
    value: str
    """`up` or `down`; `left`, `right` or `tie`; `corrected`."""
    corrected: str | None = Field(default=None, max_length=LONGEST)
    """The answer as it should have been."""
    other_response_id: str | None = Field(default=None, max_length=64)
    """For `choice`: the answer on the right."""
    other_model: str | None = Field(default=None, max_length=160)
    other_answer: str | None = Field(default=None, max_length=LONGEST)
    user: str = Field(default="", max_length=200)
    created_at: str = ""
    """UTC; set when it is stored."""
    id: str = ""
    """Set when it is stored."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.value not in VALUES[self.kind]:
            raise ValueError(f"value is one of {', '.join(VALUES[self.kind])}")
        if self.kind == "correction" and not (self.corrected or "").strip():
            raise ValueError("a correction has a corrected answer")
        if self.kind == "choice" and self.other_answer is None:
            raise ValueError("a choice has another answer")
        return self


def add(workspace: Workspace, said: Feedback, mask: Mask) -> Feedback:
    """Store what was said; when this returns, it is on the disk. Saying the same again adds nothing, so it can be retried.

    Args:
        workspace: where it is stored.
        said: what was said, unmasked.
        mask: hides personal data before anything is written.

    Returns:
        What was stored, with its id and time.
    """
    kept = _masked(said, mask).model_copy(update={"id": uuid.uuid4().hex, "created_at": _moment()})
    here = (
        (FEEDBACK.c.response_id == said.response_id) & (FEEDBACK.c.kind == said.kind) & (FEEDBACK.c.user == said.user)
    )
    newest = sa.select(FEEDBACK).where(here).order_by(FEEDBACK.c.created_at.desc()).limit(1)
    row = kept.model_dump(mode="json")
    row["messages"] = json.dumps(row["messages"], ensure_ascii=False)
    with open_database(workspace) as database, database.write() as connection:
        there = connection.execute(newest).one_or_none()
        if there is not None:
            before = _read(there)
            if before == kept.model_copy(update={"id": before.id, "created_at": before.created_at}):
                return before
        connection.execute(FEEDBACK.insert().values(row))
    return kept


def list_feedback(
    workspace: Workspace, *, model: str | None = None, kind: Kind | None = None, limit: int | None = None
) -> list[Feedback]:
    """What was said, oldest first.

    Args:
        workspace: where it is stored.
        model: label of a version (`bank@v0003`), or the name of an adapter: all its versions.
        kind: only this kind.
        limit: only the newest so many.
    """
    if not database_exists(workspace):
        return []
    query = sa.select(FEEDBACK).order_by(FEEDBACK.c.created_at.desc(), FEEDBACK.c.id)
    if kind is not None:
        query = query.where(FEEDBACK.c.kind == kind)
    if model is not None:
        versions = FEEDBACK.c.model.startswith(f"{model}@", autoescape=True)
        query = query.where((FEEDBACK.c.model == model) | versions)
    with open_database(workspace) as database, database.read() as connection:
        rows = connection.execute(query.limit(limit)).all()
    return [_read(row) for row in reversed(rows)]


def training_row(said: Feedback) -> dict[str, Any] | None:
    """What a training can learn from it, as a row of a data file; None for a tie.

    A correction and a choice become a pair (`prompt`, `chosen`, `rejected`), a thumb a conversation with its `label`.
    """
    about = said.model_dump(include={"model", "response_id", "kind", "value", "user", "created_at"})
    prompt = [message.model_dump() for message in said.messages]

    def turn(text: str | None) -> list[dict[str, str]]:
        return [{"role": "assistant", "content": text or ""}]

    if said.kind == "thumbs":
        return {"messages": prompt + turn(said.answer), "label": said.value == "up", "feedback": about}
    if said.kind == "correction":
        return {"prompt": prompt, "chosen": turn(said.corrected), "rejected": turn(said.answer), "feedback": about}
    if said.value == "tie":
        return None
    pair = (said.answer, said.other_answer) if said.value == "left" else (said.other_answer, said.answer)
    return {"prompt": prompt, "chosen": turn(pair[0]), "rejected": turn(pair[1]), "feedback": about}


def _moment() -> str:
    """Finer than a second: the order of what one person says in a row counts."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _masked(said: Feedback, mask: Mask) -> Feedback:
    """All texts are masked together, so that a name is the same stand-in in question, answer and correction."""
    texts = [*(message.content for message in said.messages), said.answer]
    texts += [text for text in (said.corrected, said.other_answer) if text is not None]
    masked = iter(mask(texts))
    messages = tuple(Message(role=message.role, content=next(masked)) for message in said.messages)
    change: dict[str, Any] = {"messages": messages, "answer": next(masked)}
    if said.corrected is not None:
        change["corrected"] = next(masked)
    if said.other_answer is not None:
        change["other_answer"] = next(masked)
    return said.model_copy(update=change)


def _read(row: sa.Row[Any]) -> Feedback:
    values = dict(row._mapping)
    values["messages"] = json.loads(values["messages"])
    return Feedback.model_validate(values)
