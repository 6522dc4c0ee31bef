"""Rows that hang together: turns of one conversation, and questions that are nearly the same.

Two rows that say the same are less evidence than two that don't. Intervals that count them as independent are too
narrow, so near-duplicates form one *unit*, and whole units are drawn, swapped and counted.

Sources: design effect of a clustered share, Kish 1965; effective sample size with t for few clusters, Korn and
Graubard 1998 (Survey Methodology 24).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse, stats

from tuneloop.evaluation.statistics import CONFIDENCE
from tuneloop.text.near_duplicates import near_pairs
from tuneloop.text.normalise import question_key

FEW = 10
"""Units below which their own spread says nothing of how alike their rows are."""


def near_duplicates(texts: Sequence[str], share: float) -> list[int]:
    """Group texts that are nearly the same; the group is named by its first text's place.

    Args:
        texts: any texts.
        share: least Jaccard similarity of two texts' character 4-grams (after `question_key`) that joins them; a chain
            of such pairs is one group.

    >>> near_duplicates(["Where is my card?", "where's the bank", "Where is my card"], 0.9)
    [0, 1, 0]
    """
    keys = [question_key(text) for text in texts]
    pairs = [(one, other) for one, other, _ in near_pairs(keys, share)]
    return _components(len(texts), pairs)


def joined(units: Sequence[str], groups: Sequence[int]) -> list[str]:
    """Units that are joined where a group holds rows of several; the name is that of the first row.

    >>> joined(["a", "a", "b", "c"], [0, 1, 1, 3])
    ['a', 'a', 'a', 'c']
    """
    numbers: dict[str, int] = {}
    of_unit = [numbers.setdefault(unit, len(numbers)) for unit in units]
    ends = [(place, len(numbers) + group) for place, group in zip(of_unit, groups, strict=True)]
    labels = _components(len(numbers) + len(units), ends)
    names: dict[int, str] = {}
    return [names.setdefault(labels[place], unit) for place, unit in zip(of_unit, units, strict=True)]


def design_effect(values: Sequence[float], units: Sequence[str], *, confidence: float = CONFIDENCE) -> float:
    """How many rows are worth one independent row, at least 1.

    Args:
        values: a score of each row, or the difference of two.
        units: what each row belongs to.

    Returns:
        The variance of the mean with whole units drawn, over the one of independent rows, widened by Student's t for
        few units. Where all rows are equal, or there are fewer than 10 units, nothing can be estimated: then rows of
        one unit count as one row.

    >>> design_effect([0.0, 1.0, 1.0], ["a", "b", "c"])
    1.0
    """
    numbers: dict[str, int] = {}
    place = np.array([numbers.setdefault(unit, len(numbers)) for unit in units], dtype=np.intp)
    if len(numbers) == len(values):
        return 1.0
    sizes = np.bincount(place)
    residual = np.asarray(values, dtype=np.float64) - np.mean(values)
    spread = float((residual**2).sum())
    if len(numbers) < FEW or spread < 1e-12:
        return float((sizes**2).sum() / len(values))
    sums = np.bincount(place, weights=residual)
    effect = len(numbers) / (len(numbers) - 1) * float((sums**2).sum()) / spread
    few = stats.t.ppf(0.5 + confidence / 2, len(numbers) - 1) / stats.norm.ppf(0.5 + confidence / 2)
    return max(1.0, effect * float(few) ** 2)


def _components(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """For each of `count` places, the first place that a chain of pairs leads to."""
    if not count:
        return []
    ends = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    graph = sparse.coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, labels = sparse.csgraph.connected_components(graph, directed=False)
    first: dict[int, int] = {}
    return [first.setdefault(int(label), place) for place, label in enumerate(labels)]
