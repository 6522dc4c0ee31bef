"""The training loop, top to bottom: micro-batches, one optimiser step, evaluation, checkpoint, recovery, stop.

Whatever goes wrong has one answer. Out of memory: smaller micro-batches, the same step again. A loss or gradient that is
not finite: the step is left out. A spike: back to a checkpoint, the window left out, a lower rate, a bounded number of
times. A signal: a checkpoint of the last whole step, then the end. What was decided is in `recovery.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tuneloop.core.errors import IncompatibleError, Interrupted, ResourceError, Terminated
from tuneloop.core.failpoints import failpoint
from tuneloop.core.hashing import hash_value
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress
from tuneloop.core.seeds import derive_seed
from tuneloop.store.checkpoint import newest_checkpoint
from tuneloop.training import mishaps
from tuneloop.training.batches import collate
from tuneloop.training.curves import MEMORY, OVERFIT, PATIENCE, is_spike, overfit_share, usual_loss
from tuneloop.training.fast_path import supervised_loss
from tuneloop.training.journal import Journal
from tuneloop.training.memory import is_out_of_memory, resident_bytes
from tuneloop.training.recovery import Rollback, read_recovery
from tuneloop.training.signals import deferred_signals
from tuneloop.training.state import State, read_state, trained_parameters
from tuneloop.training.task import Order, Share, Task, Training
from tuneloop.training.tokenise import Example
from tuneloop.training.validation import VALIDATION_TOKENS, validation_loss


def rate_factor(step: int, warmup: int, total: int) -> float:
    """Share of the peak rate at a step (1 … total): linear up over `warmup` steps, linear down to zero at the end.

    >>> [rate_factor(s, 2, 6) for s in (1, 2, 4, 6)]
    [0.5, 1.0, 0.6, 0.2]
    """
    if step <= warmup:
        return step / warmup
    return (total - step + 1) / (total - warmup + 1)


def train(task: Task, progress: Progress) -> tuple[State, dict[str, Tensor]]:
    """Run the steps that are left, and return the last state and the best adapter.

    Raises:
        Interrupted, Terminated: a signal came; a checkpoint of the last whole step was written first.
        DivergedError: spikes or values that are not finite came back after every rollback (code `training.diverged`).
        ResourceError: one sample alone does not fit into memory (code `training.memory`), after a checkpoint was
            written; or the disk is full (`store.disk_full`).
        IncompatibleError: the checkpoint is of another schedule or adapter.
    """
    named = trained_parameters(task.model)
    optimizer = _optimizer(task, named)
    state, best = _resume(task, optimizer, progress)
    task.model.train()
    with (
        torch.random.fork_rng(devices=[p.device for p in named.values() if p.device.type == "cuda"][:1]),
        Journal(
            task.folder,
            step=state.step,
            evaluated=state.evaluated_step,
            report_to=task.report_to,
            settings=task.identity,
        ) as journal,
        progress.track(text("training.label"), len(task.steps), "steps") as tracker,
        deferred_signals() as check_signals,
    ):
        tracker.advance(state.step)
        recovery = read_recovery(task.folder)
        now = Training(task, state, best, optimizer, recovery, journal, tracker, progress, check_signals)
        try:
            while True:
                if _evaluation_is_due(now):
                    _evaluate(now)
                if now.state.stopped_early or now.state.step >= len(task.steps):
                    break
                if now.state.step % task.save_steps == 0:
                    now.save()
                _advance(now)
        except (Interrupted, Terminated):
            now.save()
            raise
        if now.state.stopped_early:
            progress.note(text("training.early_stop", step=now.state.step, patience=task.patience))
        now.save()
    return now.state, now.best


def _optimizer(task: Task, named: dict[str, Tensor]) -> torch.optim.Optimizer:
    """AdamW, with a group of parameters for every factor of the learning rate."""
    groups: dict[float, list[Tensor]] = {}
    for name, parameter in named.items():
        groups.setdefault(task.rate_factor(name), []).append(parameter)
    each = [{"params": parameters, "factor": factor} for factor, parameters in groups.items()]
    return torch.optim.AdamW(each, lr=0.0, betas=task.betas, weight_decay=task.weight_decay)


def _resume(task: Task, optimizer: torch.optim.Optimizer, progress: Progress) -> tuple[State, dict[str, Tensor]]:
    """The newest whole checkpoint, put into model and optimizer; or a beginning."""
    schedule = hash_value([[step.epoch, step.micro_batches] for step in task.steps])
    found = newest_checkpoint(task.folder / "checkpoints")
    for path, reason in found.skipped:
        progress.note(text("training.skipped_checkpoint", name=path.name, reason=reason))
    if found.path is None:
        best = {name: p.detach().clone() for name, p in trained_parameters(task.model).items()}
        half = next(task.model.get_base_model().parameters()).dtype == torch.float16
        scale = 65536.0 if half else 1.0
        return State(schedule_sha256=schedule, seed=task.seed, loss_scale=scale, largest_loss_scale=scale), best
    state, best = read_state(found.path, task.model, optimizer)
    if state.schedule_sha256 != schedule and not task.forced:
        raise IncompatibleError("training.resume_schedule", file=found.path)
    state.schedule_sha256 = schedule
    progress.note(text("training.resumed", step=state.step, steps=len(task.steps)))
    return state, best


def _advance(now: Training) -> None:
    """The next optimiser step, or what must happen instead of it."""
    number, task, state = now.state.step + 1, now.task, now.state
    if now.recovery.leaves_out(number):
        state.step = number
        now.tracker.advance(1)
        return
    start = time.perf_counter()
    torch.manual_seed(derive_seed(task.seed, "step", str(number)))
    loss, norm, rate, tokens, updating, full = math.nan, math.nan, 0.0, 0, False, False
    try:
        loss, norm, tokens = _gradients(now, number)
        updating = math.isfinite(loss) and math.isfinite(norm)
        if updating:
            rate = _update(now, number)
    except (MemoryError, RuntimeError, ResourceError) as error:
        if not is_out_of_memory(error):
            raise
        full = True
    # Outside the except block: the exception's frames hold the activations that must be free before the next try.
    if full:
        mishaps.shrink(now, number, touched=updating)
    elif not updating:
        mishaps.leave_out(now, number, loss, norm)
    else:
        seconds = time.perf_counter() - start
        state.step, state.tokens, state.seconds = number, state.tokens + tokens, state.seconds + seconds
        state.recent = [*state.recent, loss][-MEMORY - PATIENCE :]
        mishaps.grow_scale(state)
        _report(now, loss, norm, rate, tokens / seconds)
        if is_spike(state.recent):
            window = Rollback(back_to=0, first=number - PATIENCE + 1, last=number, reason="spike")
            mishaps.roll_back(now, window, "loss", loss)


def _gradients(now: Training, number: int) -> tuple[float, float, int]:
    """Exact mean of the loss over a step's supervised tokens, however they lie in micro-batches; norm; tokens."""
    task, state = now.task, now.state
    pieces = now.pieces(number)
    supervised = max(1, sum(e.targets for piece in pieces for e in piece))
    now.optimizer.zero_grad(set_to_none=True)
    order = Order(number, now.recovery.tokens("training", number), state.loss_scale / supervised)
    total, tokens = task.share_out(order, pieces, lambda own: accumulate(task, own, order.factor, now.check_signals))
    if task.penalty is not None:
        (task.penalty(task.model) * state.loss_scale).backward()  # type: ignore[no-untyped-call]
    parameters = list(trained_parameters(task.model).values())
    if state.loss_scale != 1.0:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad /= state.loss_scale
    return total / supervised, float(torch.nn.utils.clip_grad_norm_(parameters, task.max_grad_norm)), tokens


def accumulate(task: Task, pieces: list[list[Example]], factor: float, check_signals: Callable[[], None]) -> Share:
    """Add the gradients of some micro-batches, each times `factor`; the sum of their losses, and their tokens."""
    device = next(task.model.parameters()).device
    total, tokens = 0.0, 0
    for piece in pieces:
        check_signals()
        if task.budget is not None:
            task.budget.check([len(e.ids) for e in piece])
        packed = collate(piece, device)
        failpoint("train.forward")
        loss = supervised_loss(task.model, packed, task.label_smoothing)
        failpoint("train.backward")
        (loss * factor).backward()  # type: ignore[no-untyped-call]
        total += loss.item()
        tokens += packed.ids.shape[1]
    return Share(total, tokens)


def _update(now: Training, number: int) -> float:
    """Move the adapter, and return the rate."""
    task = now.task
    rate = task.learning_rate * rate_factor(number, task.warmup_steps, len(task.steps))
    rate *= now.recovery.rate_factor(number)
    for group in now.optimizer.param_groups:
        group["lr"] = rate * group["factor"]
    failpoint("train.optimizer")
    now.optimizer.step()
    task.after_step(task.model, number)
    return rate


def _report(now: Training, loss: float, norm: float, rate: float, speed: float) -> None:
    state = now.state
    memory = resident_bytes()
    state.peak_memory = max(state.peak_memory, memory)
    now.journal.write(
        {
            "step": state.step,
            "epoch": round(now.task.steps[state.step - 1].epoch + 1, 4),
            "tokens": state.tokens,
            "loss": loss,
            "learning_rate": rate,
            "grad_norm": norm,
            "tokens_per_second": round(speed, 1),
            "memory_bytes": memory,
        }
    )
    now.tracker.advance(1, loss=f"{loss:.3f}", validation=f"{state.best_loss:.3f}", tok_s=f"{speed:.0f}")


def _evaluation_is_due(now: Training) -> bool:
    task, state = now.task, now.state
    due = state.step >= len(task.steps) or state.step % task.eval_steps == 0
    return bool(task.validation) and state.evaluated_step < state.step and due


def _evaluate(now: Training) -> None:
    """Score the validation split, keep the adapter if it is the best so far, and note when patience is at its end."""
    task, state = now.task, now.state
    limit = now.recovery.tokens("evaluation", state.step) or VALIDATION_TOKENS
    loss: float | None = None
    try:
        loss = validation_loss(task.model, task.validation, limit, now.check_signals)
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
    if loss is None:  # outside the except block, as in `_advance`; the loop comes here again
        mishaps.shrink_evaluation(now)
        return
    state.evaluated_step = state.step
    line: dict[str, Any] = {"step": state.step, "epoch": round(state.step / max(1, len(task.steps)), 4)}
    line |= {"validation_loss": loss}
    now.journal.write(line)
    if (usual := usual_loss(state.recent)) is not None:
        line["training_loss"] = usual
    parted = overfit_share(state.history) > OVERFIT
    state.history.append(line)
    if not parted and (rise := overfit_share(state.history)) > OVERFIT:
        now.progress.note(text("training.overfits", step=state.step, rise=rise))
    if loss < state.best_loss:
        state.best_loss, state.best_step, state.without_improvement = loss, state.step, 0
        now.best = {name: p.detach().clone() for name, p in trained_parameters(task.model).items()}
        return
    state.without_improvement += 1
    state.stopped_early = state.without_improvement >= task.patience
