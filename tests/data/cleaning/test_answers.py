"""One form for all answers."""

from __future__ import annotations

import pytest

from tuneloop.data.cleaning.answers import answer_format
from tuneloop.data.cleaning.config import AnswerFormat


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1、打开\n2、点击", "1. 打开\n2. 点击"),
        ("（1）打开\n（2）点击", "1. 打开\n2. 点击"),
        ("①打开\n② 点击", "1. 打开\n2. 点击"),
        ("第一步：打开\n第二步：点击", "1. 打开\n2. 点击"),
        ("Step 1: open\nStep 2: tap", "1. open\n2. tap"),
        ("1) open\n2) tap\nDone.", "1. open\n2. tap\nDone."),
        ("(1) only one", "(1) only one"),
        ("1.5 percent\n2.5 percent", "1.5 percent\n2.5 percent"),
        ("```\n1) code\n2) code\n```", "```\n1) code\n2) code\n```"),
    ],
)
def test_steps_are_numbered_in_one_way(before: str, after: str) -> None:
    assert answer_format(AnswerFormat())(before) == after


def test_quotes_become_curly_or_straight() -> None:
    assert answer_format(AnswerFormat(quotes="curly"))('点"设置"再点"卡"') == "点“设置”再点“卡”"
    assert answer_format(AnswerFormat(quotes="curly"))('an odd " stays') == 'an odd " stays'
    assert answer_format(AnswerFormat(quotes="straight"))("tap “Cards”") == 'tap "Cards"'


def test_opening_and_closing_are_added_once() -> None:
    rule = answer_format(AnswerFormat(opening="Hello.", closing="Bye.", joiner=" "))
    assert rule("Do it.") == "Hello. Do it. Bye."
    assert rule("Hello. Do it.") == "Hello. Do it. Bye."


def test_an_empty_answer_stays_empty() -> None:
    assert answer_format(AnswerFormat(opening="Hello."))(" ") == " "
