"""One JSON object as a row: what .json and .jsonl share."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

from tuneloop.core.records import Rejected
from tuneloop.data.readers.files import File
from tuneloop.data.readers.rows import MOST_COLUMNS, Row, reject

_KEY = re.compile(rb'"\s*:')


def row_of_json(file: File, number: int, content: bytes) -> Row | Rejected:
    """Parse the JSON of one row; a list that holds one object is that object.

    Args:
        file: the file, for the quarantine.
        number: the row as a person counts it.
        content: UTF-8 bytes.
    """
    shown = content.decode("utf-8", "replace").strip
    try:
        value = unwrap(_parse(content))
    except (ValueError, RecursionError) as error:
        return reject(file, number, "data.line_unreadable", shown(), problem=str(error))
    if not isinstance(value, dict):
        return reject(file, number, "data.row_not_object", shown(), found=type(value).__name__)
    if len(value) > MOST_COLUMNS:
        return reject(file, number, "data.row_too_wide", shown(), found=len(value), limit=MOST_COLUMNS)
    if (key := _repeated_key(content, value)) is not None:
        return reject(file, number, "data.key_repeated", shown(), key=key[:80])
    return Row(number, value)


def unwrap(value: Any) -> Any:
    """Take a record out of a list that holds only it.

    >>> unwrap([{"a": 1}]), unwrap({"a": 1}), unwrap([1, 2])
    ({'a': 1}, {'a': 1}, [1, 2])
    """
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _parse(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # Python's own writer puts NaN and Infinity into JSON, which the standard does not know.
        if b"NaN" not in content and b"Infinity" not in content:
            raise
        return json.loads(content)


def _repeated_key(content: bytes, value: dict[str, Any]) -> str | None:
    """A key that one object has twice with different values: a parser would keep the last one and say nothing.

    Most rows are cleared by counting: a quote before a colon for each key.
    """
    if len(_KEY.findall(content)) <= _count_keys(value):
        return None
    repeated: list[str] = []

    def check(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, item in pairs:
            if key in made and made[key] != item:
                repeated.append(key)
            made[key] = item
        return made

    try:
        json.loads(content, object_pairs_hook=check)
    except RecursionError:  # orjson went as deep as this; what is repeated down there is no text of ours
        return None
    return repeated[0] if repeated else None


def _count_keys(value: Any) -> int:
    """Keys of all objects in a value; counts with a stack, as a value may be nested deeper than Python's calls."""
    count, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            count += len(item)
            stack.extend(part for part in item.values() if isinstance(part, dict | list))
        elif isinstance(item, list):
            stack.extend(part for part in item if isinstance(part, dict | list))
    return count
