"""What a checkpoint holds, and how it is written and read: safetensors for tensors, JSON for the rest, no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from torch import Tensor


@dataclass
class State:
    """How far a training is. Everything else follows from the schedule and the seed."""

    step: int = 0
    evaluated_step: int = -1
    best_step: int = 0
    best_loss: float = float("inf")
    without_improvement: int = 0
    tokens: int = 0
    seconds: float = 0.0
    stopped_early: bool = False
    peak_memory: int = 0
    history: list[dict[str, Any]] = field(default_factory=list)
    """The evaluations, as in metrics.jsonl."""


def trained_parameters(model: PeftModel) -> dict[str, Tensor]:
    """The adapter's parameters by name, in a fixed order."""
    return {name: p for name, p in sorted(model.named_parameters()) if p.requires_grad}


def write_state(
    folder: Path, model: PeftModel, optimizer: torch.optim.Optimizer, best: dict[str, Tensor], state: State
) -> None:
    """Write everything a resume needs into a folder."""
    named = trained_parameters(model)
    moments: dict[str, Tensor] = {}
    for name, parameter in named.items():
        for key, value in optimizer.state.get(parameter, {}).items():
            moments[f"{name}:{key}"] = value.contiguous()
    save_file({n: p.detach().contiguous() for n, p in named.items()}, folder / "adapter.safetensors")
    save_file(moments, folder / "optimizer.safetensors")
    save_file(best, folder / "best.safetensors")
    save_file({"torch": torch.get_rng_state()}, folder / "random.safetensors")
    document = {k: v if v != float("inf") else None for k, v in asdict(state).items()}
    (folder / "trainer_state.json").write_text(json.dumps(document, indent=2), encoding="utf-8")


def read_state(folder: Path, model: PeftModel, optimizer: torch.optim.Optimizer) -> tuple[State, dict[str, Tensor]]:
    """Put a checkpoint back into model and optimizer, and return the state and the best adapter so far."""
    named = trained_parameters(model)
    adapter, moments = load_file(folder / "adapter.safetensors"), load_file(folder / "optimizer.safetensors")
    with torch.no_grad():
        for name, parameter in named.items():
            parameter.copy_(adapter[name])
    for name, parameter in named.items():
        found = {key.rsplit(":", 1)[1]: value for key, value in moments.items() if key.rsplit(":", 1)[0] == name}
        if found:
            optimizer.state[parameter] = found
    torch.set_rng_state(load_file(folder / "random.safetensors")["torch"])
    document = json.loads((folder / "trainer_state.json").read_text(encoding="utf-8"))
    if document["best_loss"] is None:
        document["best_loss"] = float("inf")
    return State(**document), load_file(folder / "best.safetensors")
