"""The whole journey through the command line, as a stranger would take it: on the tiny model, and once on the real one.

Calls run in the test's own process, where importing torch is paid once; what is killed, and the real model, is a process.
"""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tuneloop.cli.main import run
from tuneloop.core.messages import set_language

Verb = Callable[..., dict[str, Any]]
COMMAND = [sys.executable, "-c", "from tuneloop.cli.main import main; main()"]
TINY = ["--set", "model.name_or_path=tiny", "--set", "training.report_to=[]"]


@pytest.fixture
def tuneloop(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Verb]:
    """Run a verb with --json and return its document; nothing else may stand on stdout, and no traceback anywhere."""
    monkeypatch.setenv("TUNELOOP_LANGUAGE", "en")

    def verb(*arguments: str, workspace: Path, expect: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        status = run(["--workspace", str(workspace), "--json", *arguments])
        told = capsys.readouterr()
        assert status == expect, told.err[-2000:]
        assert "Traceback" not in told.err
        document: dict[str, Any] = json.loads(told.out)
        return document

    yield verb
    set_language(None)


def write_sheet(path: Path, rows: int = 40) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer"])
        writer.writerows([f"What is item {n}?", f"Item {n} costs {n} dollars."] for n in range(rows))
    return path


def test_from_a_spreadsheet_to_a_registered_adapter_that_answers(tmp_path: Path, tuneloop: Verb) -> None:
    workspace = tmp_path / "bot"
    tuneloop("init", str(workspace), "--data", str(write_sheet(tmp_path / "faq.csv")), workspace=workspace)
    (recipe,) = (workspace / "recipes").glob("*.yaml")
    first = tuneloop("run", str(recipe), *TINY, workspace=workspace)
    assert first["adapter"]["version"] == 1
    assert Path(first["evaluation"]["path"], "report.html").exists()
    again = tuneloop("run", str(recipe), *TINY, workspace=workspace)
    assert again["dataset"]["reused"]
    assert again["run"]["reused"]
    assert again["evaluation"]["reused"]
    assert again["adapter"]["version"] == 1
    name = first["adapter"]["name"]
    answers = tmp_path / "answers.csv"
    questions = write_sheet(tmp_path / "questions.csv", rows=3)
    tuneloop("predict", name, "--data", str(questions), "--out", str(answers), workspace=workspace)
    assert len(answers.read_text(encoding="utf-8-sig").splitlines()) == 4
    merged = tmp_path / "merged"
    tuneloop("adapters", "export", name, "--format", "merged", "--out", str(merged), workspace=workspace)
    assert (merged / "model.safetensors").exists()


def test_a_run_killed_by_sigkill_goes_on_and_ends_like_an_undisturbed_one(tmp_path: Path, tuneloop: Verb) -> None:
    sheet = write_sheet(tmp_path / "faq.csv", rows=120)
    recipe = tmp_path / "faq.yaml"
    recipe.write_text(
        f"name: faq\nmodel: {{name_or_path: tiny}}\ndata: {{sources: [{{path: {sheet.name}}}]}}\n"
        "training: {num_train_epochs: 6, max_tokens_per_batch: 256, save_steps: 3, eval_steps: 10, report_to: []}\n",
        encoding="utf-8",
    )
    command = [*COMMAND, "--workspace", str(tmp_path / "killed"), "train", str(recipe)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "killed" / "runs").glob("*/checkpoints/step-*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    resumed = tuneloop("train", str(recipe), "--resume", workspace=tmp_path / "killed")
    whole = tuneloop("train", str(recipe), workspace=tmp_path / "whole")

    def adapter(document: dict[str, Any]) -> bytes:
        trained = document.get("run", document)
        return Path(trained["path"], "adapter", "adapter_model.safetensors").read_bytes()

    assert adapter(resumed) == adapter(whole)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("question,answer\n", "no rows"),
        ("question,answer\na,\nb,\n", "answer"),
        ("question,answer\nWhat?,That.\n", "1"),
    ],
)
def test_bad_data_is_one_clear_error_with_exit_3(tmp_path: Path, content: str, says: str, tuneloop: Verb) -> None:
    (tmp_path / "faq.csv").write_text(content, encoding="utf-8")
    recipe = tmp_path / "faq.yaml"
    recipe.write_text("name: faq\nmodel: {name_or_path: tiny}\ndata: {sources: [{path: faq.csv}]}\n", encoding="utf-8")
    error = tuneloop("run", str(recipe), workspace=tmp_path / "w", expect=3)["error"]
    assert error["hint"]
    assert says in (error["message"] + error["hint"]).lower()
    assert not (tmp_path / "w" / "datasets").exists() or not any((tmp_path / "w" / "datasets").rglob("train.jsonl"))


@pytest.mark.model
@pytest.mark.timeout(900)
def test_the_demo_recipe_goes_through_every_stage_on_the_real_model(tmp_path: Path) -> None:
    recipe = Path(__file__).parents[2] / "recipes" / "bank-service.yaml"
    command = [*COMMAND, "--workspace", str(tmp_path / "w"), "--json", "run", str(recipe), "--smoke"]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr[-2000:]
    assert "Traceback" not in process.stderr
    document = json.loads(process.stdout)
    assert document["smoke"]
    assert document["run"]["best_validation_loss"] > 0
    assert set(document["evaluation"]["arms"]) == {"base", "base+script", "tuned"}
