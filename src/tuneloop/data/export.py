"""A dataset written back in the shapes that other tools, and spreadsheet programs, read.

To add one: a function from a sample and its split to a row, and an entry in `EXPORTERS`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tuneloop.core.errors import UsageError
from tuneloop.core.records import SPLITS, Message, Role, Sample, Split
from tuneloop.data.tables import WRITERS, TableRow, check_out, write_whole
from tuneloop.store.artifacts import verify
from tuneloop.store.samples import read_samples
from tuneloop.text.tool_calls import ToolCall, call_text, find_calls, find_tools

SHAREGPT_ROLES: dict[Role, str] = {"system": "system", "user": "human", "assistant": "gpt", "tool": "observation"}


def input_target_row(sample: Sample, split: Split) -> dict[str, Any]:
    row = {"input_text": sample.question, "target_text": sample.answer}
    return {**row, **_around(sample), **_facts(sample, split)}


def alpaca_row(sample: Sample, split: Split) -> dict[str, Any]:
    row = {"instruction": sample.question, "input": "", "output": sample.answer}
    return {**row, **_around(sample), **_facts(sample, split)}


def sharegpt_row(sample: Sample, split: Split) -> dict[str, Any]:
    turns = [turn for message in sample.messages for turn in _sharegpt_turns(message)]
    return {"conversations": turns, **_tools(sample), **_facts(sample, split)}


def messages_row(sample: Sample, split: Split) -> dict[str, Any]:
    messages = [_openai_message(message) for message in sample.messages if _said(message) != ("", [])]
    return {"messages": messages, **_tools(sample), **_facts(sample, split)}


def preference_row(sample: Sample, split: Split) -> dict[str, Any]:
    """A pair of answers in TRL's conversational form; samples without a rejected answer are left out."""
    if sample.rejected is None:
        return {}
    chosen, rejected = ([{"role": "assistant", "content": text}] for text in (sample.answer, sample.rejected))
    return {"prompt": _messages(sample.prompt), "chosen": chosen, "rejected": rejected, **_facts(sample, split)}


def table_row(sample: Sample, split: Split) -> dict[str, Any]:
    """A row of a spreadsheet; what came before the question stands as JSON in one cell."""
    row = {"input_text": sample.question, "target_text": sample.answer, "system": "", "history": ""}
    around = {
        name: json.dumps(v, ensure_ascii=False) if name == "history" else v for name, v in _around(sample).items()
    }
    tags = {name: value for name, value in sample.meta.tags.items() if name not in row}
    return {**row, **around, "split": split, **tags, "source": sample.meta.source, "row": str(sample.meta.row)}


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format: how a sample becomes a row, and which files can hold the rows."""

    row: Callable[[Sample, Split], dict[str, Any]]
    extensions: tuple[str, ...]


EXPORTERS: dict[str, Exporter] = {
    "input_target": Exporter(input_target_row, (".json", ".jsonl")),
    "alpaca": Exporter(alpaca_row, (".json", ".jsonl")),
    "sharegpt": Exporter(sharegpt_row, (".json", ".jsonl")),
    "messages": Exporter(messages_row, (".jsonl", ".json")),
    "preference": Exporter(preference_row, (".jsonl", ".json")),
    "csv": Exporter(table_row, (".csv", ".xlsx")),
    "parquet": Exporter(table_row, (".parquet",)),
}


def export(dataset: Path, format: str, out: Path, *, force: bool = False) -> int:
    """Write all samples of a dataset into one file; each row keeps the split that it stands in.

    Args:
        dataset: folder of the dataset.
        format: key of `EXPORTERS`.
        out: file to write; its extension chooses between list and lines.
        force: overwrite an existing file.
    Returns:
        Number of samples written.
    Raises:
        UsageError: there is no such format (code `data.format_unknown`), or the file exists (`data.out_exists`).
        DataError: the extension does not fit the format (`data.out_extension`).
        NotFoundError: the dataset is not there.
        CorruptError: the dataset differs from its manifest.
    """
    if format not in EXPORTERS:
        raise UsageError("data.format_unknown", format=format, known=", ".join(EXPORTERS))
    exporter = EXPORTERS[format]
    check_out(out, exporter.extensions, force=force)
    verify(dataset)
    samples = ((sample, split) for split in SPLITS for sample in read_samples(dataset / f"{split}.jsonl"))
    rows = [row for sample, split in samples if (row := exporter.row(sample, split))]
    write = _write_parquet if out.suffix.lower() == ".parquet" else WRITERS[out.suffix.lower()]
    write_whole(out, lambda path: write(path, rows))
    return len(rows)


def _write_parquet(path: Path, rows: Sequence[TableRow]) -> None:
    import polars

    polars.DataFrame([dict(row) for row in rows], infer_schema_length=None).write_parquet(path)


def _around(sample: Sample) -> dict[str, Any]:
    """System message and earlier turns, where there are any."""
    system = "\n\n".join(message.content for message in sample.prompt if message.role == "system")
    before = [message for message in sample.prompt if message.role != "system"]
    last = max(position for position, message in enumerate(before) if message.role == "user")
    earlier, between = before[:last], before[last + 1 :]
    around: dict[str, Any] = {"system": system} if system else {}
    if earlier or between:
        around["history"] = _pairs(earlier) or _messages([*earlier, *between])
    return around


def _pairs(messages: Sequence[Message]) -> list[list[str]]:
    """Question–answer pairs; none if the turns are not strictly in turn."""
    roles = [message.role for message in messages]
    if roles != ["user", "assistant"] * (len(messages) // 2):
        return []
    return [[messages[n].content, messages[n + 1].content] for n in range(0, len(messages), 2)]


def _messages(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _said(message: Message) -> tuple[str, list[ToolCall]]:
    """What is said, and the tools that are called; the descriptions of tools are no part of what the system says."""
    if message.role == "system":
        return find_tools(message.content)[0], []
    said, calls = find_calls(message.content) if message.role == "assistant" else (message.content, [])
    whole = "\n".join(part for part in (said, call_text(calls)) if part)
    return (said, calls) if whole == message.content else (message.content, [])


def _tools(sample: Sample) -> dict[str, Any]:
    found = [tool for message in sample.messages if message.role == "system" for tool in find_tools(message.content)[1]]
    return {"tools": found} if found else {}


def _openai_message(message: Message) -> dict[str, Any]:
    said, calls = _said(message)
    if not calls:
        return {"role": message.role, "content": said}
    called = [
        {"type": "function", "function": {"name": call.name, "arguments": _as_json(call.arguments)}} for call in calls
    ]
    return {"role": message.role, "content": said, "tool_calls": called}


def _sharegpt_turns(message: Message) -> list[dict[str, str]]:
    """A turn; what is said and what is called are two."""
    said, calls = _said(message)
    turns = [{"from": SHAREGPT_ROLES[message.role], "value": said}] if said else []
    if calls:
        called = [call._asdict() for call in calls]
        turns.append({"from": "function_call", "value": _as_json(called[0] if len(called) == 1 else called)})
    return turns


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _facts(sample: Sample, split: Split) -> dict[str, str]:
    intent = sample.meta.tags.get("intent")
    return {**({"intent": intent} if intent is not None else {}), "split": split}
