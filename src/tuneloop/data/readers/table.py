"""What .csv, .tsv, .xlsx and tables of .docx and .md share: a header line above cells of text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.cells import restore
from tuneloop.data.columns import is_known_name
from tuneloop.data.readers.files import File
from tuneloop.data.readers.rows import LONGEST_ROW, MOST_COLUMNS, Row, reject

Cells = Sequence[str | None]
Numbered = tuple[int, Cells | Rejected]

_SENTENCE_END = re.compile(r"[。？！?!.]\s*$")


def rows_of_table(
    file: File, records: Iterable[Cells | Rejected], *, first_row: int = 1
) -> tuple[Iterator[Row | Rejected], bool]:
    """Turn lines of cells into rows under the names of the header, numbered as a spreadsheet counts: the first line is 1.

    Args:
        file: the file, for messages.
        records: its lines of cells.
        first_row: number of the first of them.

    Returns:
        The rows, and whether the header itself looks like data (then it is the first row).
    Raises:
        DataError: there is no header that can be read (code `data.no_rows`).
    """
    lines: Iterator[Numbered] = enumerate(records, start=first_row)
    number, header = _next_filled(lines)
    if header is None:
        raise DataError("data.file_empty", file=file.place)
    if isinstance(header, Rejected):
        raise DataError("data.header_unreadable", file=file.place, text=header.text[:80])
    if len(header) > MOST_COLUMNS:
        raise DataError("data.too_many_columns", file=file.place, found=f"{len(header):,}", limit=f"{MOST_COLUMNS:,}")
    if _is_title(header):
        below_number, below = _next_filled(lines)
        if below is not None and not isinstance(below, Rejected) and _names_columns(below):
            number, header = below_number, below
        elif below is not None:
            lines = chain([(below_number, below)], lines)
    headerless = _looks_like_data(header)
    names = [f"column_{n}" for n in range(1, len(header) + 1)] if headerless else column_names(header)
    return _rows(file, names, chain([(number, header)] if headerless else [], lines)), headerless


def _next_filled(lines: Iterator[Numbered]) -> tuple[int, Cells | Rejected | None]:
    return next(((n, line) for n, line in lines if isinstance(line, Rejected) or not _is_blank(line)), (0, None))


def _names_columns(line: Cells) -> bool:
    return any(is_known_name(cell) for cell in line if cell and cell.strip())


def _is_title(header: Cells) -> bool:
    """Say whether the first line is the title of a table that is wider: one cell, and no name of a column."""
    cells = [cell for cell in header if cell and cell.strip()]
    return len(header) > 1 and len(cells) == 1 and not is_known_name(cells[0])


def column_names(header: Cells) -> list[str]:
    """Give every column a name of its own.

    >>> column_names(["问题", "", "答案", "答案"])
    ['问题', 'column_2', '答案', '答案.2']
    """
    names: dict[str, None] = {}
    copies: Counter[str] = Counter()
    for position, cell in enumerate(header, start=1):
        unique = name = (cell or "").strip() or f"column_{position}"
        while unique in names:
            copies[name] += 1
            unique = f"{name}.{copies[name] + 1}"
        names[unique] = None
    return list(names)


def _rows(file: File, names: list[str], lines: Iterable[Numbered]) -> Iterator[Row | Rejected]:
    for number, line in lines:
        if isinstance(line, Rejected):
            yield line.model_copy(update={"row": number})
        elif _is_blank(line):
            continue
        elif any((cell or "").strip() for cell in line[len(names) :]):
            shown = " | ".join(cell or "" for cell in line)
            yield reject(file, number, "data.row_ragged", shown, found=len(line), expected=len(names))
        elif sum(len(cell) for cell in line if cell) > LONGEST_ROW:
            yield reject(file, number, "data.row_too_long", next(filter(None, line), ""), limit=f"{LONGEST_ROW:,}")
        else:
            yield Row(number, _values(names, line))


def _values(names: list[str], line: Cells) -> dict[str, str | None]:
    """Cells by name; a line that is shorter than the header leaves its last columns empty."""
    values: dict[str, str | None] = dict.fromkeys(names)
    for name, cell in zip(names, line, strict=False):
        values[name] = None if cell is None else restore(cell)
    return values


def _is_blank(line: Cells) -> bool:
    return not any(cell and cell.strip() for cell in line)


def _looks_like_data(header: Cells) -> bool:
    """Say whether a header is probably a row: no name that we know, and cells that read like sentences."""
    cells = [cell.strip() for cell in header if cell and cell.strip()]
    if any(is_known_name(cell) for cell in cells):
        return False
    sentences = sum(_weight(cell) >= 8 and _SENTENCE_END.search(cell) is not None for cell in cells)
    return sentences >= 2 or any(len(cell) > 80 for cell in cells)


def _weight(cell: str) -> int:
    """Length of a cell; a Chinese character says as much as two letters."""
    return len(cell) + sum(ord(character) > 0x2E7F for character in cell)
