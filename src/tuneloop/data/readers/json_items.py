"""A JSON list cut into its items without reading the whole of it; where an item is broken, the next whole one is found.

`orjson` parses a file as a whole or not at all. Here a file of any size takes the memory of its longest item, and a
missing quote or bracket costs the item it stands in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from tuneloop.data.readers.rows import LONGEST_ROW

LONGEST_ITEM = 64 << 20
"""Bytes that are looked through for the end of an item."""
MOST_TRIES = 500
"""Places that are tried after a broken item."""

TOO_LONG = frozenset({"…"})
"""Stands for keys that were not looked at."""

_QUOTE, _COMMA = b'",'
_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_NESTED = re.compile(_STRING + rb'|[\[\]{}"]', re.DOTALL)
_PLAIN = re.compile(_STRING + rb'|[\[\]{},"]', re.DOTALL)
_BETWEEN = re.compile(rb"[\s,]*")
_NEXT_OBJECT = re.compile(rb"[,\r\n]\s*(?=\{)")
_BLANK = re.compile(rb"\s*")


def split_list(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Cut the text of a JSON list into items.

    Args:
        chunks: the text as UTF-8, piece by piece; it starts with `[`.
    Yields:
        The text of each item, and whether it is an item (False: a broken one, or a bracket that ends the list too early).

    >>> list(split_list(iter([b'[{"a": 1}, {"a": "x}, ', b'{"a": 3}, 4]'])))
    [(b'{"a": 1}', True), (b'{"a": "x}, ', False), (b'{"a": 3}', True), (b'4', True)]
    """
    window = _Window(chunks)
    window.skip(_BLANK)
    window.take(window.place + 1)  # the bracket that opens the list
    keys: frozenset[str] = frozenset()
    while window.skip(_BETWEEN):
        if window.text.startswith(b"]", window.place):
            bracket = window.take(window.place + 1)
            if not window.skip(_BLANK):
                return
            yield bracket, False  # the list ends, and the text goes on
            continue
        end = window.find_end()
        start = window.place
        if end == start:  # a bracket that closes nothing
            yield window.take(start + 1), False
            continue
        found = _keys(window.text, start, end) if end else None
        if end and found is not None and (found or not keys or window.text[start] not in b"{["):
            keys = keys if found is TOO_LONG else found or keys
            yield window.take(end), True
            continue
        again = _next_item(window.text, start + 1, end or len(window.text), keys)
        yield window.take(again or end or len(window.text)), False


class _Window:
    """The part of a text that is looked at, and the place up to which it was used.

    It grows by doubling while no end of an item is in it.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.text = bytearray(next(chunks, b""))
        self.place = 0

    def take(self, end: int) -> bytes:
        """What stands before a place; of what is too long to be a row, the beginning."""
        taken = bytes(self.text[self.place : min(end, self.place + LONGEST_ROW + 1)])
        self.place = end
        return taken

    def skip(self, pattern: re.Pattern[bytes]) -> bool:
        """Pass over what matches, however far it goes; False at the end of the text."""
        while True:
            self.place = _end_of_match(pattern, self.text, self.place)
            if self.place < len(self.text):
                return True
            if not self._grow():
                return False

    def find_end(self) -> int | None:
        """Where the item at the front ends; None if it does not."""
        while True:
            end = _end_of_item(self.text, self.place)
            if end is not None or len(self.text) - self.place > LONGEST_ITEM or not self._grow():
                return end

    def _grow(self) -> bool:
        """Let go of what was used and take in as much again; False at the end of the text."""
        del self.text[: self.place]
        self.place, size = 0, len(self.text)
        while len(self.text) <= 2 * size and (chunk := next(self._chunks, b"")):
            self.text += chunk
        return len(self.text) > size


def _end_of_match(pattern: re.Pattern[bytes], text: bytearray, place: int) -> int:
    match = pattern.match(text, place)
    return match.end() if match else place


def _end_of_item(text: bytearray, start: int) -> int | None:
    """Where the item that starts at `start` ends, as far as quotes and brackets tell."""
    depth = 0
    pattern = _NESTED if text[start] in b"{[" else _PLAIN
    for match in pattern.finditer(text, start):
        token = text[match.start()]
        if token == _QUOTE:
            if match.end() - match.start() == 1:
                return None  # a string that is not closed
        elif token in b"[{":
            depth += 1
        elif token == _COMMA:
            if depth == 0:
                return match.start()
        else:
            if depth == 0:
                return match.start()
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def _next_item(text: bytearray, start: int, end: int, keys: frozenset[str]) -> int | None:
    """Where, from `start` to `end`, the next whole object starts that looks like the ones before."""
    for tries, match in enumerate(_NEXT_OBJECT.finditer(text, start, end)):
        if tries == MOST_TRIES:
            return None
        place = match.end()
        stop = _end_of_item(text, place)
        found = _keys(text, place, stop) if stop else None
        if found is not None and (keys & found if keys else len(found) > 1):
            return place
    return None


def _keys(text: bytearray, start: int, end: int) -> frozenset[str] | None:
    """The keys of the object that stands there, also in a list of its own.

    Returns:
        `TOO_LONG` for what is too long to be a row, nothing for another value, None for what can't be parsed.
    """
    if end - start > LONGEST_ROW:
        return TOO_LONG
    item = text[start:end]
    try:
        value = orjson.loads(item)
    except orjson.JSONDecodeError:
        return TOO_LONG if b"NaN" in item or b"Infinity" in item else None
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return frozenset(value) if isinstance(value, dict) else frozenset()
