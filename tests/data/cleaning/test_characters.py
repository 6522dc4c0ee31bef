"""Rules about single characters."""

from __future__ import annotations

import ftfy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.cleaning import characters
from tuneloop.data.cleaning.characters import (
    chinese_variant,
    chinese_width,
    control_characters,
    half_width,
    unicode_repair,
)


@pytest.mark.parametrize(
    ("before", "after"), [("schÃ¶n", "schön"), ("æ\x88\x91ä»¬", "我们"), ("e\u0301", "é"), ("fiancÃ©", "fiancé")]
)
def test_wrongly_decoded_text_is_repaired(before: str, after: str) -> None:
    assert unicode_repair(before) == after


@given(st.one_of(st.text(), st.text(alphabet="我们“”‘’—…·，。！a Ã¶â€™œ\x88é\u0301ä»¬")))
def test_what_skips_ftfy_would_not_have_been_changed_by_it(text: str) -> None:
    assert unicode_repair(text) == ftfy.fix_text(text, characters._REPAIR)


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\u200bb", "ab"), ("\ufeffa", "a"), ("a\x00b\x07", "ab"), ("\u202eabc\u202c", "abc"), ("a\u200db", "ab")],
)
def test_characters_that_can_not_be_seen_are_removed(before: str, after: str) -> None:
    assert control_characters(before) == after


def test_only_letters_and_digits_become_half_width() -> None:
    assert half_width("ＡＢｃ１２，！（）～") == "ABc12，！（）～"


def test_punctuation_after_a_chinese_character_becomes_full_width() -> None:
    assert chinese_width("你好,请问?\nVISA卡,3:30,ok") == "你好，请问？\nVISA卡，3:30,ok"


def test_chinese_is_written_in_one_variant() -> None:
    assert chinese_variant("simplified")("乾隆，頭髮，發財 card") == "乾隆，头发，发财 card"
    assert chinese_variant("traditional")("头发") == "頭髮"
