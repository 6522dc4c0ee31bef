"""Questions without answers: read from a file for `predict`, and written back with the answers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tuneloop.core.errors import DataError
from tuneloop.core.records import Message, Rejected
from tuneloop.data.clean import active_cleaners, clean
from tuneloop.data.cleaning.config import CleanConfig
from tuneloop.data.cleaning.custom import TooSlow
from tuneloop.data.collect import PEEK
from tuneloop.data.conversation import make_prompt
from tuneloop.data.readers import Row, open_rows
from tuneloop.data.shapes import SHAPES, find_question
from tuneloop.data.tables import WRITERS, TableRow, check_out, write_whole
from tuneloop.data.turns import BadRow

Question = tuple[int, tuple[Message, ...], dict[str, Any]]
"""Row, messages up to the question (none where the row asks nothing), and the row as it stands in the file."""


def read_questions(
    path: Path,
    columns: Mapping[str, str] | None = None,
    *,
    sheet: str | None = None,
    system: str | None = None,
    rules: CleanConfig | None = None,
    language: str = "en",
) -> list[Question]:
    """Read the questions of a file; every row comes back, also one that asks nothing.

    Texts are cleaned as they were for training. Answers that stand in the file are not looked at.

    Args:
        path: any file that the data stage reads.
        columns: which column holds what, as in the recipe; guessed when empty.
        sheet: sheet of a spreadsheet; the first one when None.
        system: system message for questions that have none.
        rules: the recipe's `data.clean`; a rule's default when None.
        language: language of the data that the rules were chosen for.
    Raises:
        DataError: the file or its columns can't be used; a row can't be read (code `data.question_unreadable`).
    """
    opened = open_rows(path, sheet)
    first = list(islice(opened.rows, PEEK))
    rows = [_readable(path, row) for row in chain(first, opened.rows)]
    if not rows:
        raise DataError("data.no_rows", file=path)
    layout = find_question(path.name, [row.values for row in rows[:PEEK]], columns or {})
    cleaners = active_cleaners(rules or CleanConfig(), language)
    questions: list[Question] = []
    for row in rows:
        try:
            turns = SHAPES[layout.shape].build(layout.fields(row.values))
            cleaned = [(role, clean(text, cleaners)[0]) for role, text in turns]
            messages = make_prompt(cleaned, system)
        except BadRow as bad:
            if bad.code != "data.question_empty":
                raise _unreadable(path, row.number, bad) from bad
            messages = ()
        except TooSlow as slow:
            raise _unreadable(path, row.number, BadRow("data.row_rule_too_slow", rule=slow.rule)) from slow
        questions.append((row.number, messages, row.values))
    return questions


def check_answers_file(path: Path, *, force: bool = False) -> None:
    """Refuse a file that answers can't be written to, before they are made.

    Raises:
        DataError: its extension is not known (code `data.out_extension`).
        UsageError: it exists and `force` is off (`data.out_exists`), or its folder does not (`data.out_folder`).
    """
    check_out(path, WRITERS, force=force)


def write_answers(path: Path, rows: Sequence[TableRow], *, force: bool = False) -> None:
    """Write rows (the original ones with answers added) to .csv, .xlsx, .json or .jsonl.

    Cells of spreadsheets that would run as formulas are made harmless (see `cells.neutralise`).

    Raises:
        DataError, UsageError: see `check_answers_file`.
        ResourceError: the disk has no room.
    """
    check_answers_file(path, force=force)
    write_whole(path, lambda temporary: WRITERS[path.suffix.lower()](temporary, rows))


def _readable(path: Path, row: Row | Rejected) -> Row:
    if isinstance(row, Rejected):
        raise DataError("data.question_unreadable", file=path, row=row.row, reason=row.reason)
    return row


def _unreadable(path: Path, number: int, bad: BadRow) -> DataError:
    from tuneloop.core.messages import text

    return DataError("data.question_unreadable", file=path, row=number, reason=text(bad.code, **bad.values))
