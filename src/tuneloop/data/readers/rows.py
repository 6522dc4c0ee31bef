"""What every reader gives: rows with their numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tuneloop.core.messages import text
from tuneloop.core.records import Rejected

SHOWN = 2000
"""Characters of a row that `quarantine.jsonl` keeps."""
LONGEST_ROW = 1 << 20
"""Characters (bytes, before decoding) that a row may have: no model reads as much, and memory stays bounded."""
MOST_EMPTY = 20_000
"""Rows that are looked at to find two that say something."""
MOST_COLUMNS = 16_384
"""Columns that a row may have: what a spreadsheet can hold."""


class Row(NamedTuple):
    """One row as it stands in the file."""

    number: int
    """The row as a person finds it: of a table as a spreadsheet counts (the header is row 1), of .jsonl and text the line,
    of a list (.json, .parquet) its place from 1."""
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """An opened file."""

    total: int
    """About how many rows will come: exact where the format tells, else estimated from the file's size. For progress bars."""
    rows: Iterator[Row | Rejected]
    headerless: bool = False
    """The first line looks like data, so it was read as a row and the columns got made-up names."""


class Named(Protocol):
    """A file, as a path or as a `File`."""

    @property
    def name(self) -> str: ...


def reject(source: Named, row: int, code: str, shown: str | Mapping[str, Any], **values: Any) -> Rejected:
    """Make the quarantine's record of a row; `code` is the reason, `values` fill its message."""
    raw = shown if isinstance(shown, str) else json.dumps(dict(shown), ensure_ascii=False, default=str)
    printable = raw[:SHOWN].encode("utf-8", "replace").decode()
    reason = text(code, **values)
    return Rejected(source=source.name, row=row, code=code, reason=reason, text=printable, values=values)


def first_rows(rows: Iterator[Row | Rejected], count: int) -> list[Row | Rejected]:
    """Take the first rows to look at: `count`, and more where hardly any of them says something.

    A row says something when more than one of its values is there; the search ends after `MOST_EMPTY` rows.
    """
    first: list[Row | Rejected] = []
    telling = 0
    for row in rows:
        first.append(row)
        telling += isinstance(row, Row) and says_something(row.values)
        if len(first) >= count and (telling > 1 or len(first) >= MOST_EMPTY):
            break
    return first


def says_something(values: Mapping[str, Any]) -> bool:
    """Say whether more than one value of a row is there."""
    return sum(1 for value in values.values() if value is not None and not (isinstance(value, str) and not value)) > 1
