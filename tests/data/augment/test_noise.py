"""Mistakes of people on a phone."""

from __future__ import annotations

import random

import pytest

from tuneloop.data.augment.noise import NOISES, homophones, make_noise
from tuneloop.data.augment.protect import protect


@pytest.mark.parametrize(
    ("language", "text"), [("en", "Where is my card 4711?"), ("zh", "请问我的银行卡4711在哪里，丢了？")]
)
def test_every_noise_changes_the_text_outside_its_values(language: str, text: str) -> None:
    pieces = protect(text, language)
    for noise in NOISES[language].values():
        noisy = "".join(piece.text for piece in noise(pieces, random.Random(3)))
        assert noisy != text
        assert "4711" in noisy


def test_a_text_without_a_place_for_a_mistake_gets_none() -> None:
    assert make_noise(protect("4711", "en"), "en", random.Random(1)) is None
    assert make_noise((), "zh", random.Random(1)) is None


def test_homophones_hold_no_digits_and_differ() -> None:
    table = homophones()
    assert len(table) > 60
    for word, wrong in table.items():
        assert word not in wrong
        assert not any(letter.isdigit() for other in wrong for letter in other)
