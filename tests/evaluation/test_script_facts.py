"""What counts as a contact, a number or an amount, in English and in Chinese."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.evaluation.script_facts import FACTS, amounts, emails, numbers, phones, shape, spelled_numbers, urls


def values(kind: str, text: str) -> list[str]:
    return [fact.value for fact in FACTS[kind](text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Call 1-800-555-0199 now.", ["18005550199"]),
        ("Call +44 20 7946 0958.", ["442079460958"]),
        ("Ring (800) 555 0199", ["8005550199"]),
        ("Call 1-800-BANK-NOW", ["1800BANKNOW"]),
        ("请拨打400-820-8888。", ["4008208888"]),
        ("手机13812345678已登记", ["13812345678"]),
        ("客服热线95588。", ["95588"]),
        ("金额为95588.50元", []),
        ("转账95000元，共98765.43元，再加95000 元", []),
        ("95000美元、95万、95555万、95100%", []),
        ("a card ending in 4821, $12,345.67, 2024-03-15 and 15/03/2024", []),
        ("You owe $1234567 and 1,234,567 points.", []),
        ("Order {{Customer Support Phone Number}} 24/7", []),
    ],
)
def test_phone_numbers(text: str, found: list[str]) -> None:
    assert [fact.value for fact in phones(text)] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://www.harbor.bank/help?x=1, please.", ["harbor.bank/help?x=1"]),
        ("Go to www.harbor.com.", ["harbor.com"]),
        ("harborbank.com/login is ours", ["harborbank.com/login"]),
        ("登录www.bank.cn查看", ["bank.cn"]),
        ("write to a@harbor.com", []),
        ("e.g. this. Or that.Next one, v1.2.3", []),
    ],
)
def test_web_addresses(text: str, found: list[str]) -> None:
    assert [fact.value for fact in urls(text)] == found


def test_mail_addresses() -> None:
    assert [fact.value for fact in emails("邮箱是Help.Desk@Bank.com.cn，或 a@b.co.")] == [
        "help.desk@bank.com.cn",
        "a@b.co",
    ]
    assert not list(emails("at 5 @ noon, @handle"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1. Send $1,200.50\n2) within 3 days.", ["1200.5", "3"]),
        ("尾号0042的卡，3月5日转2万元", ["0042", "3", "5", "2"]),
        ("Call 1-800-555-0199 or see bank.com/2024", []),
        ("it costs 5.00 or 5", ["5", "5"]),
        ("no digits", []),
    ],
)
def test_numbers(text: str, found: list[str]) -> None:
    assert [fact.value for fact in numbers(text)] == found


def test_amounts_of_money() -> None:
    assert values("amount", "from $1,630 to 500 dollars or €20.50 in 2 days") == ["1630", "500", "20.5"]
    assert values("amount", "转账3000元和2万元") == ["3000", "2"]
    assert not list(amounts("24 hours, 4821"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nine hundred and fifty dollars", ["950"]),
        ("one thousand seven hundred and thirty bucks", ["1730"]),
        ("twenty-five, or a hundred", ["25", "100"]),
        ("two million three hundred thousand and one", ["2300001"]),
        ("someone often weighs a ton", []),
    ],
)
def test_numbers_in_words(text: str, found: list[str]) -> None:
    assert [fact.value for fact in spelled_numbers(text)] == found


@pytest.mark.parametrize("kind", FACTS)
@given(text=st.text(max_size=60))
def test_every_fact_stands_where_it_says(kind: str, text: str) -> None:
    for fact in FACTS[kind](text):
        assert text[fact.start : fact.end] == fact.span


def test_values_of_one_form_have_one_shape() -> None:
    assert shape("$1,200") == shape("$1,700") != shape("$12,00")
