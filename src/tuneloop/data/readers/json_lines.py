"""Reader of .jsonl: one JSON object a line; a line that is none is set aside with its number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from tuneloop.core.records import Rejected
from tuneloop.data.readers.encoding import detect_encoding, open_text
from tuneloop.data.readers.rows import Row, Rows, reject


def read_json_lines(path: Path, sheet: str | None = None) -> Rows:
    """Read a .jsonl file. `sheet` has no meaning here."""
    with path.open("rb") as file:
        total = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
    return Rows(max(1, total), _rows(path))


def unwrap(value: Any) -> Any:
    """Take a record out of a list that holds only it.

    >>> unwrap([{"a": 1}]), unwrap({"a": 1}), unwrap([1, 2])
    ({'a': 1}, {'a': 1}, [1, 2])
    """
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _rows(path: Path) -> Iterator[Row | Rejected]:
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            value = unwrap(_parse(line))
        except (ValueError, RecursionError) as error:
            yield reject(path, number, "data.line_unreadable", line.decode("utf-8", "replace"), problem=str(error))
            continue
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            shown = line.decode("utf-8", "replace").strip()
            yield reject(path, number, "data.row_not_object", shown, found=type(value).__name__)


def _lines(path: Path) -> Iterator[bytes]:
    """Lines as UTF-8 bytes; a UTF-8 file, the usual case, is not decoded at all."""
    encoding = detect_encoding(path)
    if encoding in ("utf-8", "utf-8-sig"):
        with path.open("rb") as file:
            for number, line in enumerate(file):
                yield line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line
    else:
        with open_text(path) as text:
            for decoded in text:
                yield decoded.encode("utf-8", "surrogateescape")


def _parse(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError:
        # Python's own writer puts NaN and Infinity into JSON, which the standard does not know.
        if b"NaN" not in line and b"Infinity" not in line:
            raise
        return json.loads(line)
