"""What must survive in a variant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.augment.protect import mask, protect, unmask, values_of
from tuneloop.data.grammar_text import joined


@pytest.mark.parametrize(
    ("language", "text", "values"),
    [
        ("en", "Send $1,200.50 to Anna Smith by 2024-05-03", ["$1,200.50", "2024-05-03", "Anna Smith"]),
        (
            "en",
            "I lost {{Card}} and {slot}, see [Your Name] or <name>",
            ["<name>", "[Your Name]", "{slot}", "{{Card}}"],
        ),
        (
            "en",
            "mail a.b@bank.example or https://bank.example/x?y=1",
            ["a.b@bank.example", "https://bank.example/x?y=1"],
        ),
        ("en", 'it says "Error E-17", code AB12', ['"Error E-17"', "AB12"]),
        ("en", "Where am I? I think I'm lost", []),
        ("zh", "按《劳动法》第85条，VISA卡尾号４７１１", ["《劳动法》", "85", "VISA", "４７１１"]),
        ("zh", "我的名字", []),
    ],
)
def test_values_are_found(language: str, text: str, values: list[str]) -> None:
    assert sorted(values_of(text, language)) == sorted(values)


def test_known_values_are_protected_too() -> None:
    assert values_of("我叫张三丰", "zh", ["张三丰"]) == {"张三丰": 1}


@given(st.text(), st.sampled_from(["en", "zh"]))
def test_pieces_join_to_the_text_and_masks_come_off(text: str, language: str) -> None:
    pieces = protect(text, language)
    assert joined(pieces) == text
    assert unmask(*mask(pieces)) == text


@pytest.mark.parametrize("text", ["pay ZQ0", "pay ZQ0 to ZQ1 and ZQ1", "pay ZQ0 to ZQ2", ""])
def test_a_lost_or_doubled_stand_in_is_noticed(text: str) -> None:
    assert unmask(text, ["a", "b"]) is None


def test_translators_may_move_and_respell_stand_ins() -> None:
    assert unmask("zq1 an ZQ 0 zahlen", ["Anna", "£5"]) == "£5 an Anna zahlen"
