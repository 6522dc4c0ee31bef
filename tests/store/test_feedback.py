"""Feedback: stored once, masked, with the version that answered."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tuneloop.core.records import Message
from tuneloop.store.feedback import Feedback, add, list_feedback, training_row
from tuneloop.store.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "w")


def said(**fields: Any) -> Feedback:
    values: dict[str, Any] = {
        "response_id": "r1",
        "model": "bank@v0001",
        "messages": (Message(role="user", content="I am Ann"),),
        "answer": "Hello Ann",
        "kind": "thumbs",
        "value": "up",
    }
    return Feedback(**values | fields)


def plain(texts: Sequence[str]) -> Sequence[str]:
    return texts


def hide(texts: Sequence[str]) -> list[str]:
    return [text.replace("Ann", "***") for text in texts]


def test_nothing_is_stored_before_something_was_said(workspace: Workspace) -> None:
    assert list_feedback(workspace) == []
    assert not workspace.root.exists()


def test_what_was_said_comes_back_with_an_id_and_a_time(workspace: Workspace) -> None:
    kept = add(workspace, said(), plain)
    assert kept.id
    assert kept.created_at
    assert list_feedback(workspace) == [kept]


def test_a_retry_is_no_second_vote_and_a_change_of_mind_is(workspace: Workspace) -> None:
    first = add(workspace, said(), plain)
    assert add(workspace, said(), plain) == first
    add(workspace, said(value="down"), plain)
    add(workspace, said(), plain)
    assert [kept.value for kept in list_feedback(workspace)] == ["up", "down", "up"]


def test_every_text_is_masked_before_it_is_stored(workspace: Workspace) -> None:
    add(workspace, said(kind="correction", value="corrected", corrected="Dear Ann"), hide)
    add(workspace, said(kind="choice", value="left", other_model="base", other_answer="Ann!"), hide)
    for file in workspace.root.glob("tuneloop.db*"):
        assert b"Ann" not in file.read_bytes()
    assert {kept.corrected for kept in list_feedback(workspace)} == {"Dear ***", None}


def test_feedback_is_found_by_adapter_version_and_kind(workspace: Workspace) -> None:
    for model in ("bank@v0001", "bank@v0002", "banker@v0001", "base"):
        add(workspace, said(model=model), plain)
    assert {kept.model for kept in list_feedback(workspace, model="bank")} == {"bank@v0001", "bank@v0002"}
    assert [kept.model for kept in list_feedback(workspace, model="bank@v0002")] == ["bank@v0002"]
    assert list_feedback(workspace, kind="choice") == []
    assert len(list_feedback(workspace, limit=3)) == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"value": "left"},
        {"kind": "correction", "value": "corrected"},
        {"kind": "correction", "value": "corrected", "corrected": "  "},
        {"kind": "choice", "value": "left"},
        {"messages": ()},
        {"response_id": ""},
    ],
)
def test_half_of_a_statement_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        said(**fields)


def test_what_a_training_can_learn_is_a_pair_or_a_label() -> None:
    thumb = training_row(said(value="down"))
    assert thumb is not None
    assert thumb["label"] is False
    assert thumb["messages"][-1] == {"role": "assistant", "content": "Hello Ann"}
    for kind, value, chosen, rejected in (
        ("correction", "corrected", "Dear Ann", "Hello Ann"),
        ("choice", "left", "Hello Ann", "Ann!"),
        ("choice", "right", "Ann!", "Hello Ann"),
    ):
        row = training_row(said(kind=kind, value=value, corrected="Dear Ann", other_answer="Ann!"))
        assert row is not None
        assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == (chosen, rejected)
    assert training_row(said(kind="choice", value="tie", other_answer="Ann!")) is None
