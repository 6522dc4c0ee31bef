"""Rows that hang together count for less, and how much less is right on average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.evaluation.clusters import design_effect, joined, near_duplicates
from tuneloop.evaluation.statistics import paired_shares, wilson


@pytest.mark.parametrize("size", [2, 4])
def test_intervals_of_clustered_shares_cover_93_to_98_percent_where_plain_ones_do_not(size: int) -> None:
    random = np.random.default_rng(1)
    units = [str(number) for number in np.repeat(np.arange(60), size)]
    hits, plain = 0, 0
    for _ in range(600):
        passed = list(np.repeat(random.random(60) < 0.7, size).astype(float))  # copies of one row
        effect = design_effect(passed, units)
        low, high = wilson(sum(passed) / effect, len(passed) / effect)[1:]
        hits += low <= 0.7 <= high
        low, high = wilson(sum(passed), len(passed))[1:]
        plain += low <= 0.7 <= high
    assert 0.93 <= hits / 600 <= 0.98
    assert plain / 600 < 0.9


def test_a_paired_difference_of_clustered_shares_is_covered() -> None:
    random = np.random.default_rng(2)
    units = [str(number) for number in np.repeat(np.arange(80), 3)]
    hits = 0
    for _ in range(600):
        draws = np.repeat(random.random(80), 3)
        a, b = (draws < 0.5).astype(float), ((draws < 0.4) | (draws > 0.7)).astype(float)
        effect = design_effect(list(b - a), units)
        interval = paired_shares(list(a), list(b), effect=effect)
        hits += interval.low <= 0.2 <= interval.high
    assert 0.93 <= hits / 600 <= 0.98


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), min_size=1, max_size=30))
def test_the_design_effect_is_never_below_one_nor_above_all_rows(rows: list[tuple[str, bool]]) -> None:
    effect = design_effect([float(passed) for _, passed in rows], [unit for unit, _ in rows])
    assert effect >= 1.0
    if len({passed for _, passed in rows}) == 1:
        assert effect <= len(rows)


def test_copies_of_one_row_that_all_pass_count_once_each() -> None:
    assert design_effect([1.0] * 12, [str(n // 3) for n in range(12)]) == pytest.approx(3.0)


def test_near_duplicates_are_found_in_both_languages_and_others_are_not() -> None:
    texts = [
        "How do I block my lost credit card today?",
        "how do I block my lost credit card, today",
        "Open an account",
    ]
    assert near_duplicates(texts, 0.9) == [0, 0, 2]
    assert near_duplicates(["请问我的信用卡丢了怎么办", "请问我的信用卡丢了，怎么办？", "怎么开户"], 0.9) == [0, 0, 2]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(max_size=12), max_size=8))
def test_equal_texts_always_share_a_group_and_groups_are_named_by_their_first_row(texts: list[str]) -> None:
    groups = near_duplicates(texts + texts, 0.9)
    assert groups[: len(texts)] == groups[len(texts) :]
    assert all(group <= place and groups[group] == group for place, group in enumerate(groups))


def test_a_chain_over_conversations_joins_them() -> None:
    assert joined(["a", "a", "b", "b", "c"], [0, 1, 1, 3, 4]) == ["a", "a", "a", "a", "c"]
