"""Ctrl-C and SIGTERM, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = [sys.executable, "-c", "from tuneloop.cli.main import main; main()"]

SLOW = (
    "import sys, time; from tuneloop.registry import versions\n"
    "def slow(*_):\n"
    "    try:\n"
    "        print('working', file=sys.stderr, flush=True)\n"
    "        time.sleep(60)\n"
    "    finally:\n"
    "        {cleaning}\n"
    "versions.list_adapters = slow\n"
    "from tuneloop.cli.main import main; main()"
)


def start(cleaning: str, folder: Path) -> subprocess.Popen[str]:
    """A verb that works for a minute; returns when it has begun."""
    command = [sys.executable, "-c", SLOW.format(cleaning=cleaning), "adapters", "list", "--json"]
    environment = {**os.environ, "TUNELOOP_LANGUAGE": "en"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "working\n"
    return process


@pytest.mark.parametrize(
    ("number", "status", "code"),
    [(signal.SIGINT, 130, "general.interrupted"), (signal.SIGTERM, 143, "general.terminated")],
)
def test_a_signal_unwinds_and_says_what_happened(tmp_path: Path, number: int, status: int, code: str) -> None:
    process = start("open('cleaned', 'w').close()", tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == status
    assert json.loads(out)["error"]["code"] == code
    assert (tmp_path / "cleaned").exists()
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("number", "status", "code"), [(signal.SIGINT, 130, "serving.stopped"), (signal.SIGTERM, 143, "serving.stopped")]
)
def test_what_is_ended_by_a_signal_says_so_calmly(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, number: int, status: int, code: str
) -> None:
    monkeypatch.setattr("tuneloop.api.serve", lambda *_, **__: signal.raise_signal(number))
    assert call("serve", "--model", "tiny", "--json").value["error"]["code"] == code
    for language, said in (("en", "The server has stopped."), ("zh", "服务已停止。")):
        called = call("serve", "--model", "tiny", "--language", language)
        assert called.status == status
        assert called.err.startswith(said), "no “Error:”, and nothing before it"


def test_the_second_ctrl_c_ends_at_once(tmp_path: Path) -> None:
    process = start("time.sleep(60)", tmp_path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=5)
    assert process.returncode == 130
    assert "Ctrl-C again" in err


def test_a_training_that_is_told_to_stop_goes_on_where_it_was(
    recipe: Callable[..., Path], call: Callable[..., Any]
) -> None:
    path = recipe(training="{num_train_epochs: 40, eval_steps: 100000, early_stopping_patience: 1000}")
    command = [*PROGRAM, "train", str(path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=path.parent)
    runs = path.parent / "runs"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(
        len(file.read_text().splitlines()) > 5 for file in runs.glob("*/metrics.jsonl")
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert json.loads(out)["error"]["code"] == "general.terminated"
    (run,) = (path for path in runs.iterdir() if path.is_dir())  # its lock lies beside it
    stopped_at = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])["step"]
    (item,) = call("runs", "list", "--json").value
    assert (item["finished"], item["steps"]) == (False, stopped_at)
    done = call("train", path, "--json")
    assert (done.status, done.value["path"]) == (0, str(run))
    assert done.value["finished"]
