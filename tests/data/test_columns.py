"""Which column holds what: by name, by content, by the recipe."""

from __future__ import annotations

import pytest

from tuneloop.core.errors import DataError
from tuneloop.data.columns import check_given, find_name, guess_pair, native_fields, nearest_name

ROWS = [
    {
        "id": f"{n:05d}",
        "日期": f"2024-01-{n:02d}",
        "甲": f"第{n}个卡怎么办理？",
        "乙": f"您好，第{n}步请登录手机银行，然后点击办理。",
    }
    for n in range(1, 20)
]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("问题", "答案"),
        ("问", "答"),
        ("用户咨询", "客服回复"),
        ("question", "answer"),
        ("Query", "Response"),
        ("客户问题（必填）", "标准答复"),
        ("User Question", "agent-response"),
        ("提问", "回答"),
    ],
)
def test_usual_names_are_recognised(question: str, answer: str) -> None:
    rows = [{"序号": "1", answer: "x", question: "y"}]
    pair = guess_pair(rows, ["序号", answer, question])
    assert pair is not None
    assert (pair.question, pair.answer, pair.how) == (question, answer, "names")


def test_the_longer_more_varied_column_is_the_answer() -> None:
    pair = guess_pair(ROWS, ["id", "日期", "乙", "甲"])
    assert pair is not None
    assert (pair.question, pair.answer, pair.how) == ("甲", "乙", "content")


def test_a_repeated_long_text_is_no_answer() -> None:
    notice = "This conversation may be recorded for quality and training purposes."
    rows = [{"x": f"How do I {n}?", "y": f"Please do step {n}.", "z": notice} for n in range(20)]
    pair = guess_pair(rows, ["x", "y", "z"])
    assert pair is not None
    assert (pair.question, pair.answer) == ("x", "y")


def test_a_column_that_the_recipe_names_is_kept() -> None:
    pair = guess_pair(ROWS, ["id", "日期", "甲", "乙"], question="乙")
    assert pair is not None
    assert (pair.question, pair.answer) == ("乙", "甲")


def test_the_label_is_the_answer_when_nothing_else_can_be() -> None:
    rows = [{"text": f"Where is card number {n}", "label": "lost_card"} for n in range(9)]
    pair = guess_pair(rows, ["text", "label"], label="label")
    assert pair is not None
    assert (pair.question, pair.answer, pair.how) == ("text", "label", "label")


def test_numbers_dates_and_identifiers_are_neither() -> None:
    assert guess_pair(ROWS, ["id", "日期"]) is None


def test_one_text_column_is_a_question_without_an_answer() -> None:
    pair = guess_pair(ROWS, ["id", "甲"])
    assert pair is not None
    assert (pair.question, pair.answer) == ("甲", None)


def test_the_preferred_name_wins() -> None:
    assert native_fields(["category", "intent", "label"])["intent"] == "intent"
    assert find_name(["A", "Answer"], ["answer", "a"]) == "Answer"


@pytest.mark.parametrize(
    ("name", "nearest"), [("问题 ", "问题"), ("ANSWER", "answer"), ("anser", "answer"), ("zzz", None)]
)
def test_the_nearest_column_is_found(name: str, nearest: str | None) -> None:
    assert nearest_name(name, ["问题", "answer"]) == nearest


def test_a_column_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(DataError) as caught:
        check_given("faq.csv", {"input_text": "问提"}, ["问题", "答案"])
    assert caught.value.code == "data.column_missing"
    assert "问题, 答案" in caught.value.hint("en")
    assert "nearest is: 问题" in caught.value.hint("en")


def test_a_misspelt_field_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError) as caught:
        check_given("faq.csv", {"input_txt": "问题"}, ["问题"])
    assert caught.value.code == "data.field_unknown"
    assert "input_text" in caught.value.hint("en")


def test_another_name_is_a_tag() -> None:
    check_given("faq.csv", {"customer": "客户号"}, ["客户号"])
