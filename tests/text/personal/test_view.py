"""The folded view: disguises fall, places hold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.personal.view import fold

ALPHABET = st.text("ab1２三\u200b\u200d—　①，。零一二三四五六七八九x", max_size=60)


@given(ALPHABET)
def test_a_place_in_the_view_leads_to_the_character_it_came_from(text: str) -> None:
    view = fold(text)
    for place, letter in enumerate(view.text):
        start, end = view.original(place, place + 1)
        assert 0 <= start < end <= len(text)
        assert fold(text[start]).text == letter or text[start] in "零一二三四五六七八九"


@given(st.text(st.characters(codec="ascii")))
def test_plain_ascii_is_its_own_view(text: str) -> None:
    assert fold(text) == (text, None)


def test_numerals_of_ordinary_words_stay() -> None:
    assert fold("一心一意，第三方，十二月").text == "一心一意，第三方，十二月"


def test_a_comma_between_numbers_is_none_inside_a_number() -> None:
    assert fold("１３８，１３９").text == "138，139"
