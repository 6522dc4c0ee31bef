"""Typos and casual writing: they change the text, and never the value of a slot."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.data.grammar_noise import TYPOS, casual, with_typo
from tuneloop.data.grammar_text import Piece, fill, joined

SEEDS = st.integers(0, 10_000)
SENTENCE = fill("Please freeze my card ending in {last4} today, {name}.", {"last4": "4821", "name": "Christopher"})


def values(pieces: tuple[Piece, ...]) -> list[str]:
    return [piece.text for piece in pieces if piece.is_value]


@given(SEEDS)
def test_a_typo_changes_one_word_and_no_value(seed: int) -> None:
    wrong = with_typo(SENTENCE, random.Random(seed), {})
    assert joined(wrong) != joined(SENTENCE)
    assert abs(len(joined(wrong)) - len(joined(SENTENCE))) <= 1
    assert values(wrong) == values(SENTENCE)
    before, after = joined(SENTENCE).split(" "), joined(wrong).split(" ")
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("name", TYPOS)
def test_every_kind_of_typo_keeps_the_first_letter(name: str) -> None:
    wrong = TYPOS[name]("freeze", 3, random.Random(0))
    assert wrong[0] == "f"
    assert len(wrong) in (5, 6, 7)


def test_homophones_replace_one_word_the_longest_key_first() -> None:
    pieces = fill("账户{name}的账单", {"name": "账户"})
    homophones = {"账": ("帐",), "账户": ("帐号",)}
    found = {joined(with_typo(pieces, random.Random(seed), homophones)) for seed in range(40)}
    assert found == {"帐号账户的账单", "账户账户的帐单"}


def test_a_text_without_a_place_for_a_typo_stays_as_it_is() -> None:
    pieces = fill("{last4} ok", {"last4": "4821"})
    assert with_typo(pieces, random.Random(0), {}) == pieces
    assert with_typo(pieces, random.Random(0), {"卡": ("咖",)}) == pieces


def test_casual_writing_has_no_capitals_and_no_last_full_stop() -> None:
    assert joined(casual(SENTENCE)) == "please freeze my card ending in 4821 today, Christopher"
    assert joined(casual(fill("我的卡{last4}丢了。怎么办？", {"last4": "0042"}))) == "我的卡0042丢了。怎么办"
