"""Intervals and paired tests: how sure a difference is. Numbers in, numbers out; knows nothing of text or models.

Every arm answers the same rows, so every comparison is paired. A metric is seen as *statistics* of each row, an array
of shape `(n, d)`, and an `Estimate` that turns their sum over rows into one number. The mean is `d = 2` (value and 1);
a pooled metric such as corpus BLEU has more columns. Rows that hang together (turns of one conversation) are first
summed by `by_unit`, so that whole conversations are drawn, not rows.

Sources: BCa bootstrap, Efron 1987 (JASA 82), with tails expanded for few units as in Hesterberg 2014 (arXiv 1411.5279);
score interval of a paired difference of shares, Newcombe 1998 (Statistics in Medicine 17, method 10). `significance.py`
holds the tests, `clusters.py` says which rows hang together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Estimate = Callable[[Array], Array]
"""Sums of the statistics, shape `(..., d)`, to values of shape `(...)`."""

RESAMPLES = 10_000
CONFIDENCE = 0.95
DRAWS_AT_ONCE = 2_000_000


class Interval(NamedTuple):
    """A value between its bounds."""

    value: float
    low: float
    high: float


def mean(sums: Array) -> Array:
    """The estimate of statistics made by `per_row`."""
    value: Array = sums[..., 0] / sums[..., 1]
    return value


def per_row(values: Sequence[float]) -> Array:
    """Statistics of a metric whose value for many rows is the mean of its rows; shape `(n, 2)`.

    >>> float(mean(per_row([0.0, 1.0, 1.0, 0.0]).sum(axis=0)))
    0.5
    """
    return np.column_stack([np.asarray(values, dtype=np.float64), np.ones(len(values))])


def by_unit(statistics: Array, units: Sequence[str]) -> Array:
    """Sum the statistics of rows that belong to the same unit (a conversation), in order of first appearance.

    Args:
        statistics: shape `(n, d)`.
        units: name of each row's unit, length n.

    Returns:
        Shape `(k, d)` for k different units; independent draws can be made from these.

    >>> by_unit(per_row([1.0, 0.0, 1.0]), ["a", "a", "b"]).tolist()
    [[1.0, 2.0], [1.0, 1.0]]
    """
    numbers: dict[str, int] = {}
    place = np.array([numbers.setdefault(unit, len(numbers)) for unit in units], dtype=np.intp)
    sums = np.zeros((len(numbers), statistics.shape[1]))
    np.add.at(sums, place, statistics)
    return sums


def wilson(successes: float, n: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval of a share.

    Args:
        successes: how many; a fraction where rows that hang together count less than one each.
        n: of how many.

    >>> [round(bound, 3) for bound in wilson(0, 10)]
    [0.0, 0.0, 0.278]
    """
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    share = successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # At the ends the bound is the share itself; rounding must not put it on the wrong side.
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == n else min(1.0, centre + half)
    return Interval(share, low, high)


def bootstrap(
    statistics: Array,
    *,
    seed: int,
    estimate: Estimate = mean,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> Interval:
    """Bootstrap interval of one arm's value.

    Args:
        statistics: of independent units, shape `(k, d)`, k ≥ 2.
        seed: the same seed gives the same interval.
        estimate: what the value is.
    """
    total = statistics.sum(axis=0)
    value = float(estimate(total))
    drawn = estimate(_resampled_sums(statistics, seed, resamples))
    low, high = _accelerated(value, drawn, estimate(total - statistics), confidence)
    return Interval(value, low, high)


def paired_bootstrap(
    a: Array,
    b: Array,
    *,
    seed: int,
    estimate: Estimate = mean,
    resamples: int = RESAMPLES,
    confidence: float = CONFIDENCE,
) -> tuple[Interval, float]:
    """Bootstrap interval of b − a, with the same units drawn for both.

    Args:
        a: statistics of the first arm's units, shape `(k, d)`, k ≥ 2.
        b: of the second arm, the same units in the same order.

    Returns:
        The difference with its interval, and its standard error.
    """
    width = a.shape[1]
    both = np.hstack([a, b])

    def difference(sums: Array) -> Array:
        return estimate(sums[..., width:]) - estimate(sums[..., :width])

    total = both.sum(axis=0)
    value = float(difference(total))
    drawn = difference(_resampled_sums(both, seed, resamples))
    low, high = _accelerated(value, drawn, difference(total - both), confidence)
    return Interval(value, low, high), float(drawn.std(ddof=1))


def paired_shares(
    a: Sequence[float], b: Sequence[float], *, effect: float = 1.0, confidence: float = CONFIDENCE
) -> Interval:
    """Newcombe's score interval of the difference b − a of two shares on the same rows.

    Unlike the bootstrap it stays honest where few rows differ: no difference in 10 rows does not prove that there is
    none.

    Args:
        a: 0 or 1 for each row.
        b: 0 or 1 for each row, the same rows.
        effect: how many rows are worth one independent row (`clusters.design_effect`).

    >>> [round(bound, 2) for bound in paired_shares([0.0] * 10, [0.0] * 10)]
    [0.0, -0.28, 0.28]
    """
    n = len(a) / effect
    both, only_b, only_a = (count / effect for count in paired_table(a, b))
    neither = max(0.0, n - both - only_b - only_a)  # where no row is neither, rounding may leave less than none
    share_a, low_a, high_a = wilson(both + only_a, n, confidence=confidence)
    share_b, low_b, high_b = wilson(both + only_b, n, confidence=confidence)
    scale = math.sqrt(float((both + only_b) * (only_a + neither) * (both + only_a) * (only_b + neither)))
    excess = both * neither - only_b * only_a
    # Newcombe's correction for a positive correlation of few rows.
    agreement = 0.0 if scale == 0 else (max(excess - n / 2, 0.0) if excess > 0 else excess) / scale
    difference = share_b - share_a
    below = _combined(share_b - low_b, high_a - share_a, agreement)
    above = _combined(high_b - share_b, share_a - low_a, agreement)
    return Interval(difference, max(-1.0, difference - below), min(1.0, difference + above))


def paired_table(a: Sequence[float], b: Sequence[float]) -> tuple[int, int, int]:
    """Count rows where both are 1, only b is, only a is."""
    pairs = [(x > 0.5, y > 0.5) for x, y in zip(a, b, strict=True)]
    return pairs.count((True, True)), pairs.count((False, True)), pairs.count((True, False))


def _combined(first: float, second: float, agreement: float) -> float:
    return math.sqrt(max(0.0, first * first - 2 * agreement * first * second + second * second))


def _resampled_sums(statistics: Array, seed: int, resamples: int) -> Array:
    """Sums of k units drawn with replacement, `resamples` times; shape `(resamples, d)`."""
    units, width = statistics.shape
    generator = np.random.default_rng(seed)
    sums = np.empty((resamples, width))
    at_once = max(1, DRAWS_AT_ONCE // units)
    for start in range(0, resamples, at_once):
        count = min(at_once, resamples - start)
        draws = generator.integers(0, units, size=(count, units))
        draws += np.arange(count)[:, None] * units
        times = np.bincount(draws.ravel(), minlength=count * units).reshape(count, units)
        sums[start : start + count] = times.astype(np.float64) @ statistics
    return sums


def _accelerated(value: float, drawn: Array, left_out: Array, confidence: float) -> tuple[float, float]:
    """BCa bounds with expanded tails: the plain ones are too narrow for few units.

    Args:
        value: of all units.
        drawn: values of the resamples.
        left_out: values without one unit, for each of the k units.
    """
    units = len(left_out)
    pulls = left_out.mean() - left_out
    spread = float((pulls**2).sum())
    below = float((drawn < value).mean() + (drawn == value).mean() / 2)
    if spread < 1e-24 or not 0.0 < below < 1.0:
        return float(drawn.min()), float(drawn.max())
    bias = float(stats.norm.ppf(below))
    acceleration = float((pulls**3).sum()) / (6 * spread**1.5)
    wide = math.sqrt(units / (units - 1)) * float(stats.t.ppf(0.5 + confidence / 2, units - 1))
    tails = [float(stats.norm.cdf(_shifted(bias, z, acceleration))) for z in (bias - wide, bias + wide)]
    low, high = np.quantile(drawn, tails)
    return float(low), float(high)


def _shifted(bias: float, z: float, acceleration: float) -> float:
    """Where BCa reads the resamples: z moved by bias and skewness; beyond its pole, at the very end."""
    stretch = 1 - acceleration * z
    return bias + z / stretch if stretch > 0 else math.copysign(math.inf, z)
