"""Conversations take turns, start with the user and end with the assistant."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.core.records import Role
from tuneloop.data.conversation import LEADING, MERGED, TRAILING, make_conversation, make_prompt
from tuneloop.data.turns import BadRow, Turn

U, A, S, T = "user", "assistant", "system", "tool"


def _made(*turns: Turn, system: str | None = None) -> list[tuple[str, str]]:
    messages, _ = make_conversation(turns, system)
    return [(message.role, message.content) for message in messages]


def test_a_question_after_the_last_answer_is_cut_and_told() -> None:
    messages, applied = make_conversation([(U, "q"), (A, "a"), (U, "thanks")])
    assert [message.content for message in messages] == ["q", "a"]
    assert applied == (TRAILING,)


def test_an_answer_before_the_first_question_is_cut_and_told() -> None:
    messages, applied = make_conversation([(A, "welcome"), (U, "q"), (A, "a")])
    assert [message.content for message in messages] == ["q", "a"]
    assert applied == (LEADING,)


def test_neighbouring_turns_of_a_role_are_joined_and_told() -> None:
    messages, applied = make_conversation([(U, "q1"), (U, "q2"), (A, "a1"), (A, "a2")])
    assert [message.content for message in messages] == ["q1\nq2", "a1\na2"]
    assert applied == (MERGED,)


def test_results_of_two_tools_stay_two() -> None:
    made = _made((U, "q"), (A, "call"), (T, "1"), (T, "2"), (A, "a"))
    assert made == [(U, "q"), (A, "call"), (T, "1"), (T, "2"), (A, "a")]


def test_the_recipes_system_message_is_for_conversations_that_have_none() -> None:
    assert _made((U, "q"), (A, "a"), system="s")[0] == (S, "s")
    assert _made((S, "own"), (U, "q"), (A, "a"), system="s")[0] == (S, "own")
    assert _made((S, ""), (U, "q"), (A, "a"))[0] == (U, "q")


@pytest.mark.parametrize(
    ("turns", "code"),
    [
        ([], "data.question_empty"),
        ([(A, "a")], "data.question_empty"),
        ([(U, ""), (A, "a")], "data.question_empty"),
        ([(U, "q")], "data.answer_empty"),
        ([(U, "q"), (A, "")], "data.answer_empty"),
        ([(A, "a"), (U, "q")], "data.answer_empty"),
        ([(U, "q"), (A, ""), (U, "r"), (A, "a")], "data.turn_empty"),
    ],
)
def test_what_is_missing_is_named(turns: list[Turn], code: str) -> None:
    with pytest.raises(BadRow) as caught:
        make_conversation(turns)
    assert caught.value.code == code


ROLES: tuple[Role, ...] = ("system", "user", "assistant", "tool")


@given(st.lists(st.tuples(st.sampled_from(ROLES), st.sampled_from(["", "x", "y"])), max_size=8))
def test_every_conversation_that_is_made_is_well_formed(turns: list[Turn]) -> None:
    try:
        messages, _ = make_conversation(turns)
    except BadRow:
        return
    roles = [message.role for message in messages]
    spoken = [role for role in roles if role != "system"]
    assert roles.count("system") <= 1
    assert "system" not in roles[1:]
    assert spoken[0] == "user"
    assert spoken[-1] == "assistant"
    assert all(one != other or one == "tool" for one, other in pairwise(spoken))
    assert all(message.content for message in messages)


def test_a_prompt_ends_with_the_last_question() -> None:
    messages = make_prompt([(U, "q"), (A, "a"), (U, "q2"), (A, "to be replaced")], "s")
    assert [(message.role, message.content) for message in messages] == [(S, "s"), (U, "q"), (A, "a"), (U, "q2")]


@pytest.mark.parametrize("turns", [[], [(A, "a")], [(U, "")]])
def test_a_prompt_needs_a_question(turns: list[Turn]) -> None:
    with pytest.raises(BadRow):
        make_prompt(turns)
