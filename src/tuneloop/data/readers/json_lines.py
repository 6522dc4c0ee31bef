"""Reader of .jsonl: one JSON object a line; a line that is none is set aside with its number."""

from __future__ import annotations

from collections.abc import Iterator

from tuneloop.core.records import Rejected
from tuneloop.data.readers.encoding import bounded_lines, detect_encoding, open_text
from tuneloop.data.readers.files import File
from tuneloop.data.readers.json_row import row_of_json
from tuneloop.data.readers.rows import LONGEST_ROW, Row, Rows, reject


def read_json_lines(file: File, sheet: str | None = None) -> Rows:
    """Read a .jsonl file. `sheet` has no meaning here."""
    with file.open() as stream:
        total = sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(1 << 20), b""))
    return Rows(max(1, total), _rows(file))


def _rows(file: File) -> Iterator[Row | Rejected]:
    for number, (line, whole) in enumerate(_lines(file), start=1):
        if not whole:
            yield reject(file, number, "data.row_too_long", line[:10_000].decode("utf-8", "replace"), limit=LONGEST_ROW)
        elif line.strip():
            yield row_of_json(file, number, line)


def _lines(file: File) -> Iterator[tuple[bytes, bool]]:
    """Lines as UTF-8 bytes, each with whether it is whole; a UTF-8 file, the usual case, is not decoded at all."""
    if detect_encoding(file) in ("utf-8", "utf-8-sig"):
        with file.open() as stream:
            for number, (line, whole) in enumerate(bounded_lines(stream, LONGEST_ROW)):
                yield (line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line), whole
    else:
        with open_text(file) as text:
            for decoded, whole in bounded_lines(text, LONGEST_ROW):
                yield decoded.encode("utf-8", "surrogateescape"), whole
