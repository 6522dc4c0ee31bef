"""AdaLoRA's budget in a whole training: it ends at `r` ranks a layer, and what the allocator knows survives a stop."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from peft import AdaLoraConfig, PeftModel, get_peft_model

from tuneloop.adapters.adalora import allocate, attach_adalora, orthogonal_penalty
from tuneloop.adapters.attach import remembered
from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.errors import Terminated
from tuneloop.core.failpoints import hooked
from tuneloop.core.hashing import hash_file
from tuneloop.core.progress import SILENT
from tuneloop.core.records import Run
from tuneloop.models.load import LoadedModel
from tuneloop.models.tiny import build_tiny
from tuneloop.store.workspace import Workspace
from tuneloop.training.config import TrainingConfig
from tuneloop.training.identity import Inputs
from tuneloop.training.run import run
from tuneloop.training.state import State, read_state, trained_parameters, write_state

pytestmark = pytest.mark.usefixtures("short_answers")

CONFIG = TrainingConfig(
    num_train_epochs=1, max_tokens_per_batch=300, learning_rate=1e-2, eval_steps=500, save_steps=500, report_to=()
)
IDS = torch.tensor([[1, 2, 3, 4, 5]])
SETTINGS = {"r": 4, "lora_alpha": 8.0, "lora_dropout": 0.0, "target_modules": "all-linear", "steps": 20}


def train(dataset: Path, loaded: LoadedModel, root: Path) -> Run:
    adapter = AdapterConfig(method="adalora", r=2)
    inputs = Inputs(CONFIG, adapter, dataset, loaded, name="sums", seed=1)
    return run(inputs, Workspace(root), recipe_yaml="name: sums\n", progress=SILENT)


def stop_at(step: int) -> Callable[[str], None]:
    passed: list[str] = []

    def hook(name: str) -> None:
        if name == "train.optimizer":
            passed.append(name)
            if len(passed) == step:
                os.kill(os.getpid(), signal.SIGTERM)

    return hook


@pytest.mark.slow  # three trainings; the next test takes the same way through a checkpoint
def test_a_training_stopped_while_and_after_the_budget_shrinks_is_bit_for_bit_the_whole_one(
    dataset: Path, loaded: LoadedModel, tmp_path: Path
) -> None:
    whole = train(dataset, loaded, tmp_path / "whole")
    steps = whole.steps
    assert steps >= 8
    for stop in (steps // 3, steps // 2):  # steps // 3 from the start, then as many as lie behind the last budget
        with hooked(stop_at(stop)), pytest.raises(Terminated):
            train(dataset, loaded, tmp_path / "parts")
    parts = train(dataset, loaded, tmp_path / "parts")
    files = [r.adapter_path / "adapter_model.safetensors" for r in (whole, parts)]
    assert hash_file(files[0]) == hash_file(files[1])
    settings = json.loads((whole.adapter_path / "adapter_config.json").read_text())
    ranks = settings["rank_pattern"].values()
    assert settings["peft_type"] == "LORA"
    assert len(ranks) == 14
    assert sum(ranks) <= 2 * 14 + sum(rank == 1 for rank in ranks)  # a layer without ranks keeps one of zeros
    assert len(set(ranks)) > 1


def optimizer_of(model: PeftModel) -> torch.optim.Optimizer:
    return torch.optim.AdamW(trained_parameters(model).values(), lr=0.01)


def go(model: PeftModel, optimizer: torch.optim.Optimizer, steps: range) -> None:
    for step in steps:
        optimizer.zero_grad()
        (model.get_base_model()(input_ids=IDS, labels=IDS).loss + orthogonal_penalty(model)).backward()
        optimizer.step()
        allocate(model, step)


@pytest.mark.parametrize("stop", [5, 12])  # while the budget shrinks, and after it
def test_a_checkpoint_holds_what_the_allocator_knows(stop: int, tmp_path: Path) -> None:
    whole, other = (attach_adalora(build_tiny().model, SETTINGS, seed) for seed in (3, 4))
    optimizer, another = optimizer_of(whole), optimizer_of(other)
    go(whole, optimizer, range(1, stop + 1))
    write_state(tmp_path, whole, optimizer, trained_parameters(whole), State(step=stop))
    read_state(tmp_path, other, another)
    go(whole, optimizer, range(stop + 1, 15))
    go(other, another, range(stop + 1, 15))
    held = [{**trained_parameters(model), **remembered(model)} for model in (whole, other)]
    assert all(torch.equal(tensor, held[1][name]) for name, tensor in held[0].items())
    assert not all(mask.all() for name, mask in remembered(whole).items() if name.endswith("kept"))


def test_ranks_go_as_in_pefts_own_allocation_and_the_penalty_is_its_own() -> None:
    ours = attach_adalora(build_tiny().model, SETTINGS, seed=3)
    config = AdaLoraConfig(
        init_r=6, target_r=4, tinit=2, tfinal=10, deltaT=1, total_step=20, lora_alpha=8, target_modules="all-linear",
        task_type="CAUSAL_LM",
    )  # fmt: skip
    theirs = get_peft_model(build_tiny().model, config)
    theirs.load_state_dict(ours.state_dict())
    losses = []
    for model, after in ((ours, lambda step: allocate(ours, step)), (theirs, theirs.base_model.update_and_allocate)):
        optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=0.01)
        for step in range(1, 15):
            optimizer.zero_grad()
            loss = model.get_base_model()(input_ids=IDS, labels=IDS).loss + orthogonal_penalty(model)
            if model is theirs and step == 1:
                torch.testing.assert_close(loss, model(input_ids=IDS, labels=IDS).loss)
            loss.backward()
            optimizer.step()
            after(step)
        losses.append(loss.item())
    assert losses[0] == losses[1]
    assert all(torch.equal(p, q) for p, q in zip(ours.parameters(), theirs.parameters(), strict=True))
    kept = [mask for name, mask in remembered(ours).items() if name.endswith("kept")]
    assert sum(int(mask.sum()) for mask in kept) == 4 * 14
