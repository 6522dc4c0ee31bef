"""Intervals cover what they should, tests agree with exact values, and comparisons turn round with their arms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import stats

from tuneloop.core.evidence import rows_needed, smallest_p
from tuneloop.evaluation.metrics import corpus_bleu
from tuneloop.evaluation.significance import (
    detectable_effect,
    detectable_share,
    holm,
    mcnemar,
    not_worse,
    permutation,
    share_standard_error,
)
from tuneloop.evaluation.statistics import (
    Interval,
    bootstrap,
    by_unit,
    mean,
    paired_bootstrap,
    paired_shares,
    per_row,
    wilson,
)

scores = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=40)
passes = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


def shares(pairs: list[tuple[bool, bool]]) -> tuple[list[float], list[float]]:
    return [float(a) for a, _ in pairs], [float(b) for _, b in pairs]


@pytest.mark.parametrize("rows", [25, 60])
def test_paired_bootstrap_covers_the_true_difference_in_93_to_97_percent(rows: int) -> None:
    random = np.random.default_rng(1)
    hits = 0
    for trial in range(1000):
        a = random.beta(2, 5, rows)
        # Correlated arms, as answers to the same questions are; a third of the rows gains.
        b = np.where(random.random(rows) < 0.3, random.beta(4, 2, rows), a)
        interval, _ = paired_bootstrap(per_row(a), per_row(b), seed=trial, resamples=1000)
        hits += interval.low <= 0.3 * (4 / 6 - 2 / 7) <= interval.high
    assert 0.93 <= hits / 1000 <= 0.97


def test_bootstrap_of_a_mean_covers_it_in_93_to_97_percent() -> None:
    random = np.random.default_rng(2)
    intervals = [bootstrap(per_row(random.beta(2, 5, 40)), seed=trial, resamples=1000) for trial in range(1000)]
    hits = sum(interval.low <= 2 / 7 <= interval.high for interval in intervals)
    assert 0.93 <= hits / 1000 <= 0.97


def test_paired_shares_cover_the_true_difference_in_93_to_97_percent() -> None:
    random = np.random.default_rng(3)
    hits = 0
    for _ in range(2000):
        draws = random.random(80)
        a = ((draws < 0.15) | (draws > 0.7)).astype(float)
        b = (((draws >= 0.15) & (draws < 0.45)) | (draws > 0.7)).astype(float)
        interval = paired_shares(list(a), list(b))
        hits += interval.low <= 0.15 <= interval.high
    assert 0.93 <= hits / 2000 <= 0.97


def test_whole_conversations_are_drawn_so_that_their_turns_count_once() -> None:
    random = np.random.default_rng(4)
    hits = 0
    for trial in range(500):
        level = random.normal(0.5, 0.2, 30)
        values = np.repeat(level, 4) + random.normal(0, 0.05, 120)
        units = [str(number) for number in np.repeat(np.arange(30), 4)]
        interval = bootstrap(by_unit(per_row(values), units), seed=trial, resamples=1000)
        hits += interval.low <= 0.5 <= interval.high
    assert 0.92 <= hits / 500 <= 0.975


def test_the_test_calls_equal_arms_different_in_at_most_five_percent() -> None:
    random = np.random.default_rng(5)
    p_values = [
        permutation(per_row(random.beta(2, 2, 40)), per_row(random.beta(2, 2, 40)), seed=trial, resamples=999)
        for trial in range(500)
    ]
    assert sum(p < 0.05 for p in p_values) / 500 <= 0.075


def test_newcombe_gives_the_published_interval() -> None:
    # Newcombe 1998, table II: 36 both, 12 and 2 only one, 0 neither; method 10.
    a = [1.0] * 36 + [0.0] * 12 + [1.0] * 2
    b = [1.0] * 36 + [1.0] * 12 + [0.0] * 2
    assert paired_shares(a, b)[1:] == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_wilson_gives_the_values_of_scipy() -> None:
    for successes, n in itertools.product((0, 1, 5, 9, 10), (10, 57)):
        expected = stats.binomtest(successes, n).proportion_ci(method="wilson")
        assert wilson(successes, n)[1:] == pytest.approx((expected.low, expected.high))


@given(passes)
def test_mcnemar_equals_the_exact_binomial_sum(pairs: list[tuple[bool, bool]]) -> None:
    a, b = shares(pairs)
    only_a = sum(x and not y for x, y in pairs)
    only_b = sum(y and not x for x, y in pairs)
    n = only_a + only_b
    tail = sum(math.comb(n, k) for k in range(min(only_a, only_b) + 1)) / 2**n
    assert mcnemar(a, b) == pytest.approx(min(1.0, 2 * tail))


@given(passes)
def test_permutation_of_few_passes_equals_mcnemar(pairs: list[tuple[bool, bool]]) -> None:
    pairs = pairs[:10]
    a, b = shares(pairs)
    assert permutation(per_row(a), per_row(b), seed=0) == pytest.approx(mcnemar(a, b))


def test_permutation_equals_scipy_on_few_rows() -> None:
    random = np.random.default_rng(6)
    a, b = random.random(9), random.random(9)
    expected = stats.permutation_test(
        (b, a), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    assert permutation(per_row(a), per_row(b), seed=0) == pytest.approx(expected.pvalue)


@given(scores)
@settings(max_examples=40)
def test_swapping_the_arms_turns_the_comparison_round(pairs: list[tuple[float, float]]) -> None:
    a, b = (per_row([pair[place] for pair in pairs]) for place in (0, 1))
    forth, error = paired_bootstrap(a, b, seed=3, resamples=400)
    back, error_back = paired_bootstrap(b, a, seed=3, resamples=400)
    assert forth.value == pytest.approx(-back.value, abs=1e-12)
    assert (forth.low, forth.high) == pytest.approx((-back.high, -back.low), abs=1e-9)
    assert error == pytest.approx(error_back)
    assert permutation(a, b, seed=3, resamples=400) == pytest.approx(permutation(b, a, seed=3, resamples=400))


@given(passes)
def test_swapping_the_arms_turns_shares_round(pairs: list[tuple[bool, bool]]) -> None:
    a, b = shares(pairs)
    forth, back = paired_shares(a, b), paired_shares(b, a)
    assert forth == pytest.approx((-back.value, -back.high, -back.low), abs=1e-12)
    assert mcnemar(a, b) == mcnemar(b, a)
    assert -1 <= forth.low <= forth.value + 1e-12
    assert forth.value - 1e-12 <= forth.high <= 1


@given(passes, st.floats(1.0, 9.0))
@example(pairs=[(True, True), *[(False, True)] * 7], effect=3.68)
def test_shares_of_rows_that_hang_together_have_an_interval_where_no_row_fails_both(
    pairs: list[tuple[bool, bool]], effect: float
) -> None:
    """Three kinds of rows that make up all of them: their counts over the design effect may add up to a little more."""
    a, b = shares([pair for pair in pairs if any(pair)] or [(True, True)])
    interval = paired_shares(a, b, effect=effect)
    assert -1 <= interval.low <= interval.value + 1e-12
    assert interval.value - 1e-12 <= interval.high <= 1


@given(scores)
@settings(max_examples=40)
def test_an_interval_holds_its_value_and_stays_within_the_scores(pairs: list[tuple[float, float]]) -> None:
    values = [first for first, _ in pairs]
    interval = bootstrap(per_row(values), seed=0, resamples=400)
    assert min(values) - 1e-9 <= interval.low <= interval.high <= max(values) + 1e-9
    assert interval.value == pytest.approx(np.mean(values))


def test_the_same_seed_gives_the_same_interval_and_another_one_hardly_another() -> None:
    values = per_row(np.random.default_rng(0).random(50))
    assert bootstrap(values, seed=1) == bootstrap(values, seed=1)
    assert bootstrap(values, seed=1)[1:] == pytest.approx(bootstrap(values, seed=2)[1:], abs=0.01)


def test_many_rows_are_drawn_in_pieces_with_the_same_meaning() -> None:
    values = per_row(np.random.default_rng(0).random(30_000))
    interval = bootstrap(values, seed=0, resamples=200)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * 0.2887 / math.sqrt(30_000), rel=0.25)


def test_the_bootstrap_reads_pooled_metrics_too() -> None:
    perfect = np.tile([10.0, 9, 8, 7, 10, 9, 8, 7, 10, 10], (5, 1))
    wrong = np.tile([0.0, 0, 0, 0, 10, 9, 8, 7, 10, 10], (5, 1))
    interval, _ = paired_bootstrap(wrong, perfect, seed=0, estimate=corpus_bleu, resamples=50)
    assert interval == pytest.approx((100.0, 100.0, 100.0))
    assert permutation(wrong, perfect, seed=0, estimate=corpus_bleu) == pytest.approx(2 / 32)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_lowers_a_p_value(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(new >= old for old, new in zip(p_values, corrected, strict=True))
    assert all(new <= 1 for new in corrected)
    if p_values:
        assert min(corrected) == pytest.approx(min(1.0, len(p_values) * min(p_values)))
    pairs = sorted(zip(p_values, corrected, strict=True))
    assert [new for _, new in pairs] == sorted(new for _, new in pairs)


def test_the_detectable_effect_is_found_in_80_percent() -> None:
    random = np.random.default_rng(7)
    effect = detectable_effect(0.1 / math.sqrt(50), 50)
    found = 0
    for trial in range(400):
        a = random.normal(0.5, 0.3, 50)
        b = a + random.normal(effect, 0.1, 50)
        interval, _ = paired_bootstrap(per_row(a), per_row(b), seed=trial, resamples=500)
        found += interval.low > 0
    assert 0.74 <= found / 400 <= 0.86


def test_arms_that_agree_everywhere_are_not_infinitely_precise() -> None:
    assert detectable_effect(share_standard_error([1.0] * 20, [1.0] * 20), 20) > 0.1


@pytest.mark.parametrize("rows", range(1, 12))
def test_the_smallest_p_is_what_the_exact_tests_reach_when_all_rows_improve(rows: int) -> None:
    worst, best = [0.0] * rows, [1.0] * rows
    assert mcnemar(worst, best) == pytest.approx(smallest_p(rows))
    assert permutation(per_row(worst), per_row(best), seed=0) == pytest.approx(smallest_p(rows))


@given(st.integers(1, 6))
def test_so_many_rows_as_needed_can_be_proven_and_one_less_can_not(comparisons: int) -> None:
    needed = rows_needed(comparisons)
    assert max(holm([smallest_p(needed)] * comparisons)) < 0.05
    assert max(holm([smallest_p(needed - 1)] * comparisons)) >= 0.05


def test_the_detectable_share_is_found_in_80_percent() -> None:
    share = detectable_share(12, 6)
    differing = np.random.default_rng(3).binomial(12, share, size=20_000)
    assert (differing >= 6).mean() == pytest.approx(0.8, abs=0.01)


def test_the_mean_is_taken_over_rows_not_over_conversations() -> None:
    sums = by_unit(per_row([1.0, 1.0, 1.0, 0.0]), ["a", "a", "a", "b"])
    assert float(mean(sums.sum(axis=0))) == 0.75


@given(st.floats(0, 0.3), st.floats(-1, 1), st.floats(0, 1))
def test_not_worse_is_said_only_where_the_whole_interval_lies_above_the_margin(
    margin: float, value: float, half: float
) -> None:
    assert not_worse(Interval(value, value - half, value + half), margin) == (value - half > -margin)
