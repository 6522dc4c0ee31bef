"""Reader of .xlsx: one sheet, every cell as text.

A formula is read as the value that was stored with it; a row whose formula has none is set aside. A cell that is merged
downwards holds for all the rows that it spans.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import fastexcel

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers.archives import LARGEST_DOCUMENT, check_document
from tuneloop.data.readers.excel_grid import Grid, read_grid
from tuneloop.data.readers.files import File
from tuneloop.data.readers.rows import Rows, reject
from tuneloop.data.readers.table import Cells, rows_of_table

if TYPE_CHECKING:
    import polars


def read_excel(file: File, sheet: str | None = None) -> Rows:
    """Read one sheet of an .xlsx file; the first one when `sheet` is None.

    Raises:
        DataError: it is no .xlsx, or damaged or encrypted (code `data.excel_damaged`), unsafe to read (see
            `archives.check_document`), has no sheet of that name (`data.sheet_missing`, with the names), or the sheet
            is empty (`data.file_empty`).
    """
    check_document(file)
    book = _open(file)
    if sheet is not None and sheet not in book.sheet_names:
        raise DataError("data.sheet_missing", file=file.place, sheet=sheet, found=", ".join(book.sheet_names))
    frame = _load(file, book, sheet)
    if frame.height == 0:
        raise DataError("data.sheet_empty", file=file.place, sheet=sheet or "1")
    grid = read_grid(file, sheet)
    rows, headerless = rows_of_table(file, _cells(file, frame, grid), first_row=grid.first_row)
    return Rows(max(1, frame.height - 1), rows, headerless)


def sheet_names(file: File) -> list[str]:
    """The names of a workbook's sheets.

    Raises:
        DataError: see `read_excel`.
    """
    check_document(file)
    return list(_open(file).sheet_names)


def _open(file: File) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(file.path or file.read(LARGEST_DOCUMENT))
    except BaseException as error:
        raise _damaged(file, error) from error


def _load(file: File, book: fastexcel.ExcelReader, sheet: str | None) -> polars.DataFrame:
    try:
        loaded = book.load_sheet(0 if sheet is None else sheet, header_row=None, dtypes="string")
        return loaded.to_polars()
    except BaseException as error:
        raise _damaged(file, error) from error


def _damaged(file: File, error: BaseException) -> BaseException:
    """A damaged file can make the Rust reader panic, which arrives as a BaseException of this name."""
    if isinstance(error, fastexcel.FastExcelError) or type(error).__name__ == "PanicException":
        problem = next(iter(str(error).splitlines()), type(error).__name__)
        return DataError("data.excel_damaged", file=file.place, problem=problem)
    return error


def _cells(file: File, frame: polars.DataFrame, grid: Grid) -> Iterator[Cells | Rejected]:
    if grid.plain:
        for start in range(0, frame.height, 10_000):
            yield from frame.slice(start, 10_000).iter_rows()
        return
    held: dict[int, tuple[int, str | None]] = {}
    for number, row in enumerate(frame.iter_rows(), start=grid.first_row):
        cells = list(row)
        for column, last in grid.merged.get(number, ()):
            if 0 <= column - grid.first_column < len(cells):
                held[column] = last, cells[column - grid.first_column]
        filled = any(cell and cell.strip() for cell in row)
        for column, (last, value) in held.items():
            if number <= last and filled:
                cells[column - grid.first_column] = value
        if number in grid.valueless:
            shown = " | ".join(cell or "" for cell in cells)
            yield reject(file, 0, "data.formula_without_value", shown, cells=", ".join(grid.valueless[number][:3]))
        else:
            yield cells
