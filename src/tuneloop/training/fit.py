"""What fits into memory: a smaller micro-batch first (it costs least), then checkpointing, then quantised weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from tuneloop.training.estimate import Setup, peak_bytes
from tuneloop.training.facts import MachineFacts, ModelFacts

SHARE = 0.8
"""Share of the free memory that a plan may fill."""
SMALLEST = 512
"""Tokens of a micro-batch below which the products become slow: checkpointing costs less."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A way to train within a machine's memory, or the most sparing one if none fits."""

    setup: Setup
    tokens: int
    """Of the largest micro-batch."""
    peak_bytes: int
    wish_bytes: int
    """What the first way, the fastest, would need."""


def fit_memory(
    model: ModelFacts,
    machine: MachineFacts,
    setup: Setup,
    *,
    tokens: Sequence[int],
    longest: int,
    checkpointing: Sequence[bool],
    quantization: Sequence[str],
) -> Fit:
    """Take the first combination that fits, the fastest ones first.

    Args:
        model: sizes.
        machine: its free memory.
        setup: trained parameters and targets.
        tokens: largest micro-batches to choose from, the wished one first.
        longest: tokens of the longest sample.
        checkpointing: choices, the wished one first.
        quantization: choices, the wished one first.
    """

    def need(candidate: Setup, size: int) -> int:
        return peak_bytes(model, candidate, size, longest, machine.kind)

    ways = [
        (replace(setup, quantization=quantised, checkpointing=again), size)
        for quantised, again, size in product(quantization, checkpointing, tokens)
    ]
    fits = (way for way in ways if need(*way) <= SHARE * machine.available_bytes)
    chosen, size = next(fits, ways[-1])
    return Fit(chosen, size, need(chosen, size), need(*ways[0]))


def halvings(budget: int, longest: int) -> list[int]:
    """Token budgets to choose from; a sample that is longer than the budget stands alone and counts as it is.

    >>> halvings(2048, 300), halvings(1024, 900), halvings(1024, 3000)
    ([2048, 1024, 512], [1024], [1024])
    """
    budgets = [budget]
    while budgets[-1] // 2 >= max(SMALLEST, longest):
        budgets.append(budgets[-1] // 2)
    return budgets
