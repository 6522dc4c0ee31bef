"""Reader of .json: a list of records, a list of lists of one record, or an object that holds such a list."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers.encoding import detect_encoding, open_text
from tuneloop.data.readers.json_lines import read_json_lines, unwrap
from tuneloop.data.readers.rows import Row, Rows, reject

LIST_KEYS = ("data", "rows", "examples", "samples", "items", "train")


def read_json(path: Path, sheet: str | None = None) -> Rows:
    """Read a .json file. `sheet` has no meaning here. A file of JSON lines under this name is read as such.

    Raises:
        DataError: the file is damaged (code `data.json_damaged`, with line and column), or holds no list of records
            (`data.json_shape`).
    """
    content = _content(path)
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if _is_json_lines(content):
            return read_json_lines(path)
        raise DataError(
            "data.json_damaged", file=path, row=error.lineno, column=error.colno, problem=error.msg
        ) from error
    records = _records(path, value)
    return Rows(max(1, len(records)), _rows(path, records))


def _content(path: Path) -> bytes:
    """The file as UTF-8 bytes without a byte-order mark."""
    if detect_encoding(path) in ("utf-8", "utf-8-sig"):
        return path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    with open_text(path) as file:
        return file.read().encode("utf-8", "surrogateescape")


def _is_json_lines(content: bytes) -> bool:
    """Say whether the first line is a whole object, and more follows."""
    first, _, rest = content.lstrip().partition(b"\n")
    if not first.startswith(b"{") or not rest.strip():
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _records(path: Path, value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        lists = {key: item for key, item in value.items() if isinstance(item, list)}
        for key in LIST_KEYS:
            if key in lists:
                return lists[key]
        if len(value) == 1 and lists and not lists.keys() & {"messages", "conversations"}:
            return next(iter(lists.values()))
        if lists or any(isinstance(item, str) for item in value.values()):
            return [value]
    found = ", ".join(list(value)[:5]) if isinstance(value, dict) else type(value).__name__
    raise DataError("data.json_shape", file=path, found=found or "{}")


def _rows(path: Path, records: list[Any]) -> Iterator[Row | Rejected]:
    for number, record in enumerate(records, start=1):
        value = unwrap(record)
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            shown = orjson.dumps(value).decode()
            yield reject(path, number, "data.row_not_object", shown, found=type(value).__name__)
