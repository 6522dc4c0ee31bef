"""The texts of a grammar: choices, digits, slots, and what is kept for the test split."""

from __future__ import annotations

import random
import re

from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.grammar_text import always_holds, expand, fill, fill_digits, is_test_value, joined, pools

SEEDS = st.integers(0, 10_000)
PLAIN = st.text(alphabet="ab cd,é卡", max_size=8)


@given(st.lists(st.lists(PLAIN, min_size=1, max_size=4), max_size=4), SEEDS)
def test_an_expansion_takes_one_alternative_of_each_choice(choices: list[list[str]], seed: int) -> None:
    pattern = "".join(f"<[{'|'.join(choice)}]>" for choice in choices)
    parts = re.findall("<(.*?)>", expand(pattern, random.Random(seed)))
    assert len(parts) == len(choices)
    assert all(part in choice for part, choice in zip(parts, choices, strict=True))


def test_choices_may_stand_inside_choices() -> None:
    found = {expand("[a[b|c]|d]", random.Random(seed)) for seed in range(60)}
    assert found == {"ab", "ac", "d"}


@given(SEEDS)
def test_a_number_never_begins_with_zero_but_a_code_may(seed: int) -> None:
    assert re.fullmatch(r"\$[1-9]\d,\d{3}\.\d\d", fill_digits("$##,###.##", random.Random(seed)))
    assert re.fullmatch(r"\d{4}", fill_digits("####", random.Random(seed), code=True))


def test_some_codes_begin_with_zero() -> None:
    assert any(fill_digits("####", random.Random(seed), code=True).startswith("0") for seed in range(60))


@given(st.text(alphabet="xyz 42", max_size=10), st.text(alphabet="xyz 42", max_size=10))
def test_values_stay_apart_from_the_text(before: str, value: str) -> None:
    pieces = fill(before + "{slot}!", {"slot": value})
    assert joined(pieces) == f"{before}{value}!"
    assert [piece.text for piece in pieces if piece.is_value] == ([value] if value else [])


def test_a_slot_in_every_alternative_always_stands() -> None:
    assert always_holds("[[a {x}|{x} b]|c {x}] d", "x")
    assert not always_holds("[[a {x}|b]|c {x}] d", "x")
    assert not always_holds("a {xy}", "x")


@given(st.sets(st.text(min_size=1, max_size=6), min_size=2, max_size=60))
def test_a_fifth_of_the_texts_is_kept_for_the_test_split(texts: set[str]) -> None:
    train, test = pools("owner", sorted(texts))
    assert set(train) | set(test) == texts
    assert not set(train) & set(test)
    assert len(test) == min(max(1, round(len(texts) / 5)), len(texts) - 1)


@given(st.permutations([f"wording {number}" for number in range(12)]))
def test_the_order_in_the_file_does_not_move_a_text_to_the_other_side(texts: list[str]) -> None:
    assert set(pools("owner", texts)[1]) == set(pools("owner", sorted(texts))[1])


def test_about_a_fifth_of_made_values_is_kept_for_the_test_split() -> None:
    share = sum(is_test_value("last4", f"{number:04d}") for number in range(10_000)) / 10_000
    assert 0.18 < share < 0.22
