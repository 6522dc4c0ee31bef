"""Which variants are refused."""

from __future__ import annotations

import pytest

from tuneloop.data.augment.checks import Pair, why_refused


@pytest.mark.parametrize(
    ("question", "variant", "reason"),
    [
        ("Block card 4711", "Block card 4711", "same"),
        ("Block card 4711", " ", "same"),
        ("Block card 4711", "Block my card", "value"),
        ("Block card 4711", "Block card 4711 in 5 days", "value"),
        ("Tell Anna about {slot}", "Tell Anna about slot", "value"),
        ("I didn't pay that", "I paid that", "negation"),
        ("I want my account", "I would like my account", None),
        ("我没收到卡", "我收到卡", "negation"),
        ("请特别说明", "请非常详细说明", None),
        ("I would like to open an account", "Would you like to open an account", "speaker"),
        ("i have to block a card how do i do it", "I have to block a card as I do", "asking"),
        ("Where is my card?", "我的卡在哪里？", "language"),
        ("Where is my card?", "Card?", "length"),
        ("Where is my card?", "Where is " + "my very own card and " * 5, "length"),
        ("Where is my card?", "Please sing a short song", "astray"),
    ],
)
def test_a_variant_must_mean_what_its_question_means(question: str, variant: str, reason: str | None) -> None:
    language = "en" if question.isascii() else "zh"
    assert why_refused(Pair(question, variant, language, ())) == reason


def test_a_known_value_must_survive() -> None:
    assert why_refused(Pair("我叫张三丰，卡丢了", "我姓张，卡丢了", "zh", ("张三丰",))) == "value"
