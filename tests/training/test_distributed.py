"""Several processes train what one trains: each sample once, the same gradients, the same adapter, a clear end."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from tuneloop.adapters.lora import attach_lora
from tuneloop.core.errors import RefusedError
from tuneloop.core.progress import SILENT
from tuneloop.core.records import Choice, Plan
from tuneloop.models.load import LoadedModel
from tuneloop.store.checkpoint import newest_checkpoint
from tuneloop.store.samples import read_split
from tuneloop.training.distributed import divide, led
from tuneloop.training.fast_path import fast_path
from tuneloop.training.journal import read_metrics
from tuneloop.training.loop import accumulate
from tuneloop.training.state import trained_parameters
from tuneloop.training.task import Task
from tuneloop.training.tokenise import Example, tokenise


def example(number: int, length: int) -> Example:
    supervised = (False,) + (True,) * (length - 1)
    return Example(id=str(number), ids=(1,) * length, supervised=supervised, ends_with_stop=True)


@given(st.lists(st.lists(st.integers(2, 50), min_size=1, max_size=5), min_size=1, max_size=6), st.integers(1, 5))
def test_every_sample_is_dealt_to_exactly_one_process(lengths: list[list[int]], processes: int) -> None:
    numbers = iter(range(100))
    pieces = [[example(next(numbers), length) for length in piece] for piece in lengths]
    shares = divide(pieces, processes)
    dealt = sorted(int(e.id) for share in shares for piece in share for e in piece)
    assert len(shares) == processes
    assert dealt == list(range(sum(map(len, lengths))))
    assert all(shares) or len(dealt) < processes  # nobody idles while there is a sample for each


def test_the_shares_gradients_add_up_to_those_of_one_process(dataset: Path, loaded: LoadedModel) -> None:
    examples = tokenise(list(read_split(dataset, "train"))[:7], loaded.template)
    pieces = [examples[:4], examples[4:6], examples[6:]]
    model = attach_lora(loaded.model, r=4, lora_alpha=8.0, target_modules="all-linear", dropout=0.0, seed=1)
    with torch.no_grad():
        for parameter in trained_parameters(model).values():
            parameter.add_(0.01)
    task = cast(Task, SimpleNamespace(model=model, budget=None, label_smoothing=0.0))
    factor = 1 / sum(e.targets for e in examples)

    def gradients(shares: list[list[list[Example]]]) -> tuple[float, int, torch.Tensor]:
        model.zero_grad()
        done = [accumulate(task, share, factor, lambda: None) for share in shares]
        flat = torch.cat([p.grad.reshape(-1).clone() for p in trained_parameters(model).values() if p.grad is not None])
        return sum(share.loss for share in done), sum(share.tokens for share in done), flat

    with fast_path(model):
        (loss, tokens, whole), (loss_of_two, tokens_of_two, two) = gradients([pieces]), gradients(divide(pieces, 2))
    model.unload()
    assert loss_of_two == pytest.approx(loss, rel=1e-5)
    assert tokens_of_two == tokens
    assert float((two - whole).norm() / whole.norm()) < 1e-5


def test_a_method_that_changes_its_shape_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    plan = Plan.model_construct(choices=(Choice.model_construct(name="method", value="adalora"),))
    with pytest.raises(RefusedError) as refused:
        led(cast(Task, None), cast(Any, None), plan, SILENT)
    assert refused.value.code == "training.processes_method"
    assert "adalora" in refused.value.message("zh")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    with (folder / "faq.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[f"What is {n} plus one?", f"It is {n + 1}." + " Sure." * (n % 4)] for n in range(60)]
        csv.writer(file).writerows([["question", "answer"], *rows])
    training = {
        "num_train_epochs": 2, "max_tokens_per_batch": 200, "gradient_accumulation_steps": 3, "learning_rate": 2e-3,
        "eval_steps": 3, "save_steps": 3, "report_to": [],
    }  # fmt: skip
    document = {
        "name": "sums",
        "model": {"name_or_path": "tiny", "dtype": "float32"},
        "data": {"sources": [{"path": "faq.csv"}]},
        "training": training,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / "recipe.yaml"


def start(recipe: Path, workspace: str, processes: int, rank: int, port: int, *options: str) -> subprocess.Popen[str]:
    """One process as torchrun starts it."""
    environment = {name: value for name, value in os.environ.items() if name not in ("RANK", "WORLD_SIZE")}
    environment |= {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    if processes > 1:
        environment |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(processes)}
    command = [sys.executable, "-m", "tuneloop", "train", str(recipe), "--json", *options]
    command += ["--workspace", str(recipe.parent / workspace)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def start_all(recipe: Path, workspace: str, processes: int, *options: str) -> list[subprocess.Popen[str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return [start(recipe, workspace, processes, rank, port, *options) for rank in range(processes)]


def finished(started: list[subprocess.Popen[str]]) -> Path:
    """Wait until all ended well; the run's folder."""
    answers = [process.communicate(timeout=150) for process in started]
    assert [process.returncode for process in started] == [0] * len(started), answers
    assert [out for out, _ in answers[1:]] == [""] * (len(started) - 1)  # only the leader speaks
    return Path(json.loads(answers[0][0])["path"])


def relative_difference(one: Path, other: Path) -> float:
    first, second = (load_file(run / "adapter" / "adapter_model.safetensors") for run in (one, other))
    assert first.keys() == second.keys()
    apart = sum(float((first[name] - second[name]).double().square().sum()) for name in first)
    return (apart / sum(float(t.double().square().sum()) for t in first.values())) ** 0.5


@pytest.mark.slow
def test_two_processes_train_the_adapter_of_one(recipe: Path) -> None:
    one, two = (finished(start_all(recipe, f"w{n}", n)) for n in (1, 2))
    lines = [read_metrics(run / "metrics.jsonl") for run in (one, two)]
    for alone, shared in zip(*lines, strict=True):
        same = alone.keys() - {"tokens_per_second", "memory_bytes"}
        assert {name: shared[name] for name in same} == pytest.approx({name: alone[name] for name in same}, rel=1e-4)
    difference = relative_difference(one, two)
    print(f"relative difference: {difference:.2e} after {lines[0][-1]['step']} steps")
    assert difference < 1e-5


@pytest.mark.slow
def test_the_death_of_a_process_ends_the_run_and_one_process_goes_on(recipe: Path) -> None:
    longer = ("--set", "training.num_train_epochs=60", "--set", "training.early_stopping_patience=1000")
    leader, other = start_all(recipe, "lost", 2, *longer)
    checkpoints = recipe.parent / "lost" / "runs"
    try:
        while leader.poll() is None and not list(checkpoints.glob("*/checkpoints/step-*3/manifest.json")):
            signal.sigtimedwait([], 0.05)
        other.kill()
        out, err = leader.communicate(timeout=60)
    finally:
        for process in (leader, other):
            process.kill()
            process.communicate()
    assert (leader.returncode, "training.process_lost" in out + err) == (5, True), out + err
    (run,) = checkpoints.glob("*/checkpoints")
    assert newest_checkpoint(run).path is not None
