"""What a person clicks is kept with the version that answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneloop.core.errors import UsageError
from tuneloop.store.feedback import list_feedback
from tuneloop.store.workspace import Workspace
from tuneloop.studio import opinions
from tuneloop.studio.talk import Spoken, Turn, Turns


def said(model: str, text: str, reason: str | None = "stop") -> Spoken:
    return Spoken(model, response_id=f"id-{model}-{text}", text=text, finish_reason=reason)


TURNS: Turns = (
    Turn("Hi", (said("base", "Hello"), said("bank@v0001", "Good day"))),
    Turn("And?", (said("base", "So"), said("bank@v0001", "Thus"))),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path).ensure()


def test_a_thumb_is_about_the_answer_of_its_turn(workspace: Workspace) -> None:
    told = opinions.keep(workspace, opinions.thumb(TURNS, 1, 0, True), "en")
    opinions.keep(workspace, opinions.thumb(TURNS, 0, 1, False), "en")
    first, second = list_feedback(workspace)
    assert (first.model, first.response_id, first.value) == ("bank@v0001", "id-bank@v0001-Good day", "up")
    assert [message.content for message in first.messages] == ["Hi"]
    assert (second.model, second.answer, second.value) == ("base", "So", "down")
    assert [message.content for message in second.messages] == ["Hi", "Hello", "And?"]
    assert told == "Kept: good · bank@v0001 · Good day"


def test_a_thumb_that_is_taken_back_keeps_nothing(workspace: Workspace) -> None:
    assert opinions.keep(workspace, opinions.thumb(TURNS, 1, 0, None), "en") == ""
    assert list_feedback(workspace) == []


def test_a_choice_holds_both_answers(workspace: Workspace) -> None:
    for value in ("left", "tie", "right"):
        opinions.keep(workspace, opinions.choice(TURNS, value), "zh")
    found = list_feedback(workspace, kind="choice")
    assert [one.value for one in found] == ["left", "tie", "right"]
    assert {(one.model, one.answer, one.other_model, one.other_answer) for one in found} == {
        ("base", "So", "bank@v0001", "Thus")
    }
    assert found[0].other_response_id == "id-bank@v0001-Thus"


def test_a_correction_must_say_something_else(workspace: Workspace) -> None:
    opinions.keep(workspace, opinions.correction(TURNS, 1, "Therefore"), "en")
    kept = list_feedback(workspace)[0]
    assert (kept.kind, kept.answer, kept.corrected) == ("correction", "Thus", "Therefore")
    for nothing in ("", "  ", "Thus\n"):
        with pytest.raises(UsageError) as caught:
            opinions.correction(TURNS, 1, nothing)
        assert caught.value.code == "studio.nothing_corrected"


def test_there_must_be_a_finished_answer() -> None:
    growing: Turns = (Turn("Hi", (said("base", "He", None), said("bank@v0001", "", "error"))),)
    for turns, side, turn in ((growing, 0, 0), (growing, 1, 0), ((), 0, 0), (TURNS, 0, 2), (TURNS, 0, -1)):
        with pytest.raises(UsageError) as caught:
            opinions.thumb(turns, side, turn, True)
        assert caught.value.code == "studio.nothing_to_rate"
