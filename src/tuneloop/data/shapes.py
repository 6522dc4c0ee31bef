"""The shapes in which files hold conversations, and which of them a file has.

To add one: a function from the fields of a row to turns, an entry in `SHAPES`, and its column names in `columns.NATIVE`.
The order of the table is the order in which shapes are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.data.columns import NATIVE, SIDE_FIELDS, check_given, guess_pair, native_fields
from tuneloop.data.dataset_info import DatasetInfo, standard_messages
from tuneloop.data.readers.rows import says_something
from tuneloop.data.turns import (
    BadRow,
    Turn,
    first_text,
    text_of,
    turn_of_message,
    turns_of_history,
    turns_of_messages,
    turns_of_tools,
)

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """One way to write a conversation into a row."""

    needs: tuple[str, ...]
    """Fields without which a row is not of this shape."""
    build: Callable[[Fields], list[Turn]]
    may_have: tuple[str, ...] = ()
    """Further fields of the shape."""


def turns_of_chat(fields: Fields) -> list[Turn]:
    return _after_system(fields, turns_of_messages(fields["messages"], "messages"))


def turns_of_sharegpt(fields: Fields) -> list[Turn]:
    return _after_system(fields, turns_of_messages(fields["conversations"], "conversations"))


def turns_of_preference(fields: Fields) -> list[Turn]:
    """The preferred answer of a pair; the rejected one is for preference tuning."""
    for name in ("messages", "conversations"):
        if fields.get(name):
            before = turns_of_messages(fields[name], name)
            break
    else:
        before = _prompt(fields.get("prompt")) if fields.get("prompt") else _question(fields, ["instruction", "input"])
    return _after_system(fields, [*before, *_answer(fields["chosen"], "chosen")])


def rejected_answer(fields: Fields) -> list[Turn]:
    """The answer of a pair that was not preferred; nothing where there is none.

    Raises:
        BadRow: it is no answer.
    """
    turns = _answer(fields["rejected"], "rejected") if fields.get("rejected") else []
    return [turn for turn in turns if turn[0] == "assistant" and turn[1].strip()][-1:]


def turns_of_alpaca(fields: Fields) -> list[Turn]:
    """`input` stands below `instruction`, as LLaMA-Factory and the alpaca set itself write it."""
    turns = [*_question(fields, ["instruction", "input"]), *_answer(fields.get("output"), "output")]
    return _after_system(fields, turns)


def turns_of_prompt(fields: Fields) -> list[Turn]:
    return _after_system(fields, [*_prompt(fields["prompt"]), *_answer(fields.get("completion"), "completion")])


def turns_of_pair(fields: Fields) -> list[Turn]:
    turns = [*_question(fields, ["input_text"]), *_answer(fields.get("target_text"), "target_text")]
    return _after_system(fields, turns)


def turns_of_dialogue(fields: Fields) -> list[Turn]:
    """A whole dialogue in `history`; the question stands before it, unless it is its first turn."""
    history = turns_of_history(fields.get("history"), "history")
    question = text_of(fields.get("input_text"), "input_text")
    if question.strip() and (not history or history[0] != ("user", question)):
        history = [("user", question), *history]
    return _after_system(fields, history)


SHAPES: dict[str, Shape] = {
    "preference": Shape(
        ("chosen", "rejected"), turns_of_preference, ("messages", "conversations", "prompt", "instruction", "input")
    ),
    "messages": Shape(("messages",), turns_of_chat),
    "sharegpt": Shape(("conversations",), turns_of_sharegpt),
    "alpaca": Shape(("instruction", "output"), turns_of_alpaca, ("input",)),
    "prompt_completion": Shape(("prompt", "completion"), turns_of_prompt),
    "input_target": Shape(("input_text", "target_text"), turns_of_pair),
    "dialogue": Shape(("input_text", "history"), turns_of_dialogue),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape of a file and which column holds what."""

    shape: str
    columns: dict[str, str]
    """Field and column; a field that is none of `columns.NATIVE` is a tag."""
    how: str
    """`native` (the names are the shape's own), `given` (by the recipe), `names`, `content` or `label` (guesses)."""
    found: tuple[str, ...] = field(default=())
    """All columns of the file."""
    info: DatasetInfo | None = None
    """What a `dataset_info.json` says about messages in it."""

    @property
    def guessed(self) -> bool:
        return self.how in ("names", "content", "label")

    def fields(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a row by field."""
        values = {name: row.get(column) for name, column in self.columns.items()}
        if self.info is None:
            return values
        return {name: standard_messages(value, self.info) for name, value in values.items()}

    def tags(self, row: Mapping[str, Any]) -> dict[str, str]:
        """The facts of a row: its intent, and the columns that the recipe keeps as tags."""
        names = [name for name in self.columns if name == "intent" or name not in NATIVE]
        texts = {name: text_of(row.get(self.columns[name]), name).strip() for name in names}
        return {name: text for name, text in texts.items() if text}


def find_layout(
    file: str, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str], info: DatasetInfo | None = None
) -> Layout:
    """Find the shape of a file from its first rows.

    Args:
        file: name of the file, for messages.
        rows: its first rows.
        given: the recipe's `columns:`, field to column; they win over every guess.
        info: what a `dataset_info.json` says about the file.
    Raises:
        DataError: a given column is not there (code `data.column_missing`), or no question and answer can be made out
            (`data.columns_unclear`, with the columns found).
    """
    return replace(_find_layout(file, rows, given), info=info)


def _find_layout(file: str, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Layout:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    check_given(file, given, columns)
    rows = [row for row in rows if says_something(row)] or rows
    free = [column for column in columns if column not in given.values()]
    fields = {**native_fields(free), **given}
    if "intent" in fields and _holds_only(rows, fields["intent"], bool):
        fields["good"] = fields.pop("intent")
    main = {name for name in given if name in NATIVE and name not in SIDE_FIELDS}
    for name, shape in SHAPES.items():
        if set(shape.needs) <= fields.keys() and main <= {*shape.needs, *shape.may_have} and name != "dialogue":
            return _layout(name, fields, "given" if main else "native", columns)
    if not main <= {"input_text", "target_text"}:
        raise DataError("data.columns_unclear", file=file, found=", ".join(columns) or text("general.none"))
    label = fields.get("intent") if "intent" not in given else None
    taken = {fields[name] for name in SIDE_FIELDS if name in fields} - {label}
    taken |= {column for name, column in given.items() if name not in NATIVE}
    pair = guess_pair(
        rows,
        [column for column in columns if column not in taken],
        question=given.get("input_text"),
        answer=given.get("target_text"),
        label=label,
    )
    if pair is None or (pair.answer is None and "history" not in fields):
        raise DataError("data.columns_unclear", file=file, found=", ".join(columns) or text("general.none"))
    fields["input_text"] = pair.question
    if pair.answer is None or ("history" in fields and pair.how in ("content", "label")):
        return _layout("dialogue", fields, "names", columns)
    fields["target_text"] = pair.answer
    return _layout("input_target", fields, pair.how, columns)


def find_question(file: str, rows: Sequence[Mapping[str, Any]], given: Mapping[str, str]) -> Layout:
    """Find where the questions of a file stand that may hold no answers (see `find_layout`)."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    check_given(file, given, columns)
    try:
        return find_layout(file, rows, given)
    except DataError as error:
        fields = {**native_fields([column for column in columns if column not in given.values()]), **given}
        if "instruction" in fields and "input_text" not in given:
            return _layout("alpaca", fields, "native", columns)
        pair = guess_pair(rows, columns, question=given.get("input_text"))
        if pair is None:
            raise DataError(
                "data.question_unclear", file=file, found=", ".join(columns) or text("general.none")
            ) from error
        return _layout("input_target", {**fields, "input_text": pair.question}, pair.how, columns)


def _holds_only(rows: Sequence[Mapping[str, Any]], column: str, kind: type) -> bool:
    values = [row[column] for row in rows if row.get(column) is not None]
    return bool(values) and all(isinstance(value, kind) for value in values)


def _layout(name: str, fields: Mapping[str, str], how: str, columns: Sequence[str]) -> Layout:
    """Keep the fields that the shape uses, those beside it, and tags; an answer is no intent as well."""
    shape = SHAPES[name]
    used = {*shape.needs, *shape.may_have, *SIDE_FIELDS}
    kept = {field: column for field, column in fields.items() if field in used or field not in NATIVE}
    main = {column for field, column in kept.items() if field not in SIDE_FIELDS}
    if kept.get("intent") in main:
        del kept["intent"]
    return Layout(name, kept, how, tuple(columns))


def _after_system(fields: Fields, turns: list[Turn]) -> list[Turn]:
    system = text_of(fields.get("system"), "system")
    tools = turns_of_tools(fields.get("tools"), "tools")
    return [*([("system", system)] if system.strip() else []), *tools, *turns]  # type: ignore[list-item]


def _question(fields: Fields, names: Sequence[str]) -> list[Turn]:
    return [*turns_of_history(fields.get("history"), "history"), ("user", first_text(fields, names))]


def _prompt(value: Any) -> list[Turn]:
    """A prompt is a text, or messages (the conversational form of TRL)."""
    return turns_of_messages(value, "prompt") if isinstance(value, list) else [("user", text_of(value, "prompt"))]


def _answer(value: Any, column: str) -> list[Turn]:
    """An answer is a text, a message, or a list of messages."""
    if isinstance(value, list):
        return turns_of_messages(value, column)
    if isinstance(value, dict):
        return [turn_of_message(value, column)]
    return [("assistant", text_of(value, column))]


__all__ = ["SHAPES", "BadRow", "Layout", "Shape", "find_layout", "find_question"]
