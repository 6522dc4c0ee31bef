"""Reader of .xlsx: one sheet, every cell as text; a formula is read as the value that was stored with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import fastexcel

from tuneloop.core.errors import DataError
from tuneloop.data.readers.rows import Rows
from tuneloop.data.readers.table import Cells, rows_of_table

if TYPE_CHECKING:
    import polars


def read_excel(path: Path, sheet: str | None = None) -> Rows:
    """Read one sheet of an .xlsx file.

    Raises:
        DataError: it is no .xlsx, or damaged or encrypted (code `data.excel_damaged`), has no sheet of that name
            (`data.sheet_missing`, with the names), or the sheet is empty (`data.file_empty`).
    """
    frame = _load(path, sheet)
    if frame.height == 0:
        raise DataError("data.sheet_empty", file=path, sheet=sheet or "1")
    rows, headerless = rows_of_table(path, _cells(frame))
    return Rows(max(1, frame.height - 1), rows, headerless)


def _load(path: Path, sheet: str | None) -> polars.DataFrame:
    try:
        book = fastexcel.read_excel(path)
        if sheet is not None and sheet not in book.sheet_names:
            raise DataError("data.sheet_missing", file=path, sheet=sheet, found=", ".join(book.sheet_names))
        loaded = book.load_sheet(0 if sheet is None else sheet, header_row=None, dtypes="string")
        return loaded.to_polars()
    except fastexcel.FastExcelError as error:
        raise DataError("data.excel_damaged", file=path, problem=str(error).splitlines()[0]) from error
    except BaseException as error:
        # A damaged file can make the Rust reader panic, which arrives as a BaseException of this name.
        if type(error).__name__ != "PanicException":
            raise
        raise DataError("data.excel_damaged", file=path, problem=str(error)) from error


def _cells(frame: polars.DataFrame) -> Iterator[Cells]:
    for start in range(0, frame.height, 10_000):
        yield from islice(frame.slice(start, 10_000).iter_rows(), None)
