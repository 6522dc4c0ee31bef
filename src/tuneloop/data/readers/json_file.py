"""Reader of .json: a list of records, a list of lists of one record, or an object that holds such a list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tuneloop.core.errors import DataError
from tuneloop.core.records import Rejected
from tuneloop.data.readers.encoding import utf8_chunks
from tuneloop.data.readers.files import File
from tuneloop.data.readers.json_items import split_list
from tuneloop.data.readers.json_lines import read_json_lines
from tuneloop.data.readers.json_row import row_of_json, unwrap
from tuneloop.data.readers.rows import LONGEST_ROW, Row, Rows, reject

LIST_KEYS = ("data", "rows", "examples", "samples", "items", "train")
LARGEST_OBJECT = 256 << 20
"""Bytes of a file that is one object, which is parsed as a whole; a list may have any size."""


def read_json(file: File, sheet: str | None = None) -> Rows:
    """Read a .json file. `sheet` has no meaning here. A file of JSON lines under this name is read as such.

    A list is read item by item: a broken one is set aside, and the others are kept.

    Raises:
        DataError: the file is damaged (code `data.json_damaged`, with line and column), or holds no list of records
            (`data.json_shape`).
    """
    start = next(utf8_chunks(file), b"")
    if start.lstrip().startswith(b"["):
        known = len(start) < file.size
        items = sum(1 for _ in split_list(iter([start])))
        total = round(items * file.size / max(1, len(start))) if known else items
        return Rows(max(1, total), _listed_rows(file))
    content = b"".join(utf8_chunks(file)) if file.size <= LARGEST_OBJECT else file.read(LARGEST_OBJECT)
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        if _is_json_lines(content):
            return read_json_lines(file)
        raise DataError(
            "data.json_damaged", file=file.place, row=error.lineno, column=error.colno, problem=error.msg
        ) from error
    records = _records(file, value)
    return Rows(max(1, len(records)), _rows(file, records))


def _listed_rows(file: File) -> Iterator[Row | Rejected]:
    for number, (item, whole) in enumerate(split_list(utf8_chunks(file)), start=1):
        if not whole or len(item) > LONGEST_ROW:
            shown = item[:10_000].decode("utf-8", "replace")
            code = "data.row_too_long" if whole else "data.item_broken"
            yield reject(file, number, code, shown, limit=f"{LONGEST_ROW:,}")
        else:
            yield row_of_json(file, number, item)


def _is_json_lines(content: bytes) -> bool:
    """Say whether the first line is a whole object, and more follows."""
    first, _, rest = content.lstrip().partition(b"\n")
    if not first.startswith(b"{") or not rest.strip():
        return False
    try:
        return isinstance(orjson.loads(first), dict)
    except orjson.JSONDecodeError:
        return False


def _records(file: File, value: Any) -> list[Any]:
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
    raise DataError("data.json_shape", file=file.place, found=found or "{}")


def _rows(file: File, records: list[Any]) -> Iterator[Row | Rejected]:
    for number, record in enumerate(records, start=1):
        value = unwrap(record)
        if not isinstance(value, dict):
            shown = orjson.dumps(value).decode()
            yield reject(file, number, "data.row_not_object", shown, found=type(value).__name__)
        elif file.size > LONGEST_ROW and len(content := orjson.dumps(value)) > LONGEST_ROW:
            shown = content[:10_000].decode("utf-8", "replace")
            yield reject(file, number, "data.row_too_long", shown, limit=f"{LONGEST_ROW:,}")
        else:
            yield Row(number, value)
