"""Arms against arms on the same rows, and what that proves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from tuneloop.core.errors import RecipeError
from tuneloop.core.evidence import ALPHA, rows_needed
from tuneloop.core.records import Comparison
from tuneloop.evaluation.arms import TUNED
from tuneloop.evaluation.clusters import design_effect
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.metrics import BINARY, best
from tuneloop.evaluation.scoring import TASK_METRICS, Rows, Scored, estimate_of
from tuneloop.evaluation.significance import (
    detectable_effect,
    detectable_share,
    holm,
    mcnemar,
    permutation,
    share_standard_error,
)
from tuneloop.evaluation.statistics import Interval, by_unit, paired_bootstrap, paired_shares
from tuneloop.evaluation.tasks import TASKS

Status = Literal["better", "worse", "not proven"]


class Compared(NamedTuple):
    """A comparison, and the smallest true difference that so many rows would have shown."""

    comparison: Comparison
    detectable: float | None
    """None: so few rows can show none, however large."""


def headline_of(config: EvaluationConfig, has_script: bool) -> str:
    """The metric of the verdict.

    Raises:
        RecipeError: script compliance is asked for without a script (code `evaluation.headline_without_script`), or a
            metric that the task doesn't have (`evaluation.headline_not_of_task`).
    """
    task = TASKS[config.task]
    if config.headline == "auto":
        return task.headline or ("script_compliance" if has_script else "rouge_l")
    if config.headline == "script_compliance" and not has_script:
        raise RecipeError("evaluation.headline_without_script")
    own = task.metrics or ()
    if (own or config.headline in TASK_METRICS) and config.headline not in own:
        raise RecipeError("evaluation.headline_not_of_task", headline=config.headline, task=config.task)
    return config.headline


def pairs_of(arms: Sequence[str]) -> list[tuple[str, str]]:
    """Which arms are compared, as (baseline, arm): the tuned one with all others, or the others with the first.

    >>> pairs_of(["base", "base+script", "tuned"])
    [('base', 'tuned'), ('base+script', 'tuned')]
    >>> pairs_of(["base", "base+script"])
    [('base', 'base+script')]
    """
    if TUNED in arms:
        return [(name, TUNED) for name in arms if name != TUNED]
    return [(arms[0], name) for name in arms[1:]]


def compare_all(rows: Rows, arms: Mapping[str, Scored], headline: str) -> list[Compared]:
    """Compare every pair by every metric; the p-values hold together.

    Two families are corrected apart (Holm): the headline, which was chosen before and alone decides the verdict, and
    everything else, so that adding a metric to the recipe never makes the verdict less certain.
    """
    metrics = [headline, *(metric for metric in rows.compared if metric != headline)]
    pairs = pairs_of(list(arms))
    compared = [_compare(rows, arms, a, b, metric, len(pairs)) for metric in metrics for a, b in pairs]
    first = [item for item in compared if item.comparison.metric == headline]
    others = [item for item in compared if item.comparison.metric != headline]
    return [*_corrected(first), *_corrected(others)]


def _compare(rows: Rows, arms: Mapping[str, Scored], a: str, b: str, metric: str, pairs: int) -> Compared:
    """Compare arm `b` with arm `a`; p is not corrected yet for the number of pairs."""
    first, second = arms[a], arms[b]
    estimate = estimate_of(metric)
    sums = [by_unit(scored.statistics[metric], rows.units) for scored in (first, second)]
    units = len(sums[0])
    independent = units == len(rows.units)
    if metric in BINARY:
        scores = first.scores[metric], second.scores[metric]
        changes = [after - before for before, after in zip(*scores, strict=True)]
        effect = design_effect(changes, rows.units)
        interval, error = paired_shares(*scores, effect=effect), share_standard_error(*scores, effect=effect)
        p = mcnemar(*scores) if independent else permutation(*sums, seed=rows.draw)
    else:
        p = permutation(sums[0], sums[1], seed=rows.draw, estimate=estimate)
        if units < 2:
            value = float(estimate(sums[1].sum(axis=0)) - estimate(sums[0].sum(axis=0)))
            interval, error = Interval(value, -best(metric), best(metric)), best(metric)
        else:
            interval, error = paired_bootstrap(sums[0], sums[1], seed=rows.draw, estimate=estimate)
            error *= math.sqrt(units / (units - 1))
            # Arms that agree everywhere are not infinitely precise: as if one more conversation differed by all it can.
            error = error if error > 1e-9 else best(metric) / units
    comparison = Comparison(
        a=a, b=b, metric=metric, difference=interval.value, low=interval.low, high=interval.high, p=p
    )
    return Compared(comparison, _detectable(metric, error, units, pairs))


def _detectable(metric: str, error: float, units: int, pairs: int) -> float | None:
    """The smallest true difference that would have been proven; None where the test can't prove any."""
    needed = rows_needed(pairs)
    if units < needed:
        return None
    effect = detectable_effect(error, units, confidence=1 - ALPHA / pairs)
    if metric in BINARY:
        effect = max(effect, detectable_share(units, needed))
    return min(effect, best(metric))


def detectable_of(compared: Sequence[Compared], metric: str) -> dict[str, float]:
    """By baseline: the smallest true difference in a metric that would have been proven; without those that none would."""
    return {
        item.comparison.a: item.detectable
        for item in compared
        if item.comparison.metric == metric and item.detectable is not None
    }


def _corrected(family: Sequence[Compared]) -> list[Compared]:
    corrected = holm([item.comparison.p for item in family])
    return [
        item._replace(comparison=item.comparison.model_copy(update={"p": p}))
        for item, p in zip(family, corrected, strict=True)
    ]


def reading(comparison: Comparison) -> Status:
    """What one comparison proves: only where the interval leaves out 0 and the test agrees."""
    if comparison.p >= ALPHA:
        return "not proven"
    if comparison.low > 0:
        return "better"
    return "worse" if comparison.high < 0 else "not proven"


def judge(comparisons: Sequence[Comparison], headline: str) -> Status:
    """The verdict: better than every baseline, worse than one of them, or not proven.

    Better than the base alone is not enough where the script in its prompt does as well: then no training was needed.
    """
    readings = [reading(item) for item in comparisons if item.metric == headline and item.b == TUNED]
    if "worse" in readings:
        return "worse"
    return "better" if readings and all(item == "better" for item in readings) else "not proven"
