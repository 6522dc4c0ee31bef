"""Tests of a difference, and how small a difference they can see. Numbers in, numbers out.

Sources: exact McNemar test, McNemar 1947 with the binomial tail; permutation of pairs, Fisher 1935; correction for
several comparisons, Holm 1979; non-inferiority by the interval, as CONSORT 2012 asks for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from tuneloop.evaluation.statistics import (
    CONFIDENCE,
    DRAWS_AT_ONCE,
    RESAMPLES,
    Array,
    Estimate,
    Interval,
    mean,
    paired_table,
)

POWER = 0.8


def mcnemar(a: Sequence[float], b: Sequence[float]) -> float:
    """Exact two-sided McNemar test of 0/1 scores on the same rows.

    >>> mcnemar([0, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1])
    0.0625
    """
    _, only_b, only_a = paired_table(a, b)
    if only_a + only_b == 0:
        return 1.0
    return float(stats.binomtest(only_b, only_a + only_b, 0.5).pvalue)


def permutation(a: Array, b: Array, *, seed: int, estimate: Estimate = mean, resamples: int = RESAMPLES) -> float:
    """Two-sided p of "the arms are exchangeable": each unit's two sets of statistics are swapped or not.

    All swaps are tried when they are at most `resamples`, else that many are drawn, and the observed one is counted
    among them (so that p is never 0).

    Args:
        a: statistics of the first arm's units, shape `(k, d)`.
        b: of the second arm, the same units in the same order.
    """
    units = len(a)
    total_a, total_b, change = a.sum(axis=0), b.sum(axis=0), b - a
    observed = abs(float(estimate(total_b) - estimate(total_a)))
    exact = 2**units <= resamples
    moved = _all_swaps(units) @ change if exact else _random_swaps(change, seed, resamples)
    differences = np.abs(estimate(total_b - moved) - estimate(total_a + moved))
    # Equal differences are reached by other sums, so they differ in the last digits.
    extreme = int((differences >= observed - 1e-9 * max(1.0, observed)).sum())
    return extreme / len(differences) if exact else (extreme + 1) / (len(differences) + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: p-values of several comparisons that hold together, in the given order.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def not_worse(difference: Interval, margin: float) -> bool:
    """Whether a two-sided 95% interval rules out a loss of `margin` or more: non-inferiority at one-sided 2.5%.

    Args:
        difference: b − a, with its interval.
        margin: the loss that would not matter, at least 0.

    >>> not_worse(Interval(0.0, -0.01, 0.01), 0.02), not_worse(Interval(0.0, -0.05, 0.05), 0.02)
    (True, False)
    """
    return difference.low > -margin


def detectable_effect(
    standard_error: float, units: int, *, confidence: float = CONFIDENCE, power: float = POWER
) -> float:
    """Smallest true difference that a two-sided paired test finds with this power.

    Args:
        standard_error: of the paired difference.
        units: independent rows that it comes from, at least 2; few of them know their own spread badly (Student's t).

    >>> error = share_standard_error([0.0] * 90 + [1.0] * 10, [0.0] * 95 + [1.0] * 5)
    >>> round(detectable_effect(error, 100), 3), round(detectable_effect(error, 7), 3)
    (0.068, 0.08)
    """
    spread = stats.t(units - 1)
    return float(spread.ppf(0.5 + confidence / 2) + spread.ppf(power)) * standard_error


def detectable_share(units: int, needed: int, *, power: float = POWER) -> float:
    """Smallest true difference of two shares with which `needed` of the rows differ with this power.

    An exact test of 0/1 scores proves nothing before so many rows differ, all in the same direction; the difference is
    the chance of a row to be one of them, and their number is binomial.

    >>> round(detectable_share(10, 6), 2), round(detectable_share(200, 6), 3)
    (0.67, 0.039)
    """
    return float(stats.beta.ppf(power, needed, units - needed + 1))


def share_standard_error(a: Sequence[float], b: Sequence[float], *, effect: float = 1.0) -> float:
    """Standard error of a paired difference of shares.

    Args:
        effect: how many rows are worth one independent row.

    One more row is counted as differing, so that arms which agree everywhere don't look infinitely precise.
    """
    _, only_b, only_a = paired_table(a, b)
    rows = len(a) + 1
    difference = (only_b - only_a) / rows
    return math.sqrt(((only_a + only_b + 1) / rows - difference**2) * effect / len(a))


def _all_swaps(units: int) -> Array:
    """Every way to swap or keep `units` pairs; 0/1 of shape `(2**units, units)`."""
    numbers = np.arange(2**units)[:, None]
    swaps: Array = ((numbers >> np.arange(units)) & 1).astype(np.float64)
    return swaps


def _random_swaps(change: Array, seed: int, resamples: int) -> Array:
    """Sum of the changes of a random half of the units, `resamples` times; shape `(resamples, d)`."""
    units, width = change.shape
    generator = np.random.default_rng(seed)
    sums = np.empty((resamples, width))
    at_once = max(1, DRAWS_AT_ONCE // units)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        swaps = generator.integers(0, 2, size=(count, units), dtype=np.int8)
        sums[start : start + count] = swaps.astype(np.float64) @ change
    return sums
