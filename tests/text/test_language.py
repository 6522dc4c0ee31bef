"""Chinese or English, from the letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.language import detect_language, han_share


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How do I reset my password?", "en"),
        ("怎么重置密码？", "zh"),
        ("我的 iPhone 15 Pro Max 怎么绑定 Apple Pay", "zh"),
        ("The word 银行 means bank in Chinese", "en"),
        ("Où est ma carte ?", "en"),
        ("", None),
        ("12345 !?", None),
        ("カードをなくしました", None),
        ("Где моя карта", None),
        ("카드를 잃어버렸어요", None),
    ],
)
def test_letters_decide_the_language(text: str, language: str | None) -> None:
    assert detect_language(text) == language


@given(st.text())
def test_the_share_of_chinese_characters_is_a_share(text: str) -> None:
    assert 0.0 <= han_share(text) <= 1.0


def test_spaces_do_not_count_in_the_share() -> None:
    assert han_share("你 好 a b") == 0.5
