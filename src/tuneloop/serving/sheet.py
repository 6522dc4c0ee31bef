"""Answers as a file that a spreadsheet opens, written whole or not at all.

`WRITERS` is the plug-in point: an extension and a function that writes rows of text.
"""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tuneloop.core.errors import UsageError

Rows = Sequence[Mapping[str, Any]]
Cell = Callable[[str], str]
"""Makes a text harmless where a spreadsheet would run it as a formula."""


def check_target(path: Path, *, force: bool) -> None:
    """Say before the work begins why its result could not be written.

    Raises:
        UsageError: no writer takes the extension (code `serving.extension_unknown`), the file exists and `force` is
            not given (`serving.file_exists`), or its folder is missing (`serving.folder_missing`).
    """
    if path.suffix.lower() not in WRITERS:
        raise UsageError("serving.extension_unknown", file=path, known=", ".join(WRITERS))
    if path.is_dir() or (path.exists() and not force):
        raise UsageError("serving.file_exists", file=path)
    if not path.absolute().parent.is_dir():
        raise UsageError("serving.folder_missing", file=path.absolute().parent)


def write_sheet(path: Path, columns: Sequence[str], rows: Rows, *, cell: Cell) -> None:
    """Write rows under their columns; the extension decides the format.

    Args:
        path: the file; replaced in one step when it is complete.
        columns: in their order.
        rows: values by column; what is no text is written as JSON.
        cell: applied to every text of a .csv.
    """
    with _whole(path) as temporary:
        WRITERS[path.suffix.lower()](temporary, columns, rows, cell)


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    temporary = path.absolute().with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_csv(path: Path, columns: Sequence[str], rows: Rows, cell: Cell) -> None:
    # With a byte-order mark, without which Excel takes Chinese for another encoding.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([cell(column) for column in columns])
        writer.writerows([cell(_text(row.get(column))) for column in columns] for row in rows)


def _write_xlsx(path: Path, columns: Sequence[str], rows: Rows, cell: Cell) -> None:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet()

    def text_cell(value: str) -> Any:
        made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        made.data_type = "s"  # text, whatever it starts with: never a formula
        return made

    sheet.append([text_cell(column) for column in columns])
    for row in rows:
        sheet.append([text_cell(_text(row.get(column))) for column in columns])
    book.save(path)


def _write_jsonl(path: Path, columns: Sequence[str], rows: Rows, cell: Cell) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            values = {column: row.get(column) for column in columns}
            file.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


WRITERS: dict[str, Callable[[Path, Sequence[str], Rows, Cell], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".jsonl": _write_jsonl,
}
"""By extension."""
