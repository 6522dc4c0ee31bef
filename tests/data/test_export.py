"""Datasets written back: what is exported is read back as it was, and no cell runs as a formula."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tuneloop.core.errors import DataError, NotFoundError, UsageError
from tuneloop.core.records import SPLITS, Dataset, Sample
from tuneloop.data.export import EXPORTERS, export
from tuneloop.store.samples import read_split

from .conftest import Prepare, Write, questions

DIALOGUE = [
    {"role": "system", "content": "s"},
    {"role": "user", "content": "q1"},
    {"role": "assistant", "content": "a1"},
    {"role": "user", "content": "q2"},
    {"role": "assistant", "content": "- a2\n- more"},
]
TOOLS = [
    {"role": "user", "content": "t1"},
    {"role": "assistant", "content": "call"},
    {"role": "tool", "content": "5"},
    {"role": "assistant", "content": "five"},
]


@pytest.fixture
def dataset(write: Write, prepare: Prepare) -> Dataset:
    rows: list[dict[str, Any]] = [{**row, "intent": "x"} for row in questions(20)]
    plain = write("faq.jsonl", rows)
    chats = write("chats.jsonl", [{"messages": DIALOGUE}])
    return prepare(plain, chats)


def _texts(dataset: Dataset) -> set[tuple[Any, ...]]:
    def key(sample: Sample, split: str) -> tuple[Any, ...]:
        intent = sample.meta.tags.get("intent")
        return (split, intent, *((message.role, message.content) for message in sample.messages))

    return {key(sample, split) for split in SPLITS for sample in read_split(dataset.path, split)}


@pytest.mark.parametrize(
    ("format_", "extension"),
    [(name, end) for name, item in EXPORTERS.items() for end in item.extensions if name != "preference"],
)
def test_what_is_exported_is_read_back(
    tmp_path: Path, dataset: Dataset, prepare: Prepare, format_: str, extension: str
) -> None:
    out = tmp_path / f"out{extension}"
    assert export(dataset.path, format_, out) == 21
    again = prepare(out)
    assert _texts(again) == _texts(dataset)


@pytest.mark.parametrize("form", ["prompt", "conversations", "instruction"])
def test_pairs_of_answers_come_back_as_pairs(tmp_path: Path, write: Write, prepare: Prepare, form: str) -> None:
    asked: dict[str, Any] = {
        "prompt": {"prompt": "Fee?"},
        "conversations": {"conversations": [{"from": "human", "value": "Fee?"}]},
        "instruction": {"instruction": "Fee?", "input": ""},
    }[form]
    wrong: Any = {"from": "gpt", "value": "No  idea."} if form == "conversations" else "No  idea."
    pairs = write("pairs.jsonl", [{**asked, "chosen": "It is 5.", "rejected": wrong}])
    dataset = prepare(pairs, write("faq.jsonl", questions(3)), split={"validation": 0, "test": 0})
    out = tmp_path / "out.jsonl"
    assert export(dataset.path, "preference", out) == 1
    row = json.loads(out.read_text(encoding="utf-8"))
    assert row["prompt"] == [{"role": "user", "content": "Fee?"}]
    assert (row["chosen"][0]["content"], row["rejected"][0]["content"]) == ("It is 5.", "No idea.")
    again = prepare(out, split={"validation": 0, "test": 0})
    (sample,) = read_split(again.path, "train")
    assert (sample.answer, sample.rejected) == ("It is 5.", "No idea.")


CALLS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "余额？"},
    {
        "role": "assistant",
        "content": "One moment.",
        "tool_calls": [
            {"type": "function", "function": {"name": "balance", "arguments": '{"account": "储蓄"}'}},
            {"type": "function", "function": {"name": "rate", "arguments": "{}"}},
        ],
    },
    {"role": "tool", "content": "5"},
    {"role": "tool", "content": "6"},
    {"role": "assistant", "content": "Five."},
]


@pytest.mark.parametrize("format_", ["messages", "sharegpt"])
def test_tool_calls_and_descriptions_are_written_as_what_they_are(
    tmp_path: Path, write: Write, prepare: Prepare, format_: str
) -> None:
    tools = [{"type": "function", "function": {"name": "balance", "description": "余额"}}]
    dataset = prepare(
        write("t.jsonl", [{"messages": CALLS, "tools": tools}, {"messages": DIALOGUE}]),
        split={"validation": 0, "test": 0},
    )
    out = tmp_path / "out.json"
    export(dataset.path, format_, out)
    row = next(row for row in json.loads(out.read_text(encoding="utf-8")) if "tools" in row)
    assert row["tools"] == tools
    assert "<tool" not in json.dumps(row)
    if format_ == "messages":
        assert row["messages"] == CALLS
    assert _texts(prepare(out, split={"validation": 0, "test": 0})) == _texts(dataset)


@pytest.mark.parametrize("format_", ["messages", "sharegpt"])
def test_turns_of_tools_are_exported(tmp_path: Path, write: Write, prepare: Prepare, format_: str) -> None:
    dataset = prepare(write("t.jsonl", [{"messages": TOOLS}, {"messages": DIALOGUE}, *[{"messages": DIALOGUE[1:3]}]]))
    out = tmp_path / "out.json"
    export(dataset.path, format_, out)
    assert _texts(prepare(out)) == _texts(dataset)


def test_the_simple_form_has_the_simple_fields(tmp_path: Path, dataset: Dataset) -> None:
    export(dataset.path, "input_target", tmp_path / "out.json")
    rows = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    plain = next(row for row in rows if row["input_text"] == "What is 3?")
    assert plain.items() >= {"target_text": "It is 3.", "intent": "x"}.items()
    assert set(plain) == {"input_text", "target_text", "intent", "split"}
    dialogue = next(row for row in rows if row["input_text"] == "q2")
    assert (dialogue["system"], dialogue["history"]) == ("s", [["q1", "a1"]])


def test_no_cell_of_a_spreadsheet_runs_as_a_formula(tmp_path: Path, write: Write, prepare: Prepare) -> None:
    rows = [{"question": f"={n}+1", "answer": f"@SUM({n})"} for n in range(5)]
    dataset = prepare(write("faq.jsonl", rows))
    out = tmp_path / "out.csv"
    export(dataset.path, "csv", out)
    with out.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert _texts(prepare(out)) == _texts(dataset)


def test_an_existing_file_is_not_overwritten_unasked(tmp_path: Path, dataset: Dataset) -> None:
    out = tmp_path / "out.json"
    out.write_text("mine")
    with pytest.raises(UsageError) as caught:
        export(dataset.path, "alpaca", out)
    assert caught.value.code == "data.out_exists"
    assert out.read_text() == "mine"
    export(dataset.path, "alpaca", out, force=True)
    assert json.loads(out.read_text(encoding="utf-8"))


def test_what_can_not_be_exported_is_said(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(UsageError) as unknown:
        export(dataset.path, "word", tmp_path / "out.docx")
    assert "sharegpt" in unknown.value.hint("en")
    with pytest.raises(DataError) as extension:
        export(dataset.path, "alpaca", tmp_path / "out.csv")
    assert extension.value.code == "data.out_extension"
    with pytest.raises(UsageError) as folder:
        export(dataset.path, "alpaca", tmp_path / "no" / "out.json")
    assert folder.value.code == "data.out_folder"
    with pytest.raises(NotFoundError):
        export(tmp_path, "alpaca", tmp_path / "out.json")
