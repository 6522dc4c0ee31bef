"""Own answers take the place of the reference's, and of nothing else."""

from __future__ import annotations

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.evaluation.rows import as_rows
from tuneloop.evaluation.turns import depths, with_own_answers

ROLES = ("system", "user", "assistant", "user", "assistant")
TALK = Sample(
    id="a",
    messages=tuple(Message(role=role, content=f"{role} {n}") for n, role in enumerate(ROLES)),  # type: ignore[arg-type]
    meta=Meta(source="made", row=1),
)


def test_rows_of_one_depth_stand_together() -> None:
    rows = as_rows([TALK, TALK.model_copy(update={"id": "b#x"})], "own")
    assert [[row.id for row in group] for group in depths(rows)] == [["a#1", "b#x#1"], ["a#2", "b#x#2"]]


def test_earlier_answers_are_the_models_own_and_the_reference_stays() -> None:
    row = as_rows([TALK], "own")[1]
    own = with_own_answers(row, {"a#1": "mine", "b#1": "another's"})
    assert [m.content for m in own.messages] == ["system 0", "user 1", "mine", "user 3", "assistant 4"]
    assert [m.content for m in with_own_answers(row, {"a#1": "  "}).messages][2] == "…"
    assert with_own_answers(row, {}) == row
