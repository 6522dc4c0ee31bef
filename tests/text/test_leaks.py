"""Shared passages: every planted one is found, set phrases are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneloop.text.leaks import LENGTH, SET_PHRASE, passages, shared_passages

WORDS = st.lists(st.sampled_from([f"word{n}" for n in range(500)]), min_size=LENGTH, max_size=40)
HAN = st.text(alphabet=[chr(0x4E00 + n) for n in range(400)], min_size=LENGTH, max_size=40)
FILLER = st.lists(st.sampled_from([f"filler{n}" for n in range(500)]), max_size=20)


@given(WORDS, FILLER, FILLER)
def test_a_planted_passage_of_words_is_found(held: list[str], before: list[str], after: list[str]) -> None:
    start = len(held) // 3 if len(held) > 2 * LENGTH else 0
    planted = " ".join([*before, *held[start : start + LENGTH], *after])
    assert shared_passages(["unrelated", planted.upper()], [" ".join(held)]) == {1: 0}


@given(HAN, FILLER)
def test_a_planted_passage_of_characters_is_found(held: str, filler: list[str]) -> None:
    planted = "，".join([*filler, " ".join(held[:LENGTH])])
    assert shared_passages([planted], ["无关", held]) == {0: 1}


@given(WORDS)
def test_a_shorter_run_is_no_passage(held: list[str]) -> None:
    parts = [" ".join(held[n : n + LENGTH - 1]) + f" end{n}" for n in range(0, len(held), LENGTH - 1)]
    assert shared_passages(parts, [" ".join([*held, "last"])]) == {}


def test_case_width_and_punctuation_make_no_other_passage() -> None:
    one = "Ｍy card was charged twice, at the petrol station near the motorway; why is that?"
    other = "my CARD was charged twice at the petrol station near the motorway, why is that"
    assert passages(one).tolist() == passages(other).tolist()


@pytest.mark.parametrize(("times", "found"), [(SET_PHRASE, SET_PHRASE), (SET_PHRASE + 1, 0)])
def test_a_set_phrase_is_no_leak(times: int, found: int) -> None:
    phrase = "good morning dear customer service team I hope that you can help me today with"
    trained = [f"{phrase} question {n}" for n in range(times)]
    assert len(shared_passages(trained, [f"{phrase} something else"])) == found


def test_a_set_phrase_hides_no_rarer_passage() -> None:
    phrase = "good morning dear customer service team I hope that you can help me today with"
    secret = "the flat mate who took my card on Sunday and flew to Rome with it yesterday"
    trained = [f"{phrase} question {n}" for n in range(20)]
    assert shared_passages([*trained, f"{phrase} {secret}"], [f"{phrase} {secret}"]) == {20: 0}
