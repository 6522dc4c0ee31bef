"""The three ways of masking."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn
from stdnum.cn import ric

from tuneloop.text.personal.find import find
from tuneloop.text.personal.mask import mask_text, mask_texts, stand_in
from tuneloop.text.personal.span import random_letters


def test_tags_are_numbered_through_a_conversation_and_go_on_after_older_ones() -> None:
    texts = ["打13812345678或13912345678", "好的，<MOBILE_7>，138-1234-5678"]
    masked = mask_texts(texts, language="zh", mode="tag")
    assert [item.text for item in masked] == ["打<MOBILE_8>或<MOBILE_9>", "好的，<MOBILE_7>，<MOBILE_8>"]
    assert [item.counts for item in masked] == [{"mobile": 2}, {"mobile": 1}]


def test_a_value_keeps_its_stand_in_however_it_is_written() -> None:
    texts = ["13812345678", "138-1234-5678", "１３８１２３４５６７８", "+86 138 1234 5678"]
    digits = {"".join(c for c in mask_text(text, language="zh", key=b"k").text if c.isdigit())[-11:] for text in texts}
    assert len(digits) == 1


def test_a_stand_in_keeps_the_form() -> None:
    masked = mask_text("call (415) 555-2671", language="en", key=b"k").text
    assert masked.startswith("call (")
    assert masked[9:11] == ") "
    assert masked[14] == "-"


def test_stand_ins_are_well_formed() -> None:
    assert luhn.is_valid(stand_in("bank_card", "6222021234567894", b"k"))
    assert len(stand_in("bank_card", "6222021234567894", b"k")) == 16
    card = stand_in("id_card", "11010519491231002X", b"k")
    assert ric.calc_check_digit(card) == card[-1]
    assert iban.is_valid(stand_in("iban", "GB82WEST12345698765432", b"k"), check_country=False)


def test_another_key_gives_another_stand_in() -> None:
    assert stand_in("mobile", "13812345678", b"a") != stand_in("mobile", "13812345678", b"b")


def test_redaction_is_one_word() -> None:
    assert mask_text("打13812345678，卡6222021234567894", language="zh", mode="redact").text == "打[已脱敏]，卡[已脱敏]"


def test_possible_values_are_counted_or_replaced() -> None:
    text = "联系人：张三。"
    assert mask_text(text, language="zh", possible="report").text == text
    assert mask_text(text, language="zh", possible="report").counts == {"possible_name": 1}
    assert mask_text(text, language="zh", possible="mask", mode="tag").text == "联系人：<NAME_1>。"
    assert mask_text(text, language="zh", possible="off").counts == {}


@pytest.mark.parametrize("mode", ["pseudonym", "tag", "redact"])
@given(number=st.integers(10**8, 10**9 - 1))
def test_masking_twice_is_masking_once(mode: str, number: int) -> None:
    text = f"手机13{number}，邮箱a{number}@mail.cn，QQ{number}，密码是Ab{number}"
    once = mask_text(text, language="zh", mode=mode, key=b"k", possible="off").text  # type: ignore[arg-type]
    assert str(number) not in once
    assert mask_text(once, language="zh", mode=mode, key=b"k", possible="off").text == once  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("zh", "密码是Abc@1234，邮箱li.lei@mail.cn，微信号：lilei_2020"),
        ("en", "我的身份证11010519491231002X，账号110105194912310038"),
        ("en", "driver's license: D1838547 from 2a02:26f7::1 today"),
        ("en", "call 1 (415) 555-2671, +44 (0)20 7946 0958, card 4111-1111-1111-1111"),
        ("zh", "车牌京A·12345，打+82 138 6238 5678找我"),
    ],
)
@given(key=st.integers(0, 10**9))
@settings(max_examples=40)
def test_no_stand_in_is_taken_for_a_value_of_another_type(language: str, text: str, key: int) -> None:
    once = mask_text(text, language=language, key=str(key).encode(), possible="off").text
    assert mask_text(once, language=language, key=str(key).encode(), possible="off").text == once


def test_no_stand_in_spells_what_recognisers_look_for() -> None:
    for number in range(3000):
        letters = random_letters(random.Random(number), 10)
        assert not set(letters) & set("aeioupqvwx")
        assert not re.search(r"\d\d", letters)


def test_different_values_rarely_share_a_stand_in() -> None:
    stand_ins = {stand_in("mobile", f"138{number:08d}", b"k") for number in range(2000)}
    assert len(stand_ins) >= 1998


def test_the_values_do_not_stand_in_what_a_masked_text_prints() -> None:
    assert "13812345678" not in repr(mask_text("打13812345678", language="zh"))
    assert find("打13812345678", "zh")[0].value == "13812345678"
