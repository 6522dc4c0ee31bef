"""A conversation in the terminal, with somebody who answers at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.errors import UsageError
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

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        yield str(len(messages))
        yield "."


class Broken:
    """Breaks off in the middle."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def stream(self, messages: Sequence[Message]) -> Iterator[str]:
        yield "half"
        raise self._error


def talk(*lines: str, chat: Chat | None = None) -> tuple[str, list[str]]:
    """What was answered, and what was noted."""
    answered: list[str] = []
    notes: list[str] = []
    converse(chat or Chat(Counter()), lines, answered.append, notes.append)
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
    chat = Chat(Broken(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        list(chat.ask("a"))
    assert chat.messages == ()


def test_a_conversation_that_grew_too_long_is_told_and_goes_on() -> None:
    error = UsageError("serving.prompt_too_long", tokens=9, limit=8)
    answered, notes = talk("a", "b", chat=Chat(Broken(error)))
    assert answered == "halfhalf"
    assert "/undo" in notes[1]


@given(st.lists(st.sampled_from(["ask", "/undo", "/reset"]), max_size=20))
def test_the_conversation_is_always_a_row_of_whole_turns(steps: list[str]) -> None:
    chat = Chat(Counter())
    turns: list[str] = []
    for number, step in enumerate(steps):
        if step == "ask":
            list(chat.ask(str(number)))
            turns.append(str(number))
        else:
            talk(step, chat=chat)
            turns = turns[:-1] if step == "/undo" else []
    assert [m.content for m in chat.messages if m.role == "user"] == turns
    assert [m.role for m in chat.messages] == ["user", "assistant"] * len(turns)
