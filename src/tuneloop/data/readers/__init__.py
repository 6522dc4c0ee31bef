"""Files to rows: one reader a kind of file, chosen by the file's extension.

A reader knows a file format and nothing about questions and answers. It yields every row with its number, or a
`Rejected` where a row can't be read; it raises only when the file as a whole is unusable. It streams: a file of any size
takes the memory of a few rows, except .xlsx, .docx and .json files of one object, whose size is bounded.

To add a kind: write `def read_x(file: File, sheet: str | None) -> Rows` in a file of its own and name it in `READERS`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

from tuneloop.core.errors import DataError
from tuneloop.core.messages import text
from tuneloop.data.readers.delimited import read_delimited
from tuneloop.data.readers.document import read_document
from tuneloop.data.readers.excel import read_excel
from tuneloop.data.readers.files import File, local_file
from tuneloop.data.readers.json_file import read_json
from tuneloop.data.readers.json_lines import read_json_lines
from tuneloop.data.readers.parquet import read_parquet
from tuneloop.data.readers.question_text import read_question_text
from tuneloop.data.readers.rows import Row, Rows

__all__ = ["READERS", "File", "Row", "Rows", "check_file", "local_file", "open_rows"]

Reader = Callable[[File, str | None], Rows]

READERS: dict[str, Reader] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".xlsx": read_excel,
    ".jsonl": read_json_lines,
    ".json": read_json,
    ".parquet": read_parquet,
    ".txt": read_question_text,
    ".md": read_question_text,
    ".docx": read_document,
}


def check_file(path: Path) -> None:
    """Say clearly why a path can't be a file of rows.

    Raises:
        DataError: no such file (code `data.file_missing`, with the nearest name), a folder (`data.is_folder`), no
            permission (`data.file_unreadable`), or no bytes (`data.file_empty`).
    """
    if path.is_dir():
        inside = sorted(item.name for item in path.iterdir() if item.suffix.lower() in READERS)[:5]
        raise DataError("data.is_folder", file=path, inside=", ".join(inside) or text("general.no_rows"))
    if not path.exists():
        raise DataError("data.file_missing", file=path, near=_near(path))
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise DataError("data.file_unreadable", file=path, problem=error.strerror or str(error)) from error
    if empty:
        raise DataError("data.file_empty", file=path)


def check_kind(file: File) -> None:
    """Refuse a file that no reader takes.

    Raises:
        DataError: its extension is unknown (code `data.extension_unknown`, with the known ones).
    """
    if file.kind not in READERS:
        known = ", ".join(READERS)
        raise DataError("data.extension_unknown", file=file.place, extension=file.kind or "–", known=known)


def open_rows(file: File | Path, sheet: str | None = None) -> Rows:
    """Open a file of rows.

    Args:
        file: the file; its extension chooses the reader.
        sheet: sheet of a spreadsheet; the first one when None.
    Raises:
        DataError: the file can't be used (see `check_file`, `check_kind` and the reader).
    """
    if isinstance(file, Path):
        check_file(file)
        file = local_file(file)
    check_kind(file)
    return READERS[file.kind](file, sheet)


def _near(path: Path) -> str:
    """The hint at the nearest name; nothing where none is near."""
    name = _nearest(path)
    return text("data.near_file", name=name) if name else ""


def _nearest(path: Path) -> str | None:
    """The file in the same folder whose name is most like the one that is missing."""
    if not path.parent.is_dir():
        return None
    names = [item.name for item in path.parent.iterdir() if item.is_file()]
    near = difflib.get_close_matches(path.name, names, n=1)
    return near[0] if near else None
