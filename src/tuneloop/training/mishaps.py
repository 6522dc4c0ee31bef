"""The answers to what goes wrong in a step: no memory, a value that is not finite, a spike. All of them are bounded."""

from __future__ import annotations

import gc
import math
from pathlib import Path

import torch

from tuneloop.core.errors import DivergedError, ResourceError
from tuneloop.core.messages import text
from tuneloop.store.checkpoint import checkpoint_step, checkpoints, newest_checkpoint, remove_checkpoint
from tuneloop.training.batches import collate
from tuneloop.training.fast_path import supervised_loss
from tuneloop.training.recovery import ATTEMPTS, Recovery, Rollback, write_recovery
from tuneloop.training.state import State, read_state
from tuneloop.training.task import NOT_FINITE, NOT_FINITE_WINDOW, Training
from tuneloop.training.tokenise import Example
from tuneloop.training.validation import VALIDATION_TOKENS

SCALE_STEPS = 20
"""Finite steps before the float16 loss scale is doubled; torch's 2,000 are more than a whole run here has."""


def shrink(now: Training, number: int, *, touched: bool) -> None:
    """Memory ran out in a step: halve its largest micro-batch, so that the loop does the same step again.

    The samples of the optimiser step stay the same. When the optimiser was already moving weights (`touched`), the
    newest checkpoint is read back: a half-moved adapter is no state to go on from.

    Raises:
        ResourceError: every micro-batch is one sample already (code `training.memory`); a checkpoint was saved.
    """
    now.optimizer.zero_grad(set_to_none=True)
    _free()
    pieces = now.pieces(number)
    divisible = [sum(len(e.ids) for e in piece) for piece in pieces if len(piece) > 1]
    whole = newest_checkpoint(now.checkpoints, accept=lambda step: step < number).path
    if touched and whole is not None:
        go_back(now, whole)
    if not divisible:
        now.save()
        longest = max((e for piece in pieces for e in piece), key=lambda e: len(e.ids))
        raise ResourceError(
            "training.memory", file=now.task.folder, step=number, tokens=len(longest.ids), sample=longest.id
        )
    limit = max(divisible) // 2
    _decide(now, now.recovery.with_smaller("training", number, limit))
    now.progress.note(text("training.shrinks", step=number, tokens=limit))


def shrink_evaluation(now: Training) -> None:
    """Memory ran out in an evaluation: halve its passes. The training's micro-batches stay as they are.

    Raises:
        ResourceError: a pass is one sample already (code `training.memory_evaluation`); a checkpoint was saved.
    """
    _free()
    limit = now.recovery.tokens("evaluation", now.state.step) or VALIDATION_TOKENS
    longest = max(len(e.ids) for e in now.task.validation)
    if limit <= longest:
        now.save()
        raise ResourceError("training.memory_evaluation", file=now.task.folder, tokens=longest)
    limit = max(longest, min(limit, sum(len(e.ids) for e in now.task.validation)) // 2)
    _decide(now, now.recovery.with_smaller("evaluation", now.state.step, limit))
    now.progress.note(text("training.shrinks_evaluation", tokens=limit))


def leave_out(now: Training, number: int, loss: float, norm: float) -> None:
    """A loss or gradient is not finite: the step leaves no trace in weights and optimiser, and its samples are named.

    In float16 the first suspect is the loss scale: it is halved, and the same step is done again.
    """
    now.optimizer.zero_grad(set_to_none=True)
    state = now.state
    if state.loss_scale > 1.0:
        state.loss_scale, state.scaled_steps = state.loss_scale / 2, 0
        return
    what, value = ("gradient norm", norm) if math.isfinite(loss) else ("loss", loss)
    samples = culprits(now, number)
    state.step = number
    state.left_out = [s for s in state.left_out if s > number - NOT_FINITE_WINDOW] + [number]
    now.journal.write({"step": number, "left_out": f"{what}: {value}", "samples": samples})
    now.progress.note(
        text("training.leaves_out", step=number, what=what, value=value, samples=", ".join(samples)[:200])
    )
    now.tracker.advance(1)
    if len(state.left_out) > NOT_FINITE:
        window = Rollback(back_to=0, first=state.left_out[0], last=number, reason="not_finite")
        roll_back(now, window, what, value)


def grow_scale(state: State) -> None:
    """Double the float16 loss scale after enough finite steps, up to where it began: one bad sample halves it to 1, and
    without this every later gradient of the run would be left unscaled.
    """
    state.scaled_steps += 1
    if state.loss_scale < state.largest_loss_scale and state.scaled_steps >= SCALE_STEPS:
        state.loss_scale, state.scaled_steps = state.loss_scale * 2, 0


def roll_back(now: Training, window: Rollback, what: str, value: float) -> None:
    """Go back to the checkpoint before a window of bad steps, leave the window out, and go on with a lower rate.

    Only checkpoints of the regular interval count: one that a signal caused may be missing in an undisturbed run, and
    both must go the same way.

    Raises:
        DivergedError: it came back after `ATTEMPTS` rollbacks (code `training.diverged`).
    """
    interval = now.task.save_steps
    found = newest_checkpoint(now.checkpoints, accept=lambda step: step < window.first and step % interval == 0)
    back_to = None if found.path is None else checkpoint_step(found.path)
    attempts = now.recovery.attempts(window.first)
    if found.path is None or back_to is None or attempts >= ATTEMPTS:
        rate = now.task.learning_rate * now.recovery.rate_factor(window.last)
        samples = ", ".join(culprits(now, window.last))[:200]
        raise DivergedError(
            "training.diverged", file=now.task.folder, step=window.last, what=what, value=value, samples=samples,
            rate=rate, attempts=attempts,
        )  # fmt: skip
    # First the newer checkpoints go, then the decision is kept: a kill between the two repeats the spike and decides again.
    for path in checkpoints(now.checkpoints):
        if checkpoint_step(path) > back_to:
            remove_checkpoint(path)
    _decide(now, now.recovery.with_rollback(window.model_copy(update={"back_to": back_to})))
    go_back(now, found.path)
    now.progress.note(
        text("training.rolls_back", step=window.last, back_to=back_to, first=window.first, last=window.last, what=what,
             value=value, attempt=attempts + 1, attempts=ATTEMPTS)
    )  # fmt: skip


def go_back(now: Training, path: Path) -> None:
    """Read a checkpoint back into the training; the metrics after it are dropped."""
    done = now.state.step
    now.state, now.best = read_state(path, now.task.model, now.optimizer)
    now.journal.rewind(now.state.step, now.state.evaluated_step)
    now.tracker.advance(now.state.step - done)


def culprits(now: Training, number: int) -> list[str]:
    """Ids of a step's samples whose own loss is not finite; all of its samples when each alone is."""
    examples = [example for piece in now.pieces(number) for example in piece]
    bad = [example.id for example in examples if not math.isfinite(_loss_alone(now, example))]
    return bad or [example.id for example in examples]


@torch.no_grad()
def _loss_alone(now: Training, example: Example) -> float:
    device = next(now.task.model.parameters()).device
    return float(supervised_loss(now.task.model, collate([example], device)))


def _decide(now: Training, recovery: Recovery) -> None:
    write_recovery(now.task.folder, recovery)
    now.recovery = recovery


def _free() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
