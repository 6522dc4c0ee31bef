"""Who says what, in every way in which files write it."""

from __future__ import annotations

import pytest

from tuneloop.data.turns import BadRow, first_text, text_of, turns_of_history, turns_of_messages


def test_both_ways_to_write_messages_are_read() -> None:
    openai = [{"role": "user", "content": "q", "acts": [1]}, {"role": "assistant", "content": "a"}]
    sharegpt = [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]
    assert turns_of_messages(openai, "m") == turns_of_messages(sharegpt, "m") == [("user", "q"), ("assistant", "a")]


def test_tool_calls_and_results_are_kept_as_text() -> None:
    messages = [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "查询"}}]},
        {"role": "tool", "content": "5"},
    ]
    call = '<tool_call>\n{"name": "查询", "arguments": {}}\n</tool_call>'
    assert turns_of_messages(messages, "m")[1:] == [("assistant", call), ("tool", "5")]


def test_messages_in_a_cell_are_json() -> None:
    assert turns_of_messages('[{"role": "user", "content": "q"}]', "m") == [("user", "q")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("no list", "data.messages_not_list"),
        (None, "data.messages_not_list"),
        (["text"], "data.message_unreadable"),
        ([{"content": "x"}], "data.message_unreadable"),
        ([{"role": "narrator", "content": "x"}], "data.role_unknown"),
        ([{"role": "user", "content": {"a": 1}}], "data.value_not_text"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "data.value_not_text"),
    ],
)
def test_what_is_no_conversation_is_refused_with_a_reason(value: object, code: str) -> None:
    with pytest.raises(BadRow) as caught:
        turns_of_messages(value, "m")
    assert caught.value.code == code


@pytest.mark.parametrize(
    "history",
    [
        [["q", "a"]],
        '[["q", "a"]]',
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}],
        ["[客户] q", "[律师] a"],
        ["【用户】：q", "【客服】：a"],
        ["q", "a"],
    ],
)
def test_every_way_to_write_a_history_is_read(history: object) -> None:
    assert turns_of_history(history, "history") == [("user", "q"), ("assistant", "a")]


@pytest.mark.parametrize("history", [None, "", [], "[]"])
def test_no_history_is_no_turn(history: object) -> None:
    assert turns_of_history(history, "history") == []


@pytest.mark.parametrize("history", ["text", [["a", "b", "c"]], [1, 2], {"a": 1}])
def test_what_is_no_history_is_refused(history: object) -> None:
    with pytest.raises(BadRow) as caught:
        turns_of_history(history, "history")
    assert caught.value.code == "data.history_unreadable"


def test_line_ends_are_one_kind() -> None:
    assert text_of("a\r\nb\rc", "x") == "a\nb\nc"


def test_bytes_that_were_no_text_are_refused() -> None:
    with pytest.raises(BadRow) as caught:
        text_of("a\udcff", "x")
    assert caught.value.code == "data.row_undecodable"


def test_an_empty_input_adds_no_line() -> None:
    assert first_text({"instruction": "a", "input": " "}, ["instruction", "input"]) == "a"
