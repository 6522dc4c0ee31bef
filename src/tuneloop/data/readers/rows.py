"""What every reader gives: rows with their numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tuneloop.core.messages import text
from tuneloop.core.records import Rejected

SHOWN = 2000
"""Characters of a row that `quarantine.jsonl` keeps."""


class Row(NamedTuple):
    """One row as it stands in the file."""

    number: int
    """The row as a person counts it: the first data row is 1; for .jsonl it is the line."""
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """An opened file."""

    total: int
    """About how many rows will come: exact where the format tells, else estimated from the file's size. For progress bars."""
    rows: Iterator[Row | Rejected]
    headerless: bool = False
    """The first line looks like data, so it was read as a row and the columns got made-up names."""


def reject(path: Path, row: int, code: str, shown: str | Mapping[str, Any], **values: Any) -> Rejected:
    """Make the quarantine's record of a row; `code` is the reason, `values` fill its message."""
    raw = shown if isinstance(shown, str) else json.dumps(dict(shown), ensure_ascii=False, default=str)
    printable = raw[:SHOWN].encode("utf-8", "replace").decode()
    return Rejected(source=path.name, row=row, code=code, reason=text(code, **values), text=printable)
