"""A conversation in the terminal, with somebody who answers at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import NotFoundError, UsageError
from tuneloop.core.messages import set_language
from tuneloop.core.records import Message
from tuneloop.serving.chat import Chat, converse


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    set_language("en")
    yield
    set_language(None)


class Counter:
    """Answers with the number of messages it was shown."""

    def __init__(self, name: str = "bank@v0001") -> None:
        self.name = name

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        yield str(len(messages))
        yield "."


class Broken:
    """Breaks off in the middle."""

    name = "broken"

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        yield "half"
        raise self._error


def find(name: str) -> Counter:
    if name == "nobody":
        raise NotFoundError("registry.adapter_unknown", name=name, known="bank")
    return Counter(f"found {name}")


def begun(answers: Counter | Broken | None = None) -> Chat:
    return Chat(answers or Counter(), find)


def talk(*lines: str, chat: Chat | None = None) -> tuple[str, list[str]]:
    """What was answered, and what was noted."""
    answered: list[str] = []
    notes: list[str] = []
    converse(chat or begun(), lines, answered.append, notes.append)
    return "".join(answered), notes


def test_every_turn_is_remembered() -> None:
    assert talk("a", "b", "c") == ("1.\n3.\n5.\n", [])


def test_undo_takes_back_one_turn_and_reset_all() -> None:
    assert talk("a", "b", "/undo", "c", "/reset", "d")[0] == "1.\n3.\n3.\n1.\n"


def test_undo_of_nothing_says_so() -> None:
    assert talk("/undo")[1] == ["There is no turn to take back."]


def test_exit_ends_and_empty_lines_are_nothing() -> None:
    assert talk("", "  ", "a", "/exit", "b") == ("1.\n", [])


def test_an_unknown_command_is_no_question_and_a_path_is_one() -> None:
    answered, notes = talk("/undoo", "/etc/hosts is what?")
    assert answered == "1.\n"
    assert "/undoo" in notes[0]


def test_an_answer_that_breaks_off_leaves_the_conversation_as_it_was() -> None:
    chat = begun(Broken(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        talk("a", chat=chat)
    assert chat.voices[0].messages == ()


def test_a_conversation_that_grew_too_long_is_told_and_goes_on() -> None:
    error = UsageError("serving.prompt_too_long", tokens=9, limit=8)
    answered, notes = talk("a", "b", chat=begun(Broken(error)))
    assert answered == "halfhalf"
    assert "/undo" in notes[1]


def test_another_adapter_goes_on_with_the_conversation() -> None:
    chat = begun()
    answered, notes = talk("a", "/adapter legal", "b", chat=chat)
    assert answered == "1.\n3.\n"
    assert "found legal answers" in notes[0]
    assert chat.voices[0].name == "found legal"


def test_a_name_that_nobody_has_changes_nothing() -> None:
    chat = begun()
    answered, notes = talk("a", "/adapter nobody", "/adapter", "/compare nobody", "b", chat=chat)
    assert answered == "1.\n3.\n"
    assert len(notes) == 3
    assert "nobody" in notes[0]
    assert "one name" in notes[1]
    assert [voice.name for voice in chat.voices] == ["bank@v0001"]


def test_two_answer_the_same_question_each_with_a_conversation_of_its_own() -> None:
    chat = begun()
    answered, notes = talk("/compare base", "a", "/undo", "b", "/adapter base", "c", chat=chat)
    assert answered == "1.\n1.\n1.\n1.\n3.\n"
    assert "found base and found bank@v0001 answer" in notes[0]
    assert notes[1] == "found base:"
    assert notes[2].startswith("first words after")


def test_a_comparison_names_both_or_takes_who_answers_now() -> None:
    for typed, names in (("/compare", ["base", "bank@v0001"]), ("/compare a b", ["a", "b"])):
        chat = begun()
        talk(typed, chat=chat)
        assert [voice.name for voice in chat.voices] == [f"found {name}" for name in names]
        notes = talk("/compare", chat=chat)[1]
        assert "two names" in notes[0]


def test_when_one_of_two_breaks_off_neither_remembers_the_question() -> None:
    chat = Chat(Counter(), lambda name: Broken(UsageError("serving.no_question")) if name == "x" else Counter(name))
    talk("a", "/compare b x", "c", chat=chat)
    assert [len(voice.messages) for voice in chat.voices] == [2, 2]


def test_a_saved_conversation_is_rows_of_messages_and_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a talk.jsonl"
    notes = talk("/save", "a", "/compare x y", "b", f"/save {path}", f"/save {path}", f"/save {tmp_path}/no/way")[1]
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [row["model"] for row in rows] == ["found x", "found y"]
    assert [message["content"] for message in rows[0]["messages"]] == ["a", "1.", "b", "3."]
    assert notes[0] == "Nothing has been said yet."
    assert [("was not written" in note) for note in notes[-3:]] == [False, True, True]


@given(st.lists(st.sampled_from(["ask", "/undo", "/reset"]), max_size=20))
def test_the_conversation_is_always_a_row_of_whole_turns(steps: list[str]) -> None:
    chat = begun()
    turns: list[str] = []
    for number, step in enumerate(steps):
        if step == "ask":
            talk(str(number), chat=chat)
            turns.append(str(number))
        else:
            talk(step, chat=chat)
            turns = turns[:-1] if step == "/undo" else []
    assert [m.content for m in chat.voices[0].messages if m.role == "user"] == turns
    assert [m.role for m in chat.voices[0].messages] == ["user", "assistant"] * len(turns)
