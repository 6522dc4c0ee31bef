"""The search for a learning rate: short trainings that leave no trace but the rate and its reason."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tuneloop.adapters.config import AdapterConfig
from tuneloop.core.errors import DivergedError
from tuneloop.core.hashing import hash_file
from tuneloop.core.progress import SILENT
from tuneloop.models.load import LoadedModel
from tuneloop.store.workspace import Workspace
from tuneloop.training import rates
from tuneloop.training import run as stage
from tuneloop.training.config import TrainingConfig
from tuneloop.training.identity import Inputs
from tuneloop.training.prepare import prepare

pytestmark = pytest.mark.usefixtures("short_answers")


@pytest.fixture
def inputs(dataset: Path, loaded: LoadedModel) -> Callable[..., Inputs]:
    def make(**settings: Any) -> Inputs:
        usual = {"num_train_epochs": 1, "max_tokens_per_batch": 300, "eval_steps": 20, "report_to": ()}
        config = TrainingConfig(**{**usual, **settings})
        return Inputs(config, AdapterConfig(r=4), dataset, loaded, name="sums", seed=7)

    return make


def test_the_rate_that_was_found_stands_in_the_plan_and_the_training_is_that_of_this_rate(
    inputs: Callable[..., Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "FACTORS", (0.25, 4.0))
    found = stage.run(inputs(learning_rate=2e-4, find_learning_rate=True), Workspace(tmp_path / "a"), recipe_yaml="")
    plan = json.loads((found.path / "plan.json").read_text(encoding="utf-8"))
    (choice,) = (c for c in plan["choices"] if c["name"] == "learning_rate")
    assert choice["value"] == 8e-4, "the other one is so low that it teaches the tiny model nothing"
    assert "0.0002" in choice["reason"]
    given = stage.run(inputs(learning_rate=choice["value"]), Workspace(tmp_path / "b"), recipe_yaml="")
    one, other = (hash_file(run.adapter_path / "adapter_model.safetensors") for run in (found, given))
    assert one == other
    assert [path.name for path in (tmp_path / "a" / "runs").iterdir() if path.is_dir()] == [found.id]


def test_a_rate_that_diverges_loses(
    inputs: Callable[..., Inputs], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[float] = []

    def train(task: Any, progress: Any) -> Any:
        tried.append(task.learning_rate)
        if task.learning_rate > 1e-3:
            raise DivergedError("training.diverged")
        state = type("S", (), {"history": [{"validation_loss": 1 - task.learning_rate}]})
        return state, {}

    monkeypatch.setattr(rates, "train", train)
    made = inputs(learning_rate=1e-3)
    plan = rates.find_rate(made, prepare(made, tmp_path), tmp_path / "new", SILENT)
    assert plan.value("learning_rate") == 1e-3
    assert tried == [2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 5e-4, 1e-3]


def test_without_validation_rows_the_planned_rate_stays_and_says_why(
    inputs: Callable[..., Inputs], tmp_path: Path
) -> None:
    made = inputs(learning_rate=1e-3)
    prepared = replace(prepare(made, tmp_path), validation=[])
    plan = rates.find_rate(made, prepared, tmp_path, SILENT)
    (choice,) = (c for c in plan.choices if c.name == "learning_rate")
    assert (choice.value, "validation" in choice.reason) == (1e-3, True)


def test_of_equals_the_lower_rate_wins_and_the_infinite_one_never() -> None:
    scores = {1.0: math.inf, 0.5: 2.0, 0.25: 2.0}
    assert rates.halve([1.0, 0.5, 0.25], lambda rate: scores[rate], SILENT) == [0.25, 0.5]
