"""The training loop, top to bottom: micro-batches, one optimiser step, evaluation, checkpoint, stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from accelerate import Accelerator
from peft import PeftModel
from torch import Tensor

from tuneloop.core.errors import DivergedError, Interrupted, ResourceError, Terminated
from tuneloop.core.messages import text
from tuneloop.core.progress import Progress, Tracker
from tuneloop.store.checkpoint import newest_checkpoint, prune_checkpoints, save_checkpoint
from tuneloop.training.batches import Step, collate, pack
from tuneloop.training.fast_path import supervised_loss
from tuneloop.training.journal import Journal
from tuneloop.training.signals import deferred_signals
from tuneloop.training.state import State, read_state, trained_parameters, write_state
from tuneloop.training.tokenise import Example

VALIDATION_TOKENS = 4096
"""Tokens of one forward pass of an evaluation."""


@dataclass(frozen=True)
class Task:
    """What the loop works on."""

    model: PeftModel
    train: Sequence[Example]
    validation: Sequence[Example]
    steps: Sequence[Step]
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    betas: tuple[float, float]
    max_grad_norm: float
    eval_steps: int
    save_steps: int
    save_total_limit: int
    patience: int
    folder: Path
    """The run's folder."""
    identity: dict[str, Any]
    """What must be the same at resume; kept in every checkpoint's manifest."""
    tensorboard: bool = True


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
        DivergedError: a loss or gradient is not finite (code `training.diverged`).
        ResourceError: memory ran out (code `training.memory`) or the disk is full (`store.disk_full`).
    """
    accelerator = Accelerator(cpu=next(task.model.parameters()).device.type == "cpu")
    named = trained_parameters(task.model)
    optimizer = torch.optim.AdamW(named.values(), lr=0.0, betas=task.betas, weight_decay=task.weight_decay)
    state, best = State(), {name: p.detach().clone() for name, p in named.items()}
    found = newest_checkpoint(task.folder / "checkpoints")
    for path, reason in found.skipped:
        progress.note(text("training.skipped_checkpoint", name=path.name, reason=reason))
    if found.path is not None:
        state, best = read_state(found.path, task.model, optimizer)
        progress.note(text("training.resumed", step=state.step, steps=len(task.steps)))
    task.model.train()
    with (
        Journal(task.folder, step=state.step, tensorboard=task.tensorboard) as journal,
        progress.track(text("training.label"), len(task.steps), "steps") as tracker,
        deferred_signals() as check_signals,
    ):
        tracker.advance(state.step)
        try:
            while True:
                if _evaluation_is_due(task, state):
                    best = _evaluate(task, state, best, journal, check_signals)
                if state.stopped_early or state.step >= len(task.steps):
                    break
                if state.step % task.save_steps == 0 and state.step:
                    _save(task, optimizer, best, state)
                _step(task, state, accelerator, optimizer, journal, tracker, check_signals)
        except (Interrupted, Terminated):
            _save(task, optimizer, best, state)
            raise
    if state.stopped_early:
        progress.note(text("training.early_stop", step=state.step, patience=task.patience))
    _save(task, optimizer, best, state)
    return state, best


def _step(
    task: Task,
    state: State,
    accelerator: Accelerator,
    optimizer: torch.optim.Optimizer,
    journal: Journal,
    tracker: Tracker,
    check_signals: Callable[[], None],
) -> None:
    """One optimiser step: exact mean of the loss over all its supervised tokens, however they lie in micro-batches."""
    start = time.perf_counter()
    step = task.steps[state.step]
    number = state.step + 1
    batches = [[task.train[i] for i in micro] for micro in step.micro_batches]
    supervised = max(1, sum(e.targets for batch in batches for e in batch))
    total, tokens = 0.0, 0
    optimizer.zero_grad(set_to_none=True)
    try:
        for batch in batches:
            check_signals()
            packed = collate(batch, accelerator.device)
            loss = supervised_loss(task.model, packed) / supervised
            accelerator.backward(loss)
            total += loss.item()
            tokens += packed.ids.shape[1]
        norm = float(accelerator.clip_grad_norm_(trained_parameters(task.model).values(), task.max_grad_norm))
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise ResourceError("training.memory", file=task.folder, step=number) from error
    rate = task.learning_rate * rate_factor(number, task.warmup_steps, len(task.steps))
    for what, value in (("loss", total), ("gradient norm", norm)):
        if not math.isfinite(value):
            samples = ", ".join(e.id for batch in batches for e in batch)[:200]
            raise DivergedError(
                "training.diverged", file=task.folder, step=number, what=what, value=value, samples=samples, rate=rate
            )
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.step()
    seconds = time.perf_counter() - start
    state.step, state.tokens, state.seconds = number, state.tokens + tokens, state.seconds + seconds
    memory = psutil.Process().memory_info().rss
    state.peak_memory = max(state.peak_memory, memory)
    journal.write(
        {
            "step": number,
            "epoch": round(step.epoch + 1, 4),
            "tokens": state.tokens,
            "loss": total,
            "learning_rate": rate,
            "grad_norm": norm,
            "tokens_per_second": round(tokens / seconds, 1),
            "memory_bytes": memory,
        }
    )
    tracker.advance(1, loss=f"{total:.3f}", validation=f"{state.best_loss:.3f}", tok_s=f"{tokens / seconds:.0f}")


def _evaluation_is_due(task: Task, state: State) -> bool:
    at_end = state.step >= len(task.steps)
    return bool(task.validation) and state.evaluated_step < state.step and (at_end or state.step % task.eval_steps == 0)


def _evaluate(
    task: Task, state: State, best: dict[str, Tensor], journal: Journal, check_signals: Callable[[], None]
) -> dict[str, Tensor]:
    """Score the validation split, keep the adapter if it is the best so far, and note when patience is at its end."""
    loss = validation_loss(task.model, task.validation, check_signals)
    state.evaluated_step = state.step
    line = {"step": state.step, "epoch": round(state.step / max(1, len(task.steps)), 4), "validation_loss": loss}
    state.history.append(line)
    journal.write(line)
    if loss < state.best_loss:
        state.best_loss, state.best_step, state.without_improvement = loss, state.step, 0
        return {name: p.detach().clone() for name, p in trained_parameters(task.model).items()}
    state.without_improvement += 1
    state.stopped_early = state.without_improvement >= task.patience
    return best


@torch.no_grad()
def validation_loss(
    model: PeftModel, examples: Sequence[Example], check_signals: Callable[[], None] = lambda: None
) -> float:
    """Mean loss of the supervised tokens (nats), in evaluation mode."""
    device = next(model.parameters()).device
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].ids))
    model.eval()
    try:
        total = 0.0
        for indices in pack(order, [len(e.ids) for e in examples], max_tokens=VALIDATION_TOKENS):
            check_signals()
            total += float(supervised_loss(model, collate([examples[i] for i in indices], device)))
    finally:
        model.train()
    return total / max(1, sum(e.targets for e in examples))


def _save(task: Task, optimizer: torch.optim.Optimizer, best: dict[str, Tensor], state: State) -> None:
    folder = task.folder / "checkpoints"
    save_checkpoint(
        folder, state.step, lambda path: write_state(path, task.model, optimizer, best, state), config=task.identity
    )
    prune_checkpoints(folder, keep=task.save_total_limit)
