"""What a checkpoint holds, and how it is written and read: safetensors for tensors, JSON for the rest, no pickle.

Nothing random is kept: every step seeds its random numbers from the run's seed and its own number, so that a step is the
same whether the run was stopped before it or not.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor

from tuneloop.adapters.attach import remembered
from tuneloop.adapters.tensors import save_tensors
from tuneloop.core.errors import IncompatibleError
from tuneloop.core.failpoints import failpoint

_MEASURED = ("seconds", "peak_memory")
"""Fields that differ between two equal runs; they stand in a file of their own."""


@dataclass
class State:
    """How far a training is. Everything else follows from the schedule and the seed."""

    schedule_sha256: str = ""
    """Of every step's samples: the order in which a resumed run must go on."""
    seed: int = 0
    step: int = 0
    evaluated_step: int = -1
    best_step: int = 0
    best_loss: float = float("inf")
    without_improvement: int = 0
    tokens: int = 0
    stopped_early: bool = False
    loss_scale: float = 1.0
    """Factor of the loss in float16, so that small gradients do not vanish."""
    largest_loss_scale: float = 1.0
    """Where the factor began; it never grows beyond."""
    scaled_steps: int = 0
    """Steps in a row whose gradients were finite at this factor."""
    recent: list[float] = field(default_factory=list)
    """The last training losses, which say what is usual."""
    left_out: list[int] = field(default_factory=list)
    """Steps that were not done because their loss or gradient was not finite."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """The evaluations, as in metrics.jsonl."""
    seconds: float = 0.0
    peak_memory: int = 0


def trained_parameters(model: PeftModel) -> dict[str, Tensor]:
    """The adapter's parameters by name, in a fixed order."""
    return {name: p for name, p in sorted(model.named_parameters()) if p.requires_grad}


def write_state(
    folder: Path, model: PeftModel, optimizer: torch.optim.Optimizer, best: dict[str, Tensor], state: State
) -> None:
    """Write everything a resume needs into a folder."""
    named = trained_parameters(model)
    moments = {f"{n}:{key}": value for n, p in named.items() for key, value in optimizer.state.get(p, {}).items()}
    save_tensors(named | remembered(model), folder / "adapter.safetensors")
    save_tensors(moments, folder / "optimizer.safetensors")
    save_tensors(best, folder / "best.safetensors")
    document = {k: v if v != float("inf") else None for k, v in asdict(state).items()}
    measured = {name: document.pop(name) for name in _MEASURED}
    failpoint("state.json")
    (folder / "trainer_state.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    (folder / "measured.json").write_text(json.dumps(measured), encoding="utf-8")


def is_evaluated(folder: Path, evaluated_step: int) -> bool:
    """Whether a checkpoint knows the evaluation of a step; one that a signal caused just before it does not.

    A missing or unreadable one says nothing, and counts as evaluated: it is written anew anyway.
    """
    try:
        document = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
        return bool(document["evaluated_step"] >= evaluated_step)
    except (OSError, ValueError, KeyError, TypeError):
        return True


def read_state(folder: Path, model: PeftModel, optimizer: torch.optim.Optimizer) -> tuple[State, dict[str, Tensor]]:
    """Put a checkpoint back into model and optimizer, and return the state and the best adapter so far.

    Raises:
        IncompatibleError: the checkpoint holds other tensors than the model trains (code `training.resume_shapes`).
    """
    named = trained_parameters(model)
    adapter, moments = load_file(folder / "adapter.safetensors"), load_file(folder / "optimizer.safetensors")
    held = named | remembered(model)
    if {n: p.shape for n, p in held.items()} != {n: t.shape for n, t in adapter.items()}:
        raise IncompatibleError("training.resume_shapes", file=folder)
    optimizer.state.clear()
    optimizer.zero_grad(set_to_none=True)
    with torch.no_grad():
        for name, tensor in held.items():
            tensor.copy_(adapter[name])
    for key, value in moments.items():
        name, moment = key.rsplit(":", 1)
        place = named[name].device if moment != "step" else value.device  # AdamW counts its steps on the CPU
        optimizer.state[named[name]][moment] = value.to(place)
    document = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    document |= json.loads((folder / "measured.json").read_text(encoding="utf-8"))
    if document["best_loss"] is None:
        document["best_loss"] = float("inf")
    best = {name: tensor.to(named[name].device) for name, tensor in load_file(folder / "best.safetensors").items()}
    return State(**document), best
