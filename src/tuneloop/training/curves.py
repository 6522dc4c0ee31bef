"""What the loss curves say: a spike that must be undone, or validation that parts from training. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median, quantiles
from typing import Any

PATIENCE = 5
"""Steps in a row that make a spike."""
MEMORY = 20
"""Losses that say what is usual: few enough to forget the high ones of the beginning."""
CALM = 10
"""Steps before a spike that are needed to know what is usual."""
FACTOR, OUTLIER, FLOOR = 3.0, 1.5, 0.2
"""A loss is high above FACTOR × median, OUTLIER × the 95th percentile, and FLOOR (nats), all three."""
OVERFIT = 0.02
"""Validation that rose by this share above its best, while training fell, is called overfitting."""


def is_spike(losses: Sequence[float]) -> bool:
    """Whether the last `PATIENCE` losses all stand far above what was usual before them.

    One bad batch is no spike, nor is noise around a small loss: what was seen before is usual. llm-foundry's callback has
    the same patience (loss ≥ 2 × running mean, 5 in a row); median and percentile forget outliers that a mean keeps.

    >>> is_spike([1.0] * 20 + [20.0] * 4), is_spike([1.0] * 20 + [20.0] * 5)
    (False, True)
    """
    before, last = losses[:-PATIENCE][-MEMORY:], losses[-PATIENCE:]
    if len(before) < CALM:
        return False
    usual = quantiles(before, n=20)[-1]
    high = max(FACTOR * median(before), OUTLIER * usual, FLOOR)
    return all(loss > high for loss in last)


def overfit_share(history: Sequence[dict[str, Any]]) -> float:
    """By which share the last validation loss lies above the best one, if training fell in the meantime; else 0.

    Args:
        history: the evaluations, each with `validation_loss` and, after step 1, `training_loss`.

    >>> overfit_share([{"validation_loss": 1.0, "training_loss": 1.0}, {"validation_loss": 1.5, "training_loss": 0.5}])
    0.5
    """
    if len(history) < 2:
        return 0.0
    best, last = min(history, key=lambda line: line["validation_loss"]), history[-1]
    falls = last.get("training_loss") is not None and last["training_loss"] < best.get("training_loss", float("inf"))
    if not falls or best["validation_loss"] <= 0:
        return 0.0
    return float(last["validation_loss"] / best["validation_loss"] - 1)


def usual_loss(losses: Sequence[float], count: int = 20) -> float | None:
    """Mean of the last training losses, to be laid beside a validation loss; None before the first step."""
    return round(fmean(losses[-count:]), 6) if losses else None
