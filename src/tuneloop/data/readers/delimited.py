"""Reader of .csv and .tsv: any usual encoding, delimiter found by looking, damaged rows set aside one by one."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from tuneloop.core.records import Rejected
from tuneloop.data.readers.encoding import bounded_lines, open_text
from tuneloop.data.readers.files import File
from tuneloop.data.readers.rows import LONGEST_ROW, Rows, reject
from tuneloop.data.readers.table import rows_of_table

DELIMITERS = (",", ";", "\t", "|")
SAMPLE = 1 << 18
"""Characters that the delimiter is found in."""
LONGEST_RECORD = 5000
"""Lines that one record may span; beyond that, its opening quote was never meant as one."""
_SEPARATOR_LINE = re.compile(r'^"?sep=([,;|\t])"?\s*$', re.IGNORECASE)


def read_delimited(file: File, sheet: str | None = None) -> Rows:
    """Read a .csv or .tsv file. `sheet` has no meaning here.

    Raises:
        DataError: the file is empty (code `data.file_empty`) or its header can't be read (`data.header_unreadable`).
    """
    with open_text(file) as stream:
        sample = stream.read(SAMPLE).splitlines(keepends=True)[:200]
    delimiter, skipped = find_delimiter(sample, prefer_tab=file.kind == ".tsv")
    rows, headerless = rows_of_table(file, _records(file, delimiter, skipped))
    return Rows(_estimate(file, sample, delimiter), rows, headerless)


def find_delimiter(lines: list[str], *, prefer_tab: bool = False) -> tuple[str, int]:
    """Find the delimiter of a file and how many lines stand before its header.

    The delimiter is the one that cuts most lines into the same number (above one) of cells as the header.

    >>> find_delimiter(["问题;答案\\n", "a, b;c\\n"]), find_delimiter(["sep=|\\n", "a|b\\n"])
    ((';', 0), ('|', 1))
    """
    if lines and (named := _SEPARATOR_LINE.match(lines[0])):
        return named.group(1), 1
    best, best_score = "\t" if prefer_tab else ",", 0.0
    for delimiter in DELIMITERS:
        widths = list(_widths(lines, delimiter))
        if not widths or widths[0] < 2:
            continue
        score = widths.count(widths[0]) / len(widths) + widths[0] / 1000
        score += 0.5 if prefer_tab and delimiter == "\t" else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best, 0


def _widths(lines: list[str], delimiter: str) -> Iterator[int]:
    """How many cells the first records have, up to the first that can't be read."""
    try:
        yield from (len(record) for record in csv.reader(lines, delimiter=delimiter) if record)
    except csv.Error:
        return


def _records(file: File, delimiter: str, skipped: int) -> Iterator[list[str] | Rejected]:
    """Yield the cells of each record; where quotes are broken, set the first line aside and go on with the next one."""
    csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW))
    with open_text(file) as stream:
        lines = _Lines(islice(bounded_lines(stream, LONGEST_ROW), skipped, None))
        parser = csv.reader(lines, delimiter=delimiter, strict=True)
        while True:
            lines.start_record()
            try:
                yield next(parser)
            except StopIteration:
                return
            except _LongLineError:
                yield reject(file, 0, "data.row_too_long", lines.keep_first(), limit=f"{LONGEST_ROW:,}")
            except (csv.Error, _EndlessRecordError) as error:
                yield reject(file, 0, "data.row_quotes", lines.keep_first(), problem=str(error))


class _EndlessRecordError(Exception):
    """A quote was opened and not closed for thousands of lines."""


class _LongLineError(Exception):
    """A line is too long to be a row."""


class _Line(NamedTuple):
    text: str
    whole: bool


class _Lines:
    """Lines of a file that remember the record they belong to, so that all but its first can be read again."""

    def __init__(self, lines: Iterator[tuple[str, bool]]) -> None:
        self._lines = lines
        self._again: list[_Line] = []
        self._record: list[_Line] = []
        self._size = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self._record) > LONGEST_RECORD or self._size > LONGEST_ROW:
            raise _EndlessRecordError("a quote is opened and not closed")
        line = self._again.pop() if self._again else _Line(*next(self._lines))
        self._record.append(line)
        self._size += len(line.text)
        if not line.whole:
            raise _LongLineError
        return line.text

    def start_record(self) -> None:
        self._record.clear()
        self._size = 0

    def keep_first(self) -> str:
        """Return the first line of the record, and give the others out again."""
        first, *others = self._record or [_Line("", True)]
        self._again.extend(reversed(others))
        return first.text.rstrip("\r\n")


def _estimate(file: File, sample: list[str], delimiter: str) -> int:
    """About how many rows a file has, from the size of its first ones."""
    records = sum(1 for _ in _widths(sample, delimiter))
    size = sum(len(line.encode("utf-8", "surrogateescape")) for line in sample)
    return max(1, round(file.size * records / max(size, 1)) - 1)
