"""What the spreadsheet library does not tell about a sheet: formulas without a stored value, and merged cells.

Only a sheet that has either is looked through cell by cell.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

from tuneloop.core.errors import DataError
from tuneloop.data.readers.archives import LARGEST_DOCUMENT
from tuneloop.data.readers.files import File

_TELLING = re.compile(rb"<(?:\w+:)?(?:f[\s/>]|mergeCell[\s/>])")
_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d+)")
_FIRST_VALUE = re.compile(rb'<(?:\w+:)?c\s[^>]*?\br="[A-Z]{1,3}(\d+)"[^>]*[^/>]>\s*<(?:\w+:)?(?:v|is)[\s>]')
_NOWHERE = 1 << 30


@dataclass(slots=True)
class Grid:
    """Where a sheet's values begin, and what is special about its rows; rows and columns as the sheet counts them."""

    plain: bool = True
    """There is nothing to tell."""
    first_row: int = 1
    first_column: int = 1
    valueless: dict[int, list[str]] = field(default_factory=dict)
    """Cells with a formula and no stored value, by row."""
    merged: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """For the first row of a merged range: its column and its last row."""


def read_grid(file: File, sheet: str | None) -> Grid:
    """Look through a sheet; the first one when `sheet` is None.

    Raises:
        DataError: its XML can't be read (code `data.excel_damaged`).
    """
    source = file.path if file.path is not None else io.BytesIO(file.read(LARGEST_DOCUMENT))
    try:
        with zipfile.ZipFile(source) as archive:
            member = _member_of(archive, sheet)
            if member is None:
                return Grid()
            if not _has_something(archive, member):
                return Grid(first_row=_first_row(archive, member))
            with archive.open(member) as content:
                return _scan(content)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, expat.ExpatError) as error:
        raise DataError("data.excel_damaged", file=file.place, problem=str(error)) from error


def _member_of(archive: zipfile.ZipFile, sheet: str | None) -> str | None:
    """The archive's member that holds a sheet."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {entry.get("Id"): entry.get("Target", "") for entry in relations}
    for entry in book.iterfind(".//{*}sheet"):
        if sheet is None or entry.get("name") == sheet:
            # The strict form of the format has another namespace before the same name.
            relation = next((value for name, value in entry.items() if name.endswith("}id")), None)
            target = targets.get(relation, "")
            name = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl") / target)
            return name if name in archive.namelist() else None
    return None


def _has_something(archive: zipfile.ZipFile, member: str) -> bool:
    before = b""
    with archive.open(member) as content:
        while chunk := content.read(1 << 18):
            if _TELLING.search(before + chunk):
                return True
            before = chunk[-32:]
    return False


def _first_row(archive: zipfile.ZipFile, member: str) -> int:
    """Where the first value of a plain sheet stands; 1 where its beginning does not tell."""
    with archive.open(member) as content:
        found = _FIRST_VALUE.search(content.read(1 << 18))
    return int(found[1]) if found else 1


class _Scanner:
    """Follows the cells of a sheet's XML."""

    def __init__(self) -> None:
        self.first_row = self.first_column = _NOWHERE
        self.valueless: defaultdict[int, list[str]] = defaultdict(list)
        self.merged: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._row = self._column = 0
        self._kind = ""
        self._formula = self._filled = self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._column = 0
        elif name == "c":
            self._column += 1
            if place := _REFERENCE.match(attributes.get("r", "")):
                self._column, self._row = column_number(place[1]), int(place[2])
            self._kind = attributes.get("t", "")
            self._formula = self._filled = False
        elif name == "f":
            self._formula = True
        elif name in ("v", "is"):
            self._in_value = True
            self._filled = self._filled or name == "is" or self._kind in ("s", "str")
        elif name == "mergeCell":
            self._merge(attributes.get("ref", ""))

    def text(self, text: str) -> None:
        if self._in_value:
            self._filled = True

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "is"):
            self._in_value = False
        elif name == "c":
            if self._filled:
                self.first_row = min(self.first_row, self._row)
                self.first_column = min(self.first_column, self._column)
            elif self._formula:
                self.valueless[self._row].append(f"{column_letters(self._column)}{self._row}")

    def _merge(self, reference: str) -> None:
        places = _REFERENCE.findall(reference)
        if len(places) == 2 and int(places[1][1]) > int(places[0][1]):
            self.merged[int(places[0][1])].append((column_number(places[0][0]), int(places[1][1])))


def _scan(content: IO[bytes]) -> Grid:
    scanner = _Scanner()
    parser = expat.ParserCreate()
    parser.StartElementHandler = scanner.start
    parser.EndElementHandler = scanner.end
    parser.CharacterDataHandler = scanner.text
    parser.ParseFile(content)
    return Grid(
        plain=not scanner.valueless and not scanner.merged,
        first_row=scanner.first_row,
        first_column=scanner.first_column,
        valueless=dict(scanner.valueless),
        merged=dict(scanner.merged),
    )


def column_number(letters: str) -> int:
    """The number of a column.

    >>> column_number("A"), column_number("AB")
    (1, 28)
    """
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """The letters of a column.

    >>> column_letters(28)
    'AB'
    """
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
