"""`tuneloop run` on the built-in model: every stage, nothing twice, nothing by halves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneloop.store.artifacts import verify

Call = Callable[..., Any]
WriteRecipe = Callable[..., Path]


@pytest.fixture
def copied(finished: Path, here: Path) -> Path:
    """A workspace of one's own in which the loop has run, as the current folder."""
    shutil.copytree(finished, here, dirs_exist_ok=True)
    return here


def test_the_loop_makes_a_dataset_a_run_an_evaluation_and_a_version(finished: Path) -> None:
    (dataset,) = finished.glob("datasets/bank/*/manifest.json")
    (run,) = finished.glob("runs/*/manifest.json")
    (evaluation,) = finished.glob("evaluations/*/manifest.json")
    (adapter,) = finished.glob("adapters/bank/v0001/manifest.json")
    for manifest in (dataset, run, evaluation, adapter):
        verify(manifest.parent)
    assert (run.parent / "recipe.yaml").exists()
    assert (evaluation.parent / "report.html").exists()


def test_a_second_call_redoes_nothing(call: Call, copied: Path) -> None:
    called = call("run", "bank.yaml", "--json")
    assert called.status == 0
    assert {stage: called.value[stage]["reused"] for stage in ("dataset", "run", "evaluation")} == {
        "dataset": True,
        "run": True,
        "evaluation": True,
    }
    assert called.value["adapter"]["version"] == 1
    assert called.value["adapter"]["aliases"] == ["candidate"]


def test_the_end_tells_the_verdict_the_report_the_answers_and_what_to_try_next(call: Call, copied: Path) -> None:
    called = call("run", "bank.yaml")
    assert (called.status, called.out) == (0, "")
    for told in ("ROUGE-L", "report.html", "What is card", "Registered as bank@v0001", "tuneloop chat --adapter bank"):
        assert told in called.err
    assert called.err.count("Reference") == 3


def test_the_end_speaks_chinese(call: Call, copied: Path) -> None:
    called = call("run", "bank.yaml", "--language", "zh")
    assert "已登记为 bank@v0001" in called.err
    assert "接下来" in called.err


@pytest.mark.parametrize(
    ("until", "made"),
    [("prepare", ["dataset"]), ("check", ["dataset", "plan"]), ("train", ["dataset", "plan", "run"])],
)
def test_until_stops_after_a_stage(call: Call, recipe: WriteRecipe, until: str, made: list[str]) -> None:
    called = call("run", recipe(), "--until", until, "--json")
    assert called.status == 0
    assert [name for name, value in called.value.items() if value and name != "smoke"] == made


def test_a_changed_setting_redoes_only_what_depends_on_it(call: Call, copied: Path) -> None:
    called = call("run", "bank.yaml", "--set", "evaluation.max_rows=2", "--json")
    assert called.value["run"]["reused"]
    assert not called.value["evaluation"]["reused"]
    called = call("run", "bank.yaml", "--set", "training.learning_rate=1e-3", "--until", "train", "--json")
    assert called.value["dataset"]["reused"]
    assert not called.value["run"]["reused"]


def test_force_does_everything_again_beside_the_old_results(call: Call, copied: Path) -> None:
    called = call("run", "bank.yaml", "--force", "--json")
    assert called.status == 0
    assert not any(called.value[stage]["reused"] for stage in ("dataset", "run", "evaluation"))
    assert len(list(copied.glob("runs/*/manifest.json"))) == 2
    assert called.value["adapter"]["version"] in (1, 2)


def test_smoke_runs_everything_and_registers_nothing(call: Call, recipe: WriteRecipe) -> None:
    path = recipe()
    called = call("run", path, "--smoke")
    assert called.status == 0
    assert "proves nothing" in called.err
    assert "nothing was registered" in called.err
    assert not (path.parent / "adapters").exists()
    assert call("adapters", "list", "--json").value == []
    value = call("run", path, "--smoke", "--json").value
    assert (value["smoke"], value["adapter"]) == (True, None)
    assert value["dataset"]["name"] == "bank-smoke"
    assert sum(value["dataset"]["rows"].values()) == 20


def test_the_workspace_may_be_elsewhere(call: Call, recipe: WriteRecipe, here: Path) -> None:
    path = recipe()
    assert call("run", path, "--until", "prepare", "--workspace", here / "there").status == 0
    assert (here / "there" / "datasets").is_dir()
    assert not (here / "datasets").exists()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"name": "'a/b'"}, 2, "recipe.value"),
        ({"trainning": "{}"}, 2, "recipe.unknown_key"),
        ({"data": "{sources: [{path: nowhere.csv}]}"}, 3, "data.file_missing"),
        ({"data": "{sources: [{path: faq.csv, columns: {input_text: nope}}]}"}, 3, "data.column_missing"),
        ({"model": "{name_or_path: tinny}"}, 7, "models.unknown"),
        ({"evaluation": "{script: nowhere.yaml}"}, 2, "evaluation.script_missing"),
        ({"adapter": "{target_modules: [nope]}"}, 2, "adapters.no_target"),
    ],
)
def test_a_wrong_recipe_ends_in_one_message_with_its_status(
    call: Call, recipe: WriteRecipe, changes: dict[str, str], status: int, code: str
) -> None:
    called = call("run", recipe(**changes), "--json")
    assert (called.status, called.value["error"]["code"]) == (status, code)
    assert called.value["error"]["hint"]
    assert "Traceback" not in called.err


def test_a_missing_recipe_is_told_with_the_ones_that_are_there(call: Call, recipe: WriteRecipe) -> None:
    recipe()
    called = call("run", "bnak.yaml", "--json")
    assert (called.status, called.value["error"]["code"]) == (2, "recipe.missing")
    assert "bank.yaml" in called.value["error"]["hint"]


def test_a_full_disk_leaves_what_was_whole(call: Call, copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("tuneloop.store.artifacts.write_manifest", full)
        called = call("run", "bank.yaml", "--set", "seed=7", "--json")
    assert (called.status, called.value["error"]["code"]) == (5, "store.disk_full")
    for manifest in copied.glob("*/*/*/manifest.json"):
        verify(manifest.parent)
    assert not list(copied.rglob("*.tmp"))
    assert call("run", "bank.yaml", "--json").value["adapter"]["version"] == 1


def test_a_workspace_that_cannot_be_written_is_named(
    call: Call, recipe: WriteRecipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(self: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    path = recipe()
    monkeypatch.setattr(Path, "mkdir", refuses)
    called = call("run", path, "--json", "--workspace", path.parent / "closed")
    assert (called.status, called.value["error"]["code"]) == (8, "general.permission")
    assert "closed" in called.value["error"]["file"]
