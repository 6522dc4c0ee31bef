"""How many rows it takes before any difference can be proven: what data, pre-flight and evaluation agree on."""

from __future__ import annotations

ALPHA = 0.05
"""A p-value below this proves a difference."""


def smallest_p(rows: int) -> float:
    """The smallest p-value that an exact two-sided paired test can reach: all rows change for the better, by no chance.

    Both the exact McNemar test and the permutation of pairs count 2 of 2**rows equally likely outcomes.

    >>> smallest_p(5), smallest_p(6)
    (0.0625, 0.03125)
    """
    return min(1.0, 2.0 ** (1 - rows))


def rows_needed(comparisons: int = 1) -> int:
    """Independent rows from which on a difference can be proven at all, however large it is.

    Args:
        comparisons: baselines that the tuned model is compared with; their p-values are corrected together (Holm).

    >>> rows_needed(), rows_needed(2), rows_needed(4)
    (6, 7, 8)
    """
    rows = 1
    while comparisons * smallest_p(rows) >= ALPHA:
        rows += 1
    return rows
