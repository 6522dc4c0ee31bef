"""Words and characters, as metrics count them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.words import has_han, split_characters, words


def test_chinese_is_cut_into_words_and_english_stays_whole() -> None:
    assert words("我要查询VISA信用卡额度", "zh") == ["我要", "查询", "visa", "信用卡", "额度"]


def test_english_words_are_lower_case_without_punctuation() -> None:
    assert words("Don't lose it!", "en") == ["don", "t", "lose", "it"]


def test_characters_are_split_and_numbers_kept_whole() -> None:
    assert split_characters("额度10000元, OK?") == ["额", "度", "10000", "元", "ok"]


@given(st.text())
def test_nothing_of_punctuation_or_space_is_left(text: str) -> None:
    for piece in [*words(text, "zh"), *words(text, "en")]:
        assert any(letter.isalnum() for letter in piece)


@given(st.text())
def test_every_chinese_character_stands_alone(text: str) -> None:
    assert all(len(piece) == 1 for piece in split_characters(text) if has_han(piece))
