"""What a person should look at."""

from __future__ import annotations

import pytest

from tuneloop.data.cleaning.findings import (
    advertising,
    masks,
    profanity,
    template_leftovers,
    without_advertising,
    without_masks,
)


@pytest.mark.parametrize(
    "text",
    [
        "加微信 abc12345 领取资料",
        "有需要的V信：loan_888",
        "QQ群：123456789",
        "点击链接 https://x.example/a 免费领取",
        "Click here https://x.example to earn $500 a day",
        "WhatsApp: +44 7700 900123",
    ],
)
def test_advertising_is_found(text: str) -> None:
    assert advertising(f"先挂失。\n{text}") == text


@pytest.mark.parametrize(
    "text",
    [
        "微信支付绑定信用卡失败怎么办",
        "怎么用QQ登录网银？",
        "See https://bank.example/fees for all fees.",
        "我被骗去刷单了怎么办",
        "Please visit our website at www.bank.example or call us.",
        "The wxyz12345 reference stands on the statement.",
    ],
)
def test_honest_text_is_no_advertising(text: str) -> None:
    assert advertising(text) is None


def test_only_the_sentence_that_advertises_is_cut() -> None:
    text = "Block it first. Click here https://x.example for 100% free credit! Then order a new one."
    assert without_advertising(text) == "Block it first.  Then order a new one."


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("电话 ######", "######"),
        ("6222****1234", "****"),
        ("姓名：XXXX", "XXXX"),
        ("call [REDACTED]", "[REDACTED]"),
        ("## Fees", None),
        ("***bold***", None),
        ("a\n****\nb", None),
        ("XXL and xx", None),
    ],
)
def test_masked_values_are_found(text: str, found: str | None) -> None:
    assert masks(text) == found


def test_masks_are_cut() -> None:
    assert without_masks("a ###### b [REDACTED]") == "a  b "


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear [Your Name],", "[Your Name]"),
        ("{{name}} 您好", "{{name}}"),
        ("联系人：【请填写姓名】", "【请填写姓名】"),
        ("see [Your Guide](https://x.example)", None),
        ("a {slot} and a[0]", None),
    ],
)
def test_placeholders_that_nobody_filled_in_are_found(text: str, found: str | None) -> None:
    assert template_leftovers(text) == found


@pytest.mark.parametrize("text", ["Scunthorpe", "assess the classic cocktail", "他妈妈的卡", "Dick paid"])
def test_harmless_words_are_no_profanity(text: str) -> None:
    assert profanity(text) is None


@pytest.mark.parametrize("text", ["this SHITTY app", "傻逼银行", "wtf?"])
def test_profanity_is_found(text: str) -> None:
    assert profanity(text)
