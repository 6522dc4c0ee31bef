"""`find_learning_rate`: successive halving (arXiv 1502.07943) over a few rates around the planned one.

Every candidate goes through a whole short training of its own: warm-up, decay, validation loss. The better ones go on to
a longer one. What wins a short training is no proof for a long one: the search finds the right order of magnitude.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tuneloop.adapters.attach import remembered
from tuneloop.core.errors import DivergedError
from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Plan
from tuneloop.store.artifacts import scratch_folder
from tuneloop.training.fast_path import fast_path
from tuneloop.training.identity import Inputs
from tuneloop.training.loop import train
from tuneloop.training.prepare import Prepared, attached, make_budget, make_task, within
from tuneloop.training.state import trained_parameters
from tuneloop.training.task import Task

FACTORS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Candidates, as multiples of the planned rate."""
KEPT = 2
"""Candidates of the second, longer round."""
FEWEST, MOST = 4, 12
"""Steps of the first round; between the two, a fiftieth of the training's."""
VALIDATION_TOKENS = 2000
"""Of the part of the validation split that is scored."""


def find_rate(inputs: Inputs, prepared: Prepared, folder: Path, progress: Progress) -> Plan:
    """Try rates out, and return the plan with the best one and with the reason.

    Without a validation split there is nothing to choose by: the plan stays, and says so.

    Args:
        inputs: what the training is made from; the base model is the same afterwards.
        prepared: the plan and the examples.
        folder: the run's; the trials are written beside it, and removed.
        progress: told what every candidate reached.
    """
    plan = prepared.plan
    planned = plan.value("learning_rate")
    if not prepared.validation:
        return _with_rate(plan, planned, text("training.why.rate_not_tried"))
    steps = min(MOST, max(FEWEST, plan.value("steps") // 50))
    with scratch_folder(folder) as scratch, attached(inputs, plan) as model, fast_path(model):
        task = make_task(inputs, prepared, model, scratch, {}, make_budget(inputs, plan))
        task = replace(
            task, validation=within(VALIDATION_TOKENS, task.validation), report_to=(), save_steps=len(task.steps) + 1
        )
        first = halve([planned * factor for factor in FACTORS], lambda rate: _try(task, rate, steps), progress)
        second = halve(first, lambda rate: _try(task, rate, 2 * steps), progress)
    best = second[0]
    return _with_rate(plan, best, text("training.why.rate_found", planned=planned, steps=steps, best=best))


def halve(rates: list[float], score: Callable[[float], float], progress: Progress) -> list[float]:
    """Score every candidate and keep the best, the best first; of equals the lower rate.

    >>> halve([0.1, 0.2, 0.4], lambda rate: abs(rate - 0.3), SILENT)
    [0.2, 0.4]
    """
    scores = {}
    for rate in sorted(rates):
        scores[rate] = round(score(rate), 6)
        progress.note(text("training.rate_tried", rate=rate, loss=scores[rate]))
    return sorted(scores, key=lambda rate: scores[rate])[:KEPT]


def _try(task: Task, rate: float, steps: int) -> float:
    """Validation loss after a short training of its own, from the same start; infinite where it diverged."""
    named = trained_parameters(task.model) | remembered(task.model)
    start = {name: parameter.detach().clone() for name, parameter in named.items()}
    folder = task.folder / f"{rate:.3g}-{steps}"
    folder.mkdir()
    short = replace(
        task,
        steps=task.steps[:steps],
        learning_rate=rate,
        warmup_steps=max(1, steps // 10),
        eval_steps=steps,
        patience=steps,
        folder=folder,
    )
    try:
        state, _ = train(short, SILENT)
    except DivergedError:
        return math.inf
    finally:
        for name, parameter in named.items():
            parameter.data.copy_(start[name])
    last = state.history[-1]["validation_loss"]
    return float(last) if math.isfinite(last) else math.inf


def _with_rate(plan: Plan, rate: float, reason: str) -> Plan:
    change = {"value": float(f"{rate:.3g}"), "reason": reason}
    choices = tuple(c.model_copy(update=change) if c.name == "learning_rate" else c for c in plan.choices)
    return plan.model_copy(update={"choices": choices})
