"""A first recipe for a file that nobody has described yet: `tuneloop init --data FILE`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.data.collect import PEEK, Opened, open_source
from tuneloop.data.config import SourceConfig
from tuneloop.data.conversation import make_conversation
from tuneloop.data.readers import Row
from tuneloop.data.shapes import SHAPES
from tuneloop.data.sources import Source, sources_of_file
from tuneloop.data.turns import BadRow
from tuneloop.text.language import detect_language


@dataclass(frozen=True, slots=True)
class Notes:
    """What was found out about a file."""

    language: Literal["en", "zh"]
    """Language of most of its first rows."""
    rows: int
    """About how many rows it has."""
    shape: str
    """Key of `shapes.SHAPES`."""
    columns: dict[str, str]
    """Field and column."""
    guessed: bool
    has_split: bool
    """It says itself which rows are for training and which for testing."""
    intent: str | None
    """Column of labels."""
    lines: tuple[str, ...]
    """All of it in words, in the interface language."""


def suggest_recipe(
    path: Path | str, *, sheet: str | None = None, columns: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], Notes]:
    """Look at a file and suggest the recipe's `data` section for it.

    Args:
        path: a file, or all that a source's path can be: a folder, a pattern, an archive, an address. Of many files the
            first one is described.
        sheet: sheet of a spreadsheet; all that hold questions and answers when None.
        columns: which column holds what, where the guess is wrong: field to column.
    Returns:
        The section as `data.config.DataConfig` takes it, and what was found out.
    Raises:
        DataError: the file can't be used, or its columns can't be made out.

    The columns are written down where they were guessed, so that a wrong guess can be corrected in place.
    """
    sources = sources_of_file(SourceConfig(path=str(path), sheet=sheet, columns=dict(columns or {})), Path())
    opened = open_source(sources[0])
    layout = opened.layout
    assert layout is not None
    entry: dict[str, Any] = {"path": str(path)}
    if sheet is not None:
        entry["sheet"] = sheet
    if columns or (layout.guessed and len(sources) == 1):
        entry["columns"] = dict(layout.columns) if len(sources) == 1 else dict(columns or {})
    language = _language(opened, sources[0])
    notes = Notes(
        language=language,
        rows=opened.total,
        shape=layout.shape,
        columns=dict(layout.columns),
        guessed=layout.guessed,
        has_split="split" in layout.columns,
        intent=layout.columns.get("intent"),
        lines=tuple(note for source in sources for note in source.notes),
    )
    return {"sources": [entry]}, _with_lines(notes, sources, layout.how)


def _language(opened: Opened, source: Source) -> Literal["en", "zh"]:
    """The language of most of the first rows that can be used.

    Raises:
        DataError: none of them can, so that no recipe would do (code `data.no_row_usable`).
    """
    layout = opened.layout
    assert layout is not None
    found: Counter[Literal["en", "zh"]] = Counter()
    usable, first = 0, None
    for row in islice(opened.rows, PEEK):
        if not isinstance(row, Row):
            continue
        try:
            turns = SHAPES[layout.shape].build(layout.fields(row.values))
            make_conversation(turns, None)
        except BadRow as bad:  # such rows go to quarantine; a file with others is still worth a recipe
            first = first or (row.number, text(bad.code, **bad.values))
            continue
        usable += 1
        language = detect_language("\n".join(content for role, content in turns if role != "system"))
        if language is not None:
            found[language] += 1
    if not usable and first is not None:
        raise DataError("data.no_row_usable", file=source.path, row=first[0], reason=first[1])
    return found.most_common(1)[0][0] if found else "en"


def _with_lines(notes: Notes, sources: Sequence[Source], how: str) -> Notes:
    name = sources[0].name
    columns = ", ".join(f"{field}: {column}" for field, column in notes.columns.items())
    guess = text(f"data.guess.{how}" if notes.guessed else "data.suggest.columns", file=name, columns=columns)
    lines = [
        *([text("data.suggest.files", count=len(sources), file=name)] if len(sources) > 1 else []),
        *notes.lines,
        guess,
        text("data.suggest.rows", rows=notes.rows),
        text(f"data.suggest.language_{notes.language}"),
        text("data.suggest.split" if notes.has_split else "data.suggest.no_split"),
    ]
    if notes.intent is not None:
        lines.append(text("data.suggest.intent", column=notes.intent))
    return replace(notes, lines=tuple(lines))
