"""Whole trainings on the built-in model: they learn, resume bit for bit, stop, refuse, and leave the base as it was."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel

from tuneloop.adapters.config import AdapterConfig
from tuneloop.adapters.merge import adapted, merge
from tuneloop.core.errors import RefusedError
from tuneloop.core.hashing import hash_file
from tuneloop.core.progress import SILENT
from tuneloop.core.records import Run
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import LoadedModel, load_model
from tuneloop.store.artifacts import verify
from tuneloop.store.workspace import Workspace
from tuneloop.training import run as stage
from tuneloop.training.config import TrainingConfig
from tuneloop.training.identity import Inputs
from tuneloop.training.journal import read_metrics
from tuneloop.training.prepare import prepare

pytestmark = pytest.mark.usefixtures("short_answers")

QUICK = TrainingConfig(
    num_train_epochs=2, max_tokens_per_batch=300, learning_rate=5e-3, eval_steps=4, save_steps=5, report_to=()
)


def train(dataset: Path, loaded: LoadedModel, root: Path, config: TrainingConfig = QUICK, **options: Any) -> Run:
    inputs = Inputs(config, options.pop("adapter", AdapterConfig()), dataset, loaded, name="sums", seed=7)
    return stage.run(inputs, Workspace(root), recipe_yaml="name: sums\n", **options)


def adapter_hash(run: Run) -> str:
    return hash_file(run.adapter_path / "adapter_model.safetensors")


@pytest.fixture(scope="module")
def finished(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """A workspace and a finished training, which nobody changes."""
    root = tmp_path_factory.mktemp("finished")
    return root, train(dataset, load_model(ModelConfig(name_or_path="tiny")), root)


def test_a_training_lowers_the_validation_loss_and_writes_a_whole_run(finished: tuple[Path, Run]) -> None:
    _, run = finished
    losses = [m["validation_loss"] for m in read_metrics(run.path / "metrics.jsonl") if "validation_loss" in m]
    assert run.best_validation_loss == min(losses) < losses[0]
    assert verify(run.path).kind == "run"
    assert {"recipe.yaml", "plan.json", "metrics.jsonl", "trainer_state.json", "report.html"} <= set(
        os.listdir(run.path)
    )
    assert set(json.loads((run.path / "metrics.jsonl").read_text().splitlines()[1])) == {
        "step", "epoch", "tokens", "loss", "learning_rate", "grad_norm", "tokens_per_second", "memory_bytes",
    }  # fmt: skip


def test_the_adapter_gives_the_same_logits_in_plain_peft_and_merged(
    finished: tuple[Path, Run], loaded: LoadedModel
) -> None:
    _, run = finished
    ids = torch.tensor([[5, 6, 7, 8]])
    base_logits = loaded.model(input_ids=ids).logits
    merged = merge(loaded, run.adapter_path)(input_ids=ids).logits
    fresh = load_model(ModelConfig(name_or_path="tiny"))
    plain = PeftModel.from_pretrained(fresh.model, str(run.adapter_path)).eval()(input_ids=ids).logits
    torch.testing.assert_close(merged, plain, rtol=1e-4, atol=1e-4)
    assert (plain - base_logits).abs().max() > 1e-2
    torch.testing.assert_close(loaded.model(input_ids=ids).logits, base_logits, rtol=0, atol=0)


def test_a_finished_run_is_not_done_twice_and_force_makes_a_new_one(
    finished: tuple[Path, Run], dataset: Path, loaded: LoadedModel
) -> None:
    root, first = finished
    again = train(dataset, loaded, root)
    assert again.reused
    assert again.id == first.id
    forced = train(dataset, loaded, root, force=True)
    assert forced.id != first.id
    assert adapter_hash(forced) == adapter_hash(first)


def test_accumulated_micro_batches_equal_one_large_batch(dataset: Path, loaded: LoadedModel, tmp_path: Path) -> None:
    common = {"num_train_epochs": 1, "learning_rate": 1e-3, "eval_steps": 100, "report_to": ()}
    one = train(dataset, loaded, tmp_path / "a", TrainingConfig(max_tokens_per_batch=10_000, **common))
    many = TrainingConfig(max_tokens_per_batch=200, gradient_accumulation_steps=1000, **common)
    split = train(dataset, loaded, tmp_path / "b", many)
    first, second = (next(m for m in read_metrics(r.path / "metrics.jsonl") if "loss" in m) for r in (one, split))
    assert first["loss"] == pytest.approx(second["loss"], rel=1e-5)
    assert first["grad_norm"] == pytest.approx(second["grad_norm"], rel=1e-4)


def test_early_stopping_keeps_the_best_adapter(dataset: Path, loaded: LoadedModel, tmp_path: Path) -> None:
    config = TrainingConfig(
        num_train_epochs=30,
        max_tokens_per_batch=300,
        learning_rate=0.3,
        eval_steps=2,
        early_stopping_patience=2,
        report_to=(),
    )
    run = train(dataset, loaded, tmp_path, config)
    summary = json.loads((run.path / "trainer_state.json").read_text())
    assert summary["stopped_early"]
    assert run.best_step < run.steps


def test_truncated_answers_are_refused_with_the_fix_and_nothing_is_written(
    dataset: Path, loaded: LoadedModel, tmp_path: Path
) -> None:
    with pytest.raises(RefusedError) as caught:
        train(dataset, loaded, tmp_path / "w", TrainingConfig(max_length=40, report_to=()))
    assert "max_length" in caught.value.hint("en")
    assert caught.value.status.exit == 4
    assert not (tmp_path / "w" / "runs").exists()


def test_the_guides_preset_scales_its_warm_up_and_says_so(dataset: Path, loaded: LoadedModel, tmp_path: Path) -> None:
    inputs = Inputs(TrainingConfig(preset="guide"), AdapterConfig(), dataset, loaded, name="sums", seed=1)
    plan = prepare(inputs, tmp_path).plan
    assert (plan.value("r"), plan.value("target_modules"), plan.value("learning_rate")) == (
        16,
        ("q_proj", "v_proj"),
        3e-5,
    )
    assert plan.value("lora_dropout") == 0.1
    assert plan.value("warmup_steps") < 500
    assert "500" in next(c.reason for c in plan.choices if c.name == "warmup_steps")


def test_dropout_trains_on_pefts_own_layers(dataset: Path, loaded: LoadedModel, tmp_path: Path) -> None:
    run = train(dataset, loaded, tmp_path, adapter=AdapterConfig(lora_dropout=0.2), progress=SILENT)
    assert run.best_validation_loss is not None
    assert json.loads((run.adapter_path / "adapter_config.json").read_text())["lora_dropout"] == 0.2


@pytest.mark.parametrize("method", ["pissa", "loraplus", "houlsby", "prompt_tuning"])
def test_another_method_trains_and_leaves_the_base_as_it_was(
    method: Any, dataset: Path, loaded: LoadedModel, tmp_path: Path
) -> None:
    config = TrainingConfig(
        num_train_epochs=1, max_tokens_per_batch=300, learning_rate=2e-3, eval_steps=4, save_steps=50, report_to=()
    )
    before = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    run = train(dataset, loaded, tmp_path, config, adapter=AdapterConfig(method=method))
    history = [m["validation_loss"] for m in read_metrics(run.path / "metrics.jsonl") if "validation_loss" in m]
    assert run.best_validation_loss == min(history) < history[0]
    assert all(torch.equal(before[name], tensor) for name, tensor in loaded.model.state_dict().items())
    choices = json.loads((run.path / "plan.json").read_text())["choices"]
    assert next(c["value"] for c in choices if c["name"] == "method") == method
    probe = torch.tensor([[65, 66, 67]])
    answers = adapted(loaded, run.adapter_path)(input_ids=probe).logits
    assert not torch.equal(answers, loaded.model(input_ids=probe).logits)
