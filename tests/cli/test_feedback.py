"""`tuneloop feedback`: listed for people and programs, exported as rows that a training reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.records import Message
from tuneloop.serving.feedback import keep
from tuneloop.store.feedback import Feedback
from tuneloop.store.workspace import Workspace

Call = Callable[..., Any]
QUESTION = "My number is 13812345678, did my card arrive?"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "w")
    asked = (Message(role="user", content=QUESTION),)
    common: dict[str, Any] = {"model": "bank@v0001", "messages": asked, "answer": "No."}
    keep(made, Feedback(response_id="a", kind="thumbs", value="down", **common))
    keep(made, Feedback(response_id="b", kind="correction", value="corrected", corrected="Yes.", **common))
    keep(made, Feedback(response_id="c", kind="choice", value="tie", other_answer="Maybe.", **common))
    return made


def test_feedback_is_listed_masked(call: Call, workspace: Workspace) -> None:
    called = call("feedback", "list", "--workspace", workspace.root, "--json")
    assert [row["kind"] for row in called.value] == ["thumbs", "correction", "choice"]
    assert "13812345678" not in called.out
    shown = call("feedback", "list", "--workspace", workspace.root, "--kind", "correction")
    assert "Yes." in shown.err
    assert "thumbs" not in shown.err


def test_feedback_is_exported_for_a_training(call: Call, workspace: Workspace, tmp_path: Path) -> None:
    out = tmp_path / "feedback.jsonl"
    called = call("feedback", "export", "--workspace", workspace.root, "--out", out, "--json")
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert called.value["rows"] == len(rows) == 2
    assert rows[0]["label"] is False
    assert (rows[1]["chosen"][0]["content"], rows[1]["rejected"][0]["content"]) == ("Yes.", "No.")
    assert call("feedback", "export", "--workspace", workspace.root, "--out", out).status == 2


def test_without_feedback_there_is_nothing_to_list(call: Call, tmp_path: Path) -> None:
    assert call("feedback", "list", "--workspace", tmp_path, "--json").value == []
