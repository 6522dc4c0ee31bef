"""A training under way: what the loop works on, everything that changes, and how both reach the disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peft import PeftModel
from torch import Tensor

from tuneloop.core.progress import Progress, Tracker
from tuneloop.store.checkpoint import checkpoint_name, prune_checkpoints, save_checkpoint
from tuneloop.training.batches import Step, fit
from tuneloop.training.journal import Journal
from tuneloop.training.memory import Budget
from tuneloop.training.recovery import Recovery
from tuneloop.training.state import State, is_evaluated, write_state
from tuneloop.training.tokenise import Example

NOT_FINITE, NOT_FINITE_WINDOW = 3, 20
"""More steps than this without a finite loss, within so many, are answered like a spike."""


class Order(NamedTuple):
    """Which gradients are wanted."""

    number: int
    """The step (1 …)."""
    limit: int | None
    """Tokens that memory has been found to hold in a micro-batch."""
    factor: float
    """Of every loss: the scale of float16 over the supervised tokens of the whole step."""


class Share(NamedTuple):
    """What was computed of a step, beside the gradients in the parameters."""

    loss: float
    """Summed over supervised tokens (nats)."""
    tokens: int


def _alone(order: Order, pieces: list[list[Example]], compute: Callable[[list[list[Example]]], Share]) -> Share:
    return compute(pieces)


@dataclass(frozen=True)
class Task:
    """What the loop works on."""

    model: PeftModel
    train: Sequence[Example]
    validation: Sequence[Example]
    steps: Sequence[Step]
    seed: int
    learning_rate: float
    warmup_steps: int
    weight_decay: float
    betas: tuple[float, float]
    max_grad_norm: float
    label_smoothing: float
    eval_steps: int
    save_steps: int
    save_total_limit: int
    patience: int
    folder: Path
    """The run's folder."""
    identity: dict[str, Any]
    """What must be the same at resume; kept in every checkpoint's manifest."""
    forced: bool = False
    """Go on although the order of the samples is another one."""
    budget: Budget | None = None
    """The guard against the kernel's out-of-memory killer; a GPU raises by itself."""
    report_to: tuple[str, ...] = ()
    rate_factor: Callable[[str], float] = lambda _: 1.0
    """How many times the learning rate a parameter gets, by its name."""
    penalty: Callable[[PeftModel], Tensor] | None = None
    """What the method adds to a step's mean loss; None: nothing."""
    after_step: Callable[[PeftModel, int], None] = lambda *_: None
    """What the method does after the optimiser's step (1 …)."""
    share_out: Callable[[Order, list[list[Example]], Callable[[list[list[Example]]], Share]], Share] = _alone
    """Who computes a step's micro-batches: this process, or several (`distributed.py`)."""


def cut(task: Task, number: int, limit: int | None) -> list[list[Example]]:
    """The micro-batches of a step (1 …), cut to what memory holds."""
    micro_batches = task.steps[number - 1].micro_batches
    return [piece for micro in micro_batches for piece in fit([task.train[i] for i in micro], limit)]


@dataclass
class Training:
    """A training under way."""

    task: Task
    state: State
    best: dict[str, Tensor]
    optimizer: torch.optim.Optimizer
    recovery: Recovery
    journal: Journal
    tracker: Tracker
    progress: Progress
    check_signals: Callable[[], None]

    @property
    def checkpoints(self) -> Path:
        return self.task.folder / "checkpoints"

    def pieces(self, number: int) -> list[list[Example]]:
        """The micro-batches of a step (1 …), cut to what memory has been found to hold."""
        return cut(self.task, number, self.recovery.tokens("training", number))

    def save(self) -> None:
        """Write a checkpoint, and remove those that nothing needs: a rollback may want the one before its window."""
        task, state = self.task, self.state

        def write(path: Path) -> None:
            write_state(path, task.model, self.optimizer, self.best, state)

        stale = not is_evaluated(self.checkpoints / checkpoint_name(state.step), state.evaluated_step)
        save_checkpoint(self.checkpoints, state.step, write, config=task.identity, replace=stale)
        before_window = max(0, state.step - NOT_FINITE_WINDOW) // task.save_steps * task.save_steps
        prune_checkpoints(self.checkpoints, keep=task.save_total_limit, protected=[state.best_step, before_window])
