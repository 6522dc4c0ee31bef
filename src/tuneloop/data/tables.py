"""Writers of tables: .csv and .xlsx that open in a spreadsheet program, .json and .jsonl for programs.

A file appears whole or not at all, and an existing one is not overwritten unless that was asked for.
"""

from __future__ import annotations

import csv
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuneloop.core.errors import DataError, ResourceError, UsageError
from tuneloop.data.cells import neutralise

TableRow = Mapping[str, Any]

CELL_LIMIT = 32_767
"""Characters that a cell of a spreadsheet can hold."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def write_csv(path: Path, rows: Sequence[TableRow]) -> None:
    """UTF-8 with a byte-order mark, without which Excel shows Chinese text as garbage."""
    columns = columns_of(rows)
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([neutralise(column) for column in columns])
        writer.writerows([neutralise(cell_text(row.get(column))) for column in columns] for row in rows)


def write_xlsx(path: Path, rows: Sequence[TableRow]) -> None:
    """One sheet; every cell is text, cut where a cell can hold no more."""
    from openpyxl import Workbook

    columns = columns_of(rows)
    book = Workbook(write_only=True)
    sheet = book.create_sheet("tuneloop")
    sheet.append([_sheet_cell(column) for column in columns])
    for row in rows:
        sheet.append([_sheet_cell(cell_text(row.get(column))) for column in columns])
    book.save(path)


def write_json(path: Path, rows: Sequence[TableRow]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        json.dump([dict(row) for row in rows], file, ensure_ascii=False, indent=1)
        file.write("\n")


def write_json_lines(path: Path, rows: Sequence[TableRow]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(dict(row), ensure_ascii=False) + "\n" for row in rows)


WRITERS: dict[str, Callable[[Path, Sequence[TableRow]], None]] = {
    ".csv": write_csv,
    ".xlsx": write_xlsx,
    ".json": write_json,
    ".jsonl": write_json_lines,
}


def check_out(path: Path, extensions: Iterable[str], *, force: bool = False) -> None:
    """Refuse a file that can't be written, before any work is done for it.

    Raises:
        DataError: its extension is none of `extensions` (code `data.out_extension`).
        UsageError: it exists and `force` is off (`data.out_exists`), or its folder does not (`data.out_folder`).
    """
    if path.suffix.lower() not in extensions:
        known = ", ".join(extensions)
        raise DataError("data.out_extension", file=path, extension=path.suffix or "–", known=known)
    if not path.parent.is_dir():
        raise UsageError("data.out_folder", file=path, folder=path.parent)
    if path.exists() and (path.is_dir() or not force):
        raise UsageError("data.out_exists", file=path)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file under a temporary name, and rename it when it is whole.

    Raises:
        ResourceError: the disk has no room (code `store.disk_full`), or the folder can't be written to.
    """
    temporary = path.parent / f".{secrets.token_hex(4)}.{path.name}"
    try:
        write(temporary)
        temporary.replace(path)
    except OSError as error:
        raise ResourceError("data.out_unwritable", file=path, problem=error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)


def columns_of(rows: Sequence[TableRow]) -> list[str]:
    """All columns, in the order in which they first appear."""
    return list(dict.fromkeys(column for row in rows for column in row))


def cell_text(value: Any) -> str:
    """A value as one cell: nothing for null, JSON for what is no plain value.

    >>> cell_text(None), cell_text(1.5), cell_text(["a"])
    ('', '1.5', '["a"]')
    """
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def _sheet_cell(text: str) -> str:
    printable = neutralise(_NOT_IN_XML.sub("", text))
    return printable if len(printable) <= CELL_LIMIT else printable[: CELL_LIMIT - 1] + "…"
