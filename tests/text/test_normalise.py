"""Keys of texts: what counts as the same text, and as the same question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.normalise import digest, question_key, text_key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello  World", "hello\nworld"),
        ("é", "e\u0301"),
        ("我的 卡 丢了", "我的卡丢了"),
        (" a ", "a"),
        ("STRASSE", "straße"),
    ],
)
def test_case_spacing_and_composition_make_no_other_text(one: str, other: str) -> None:
    assert text_key(one) == text_key(other)


@pytest.mark.parametrize(("one", "other"), [("10²", "102"), ("a b", "ab"), ("yes!", "yes"), ("ＡＢ", "AB")])
def test_what_changes_the_text_changes_its_key(one: str, other: str) -> None:
    assert text_key(one) != text_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where is my card?", "where is my card"),
        ("“Lost card”", "lost card!!"),
        ("信用卡丢了，怎么办？", "信用卡丢了怎么办"),
        ("ＶＩＳＡ 卡", "visa卡"),
        ("a\u200bb", "a b"),
    ],
)
def test_punctuation_and_width_make_no_other_question(one: str, other: str) -> None:
    assert question_key(one) == question_key(other)


@pytest.mark.parametrize(("one", "other"), [("1+1", "1 1"), ("a<b", "a>b"), ("$5", "£5"), ("1.5", "15")])
def test_symbols_that_change_the_meaning_make_another_question(one: str, other: str) -> None:
    assert question_key(one) != question_key(other)


def test_a_question_of_punctuation_alone_is_its_own_key() -> None:
    assert question_key("???") == "???"
    assert question_key("???") != question_key("!!!")


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert text_key(text_key(text)) == text_key(text)


@given(st.text())
def test_the_same_text_is_the_same_question(text: str) -> None:
    assert question_key(text) == question_key(text.upper()) or text.upper().casefold() != text.casefold()


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_digests_differ_where_keys_differ(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)
