"""How a text file is encoded: UTF-8 first, a guess only when it is not.

A file that is almost all valid UTF-8 is UTF-8 with damaged bytes, not another encoding: the damaged bytes come through
as lone surrogates (`surrogateescape`), so that only the rows that hold them go to quarantine.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO, AnyStr, TextIO

from charset_normalizer import from_bytes

from tuneloop.data.readers.files import File

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CANDIDATES = ["gb18030", "big5"]
_SAMPLE = 1 << 18
_AS_SURROGATE = "tuneloop.surrogate"
codecs.register_error(_AS_SURROGATE, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]
"""`surrogateescape` knows single bytes only; this one is for the wide encodings."""
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def detect_encoding(file: File) -> str:
    """Name the encoding of a text file, as Python's codecs know it.

    A byte-order mark decides; then UTF-8, read to the end; then zero bytes (UTF-16 without a mark); then a guess among
    Windows-1252, GB18030 and Big5 from the lines that are not plain ASCII.
    """
    with file.open() as stream:
        sample = stream.read(_SAMPLE)
    for mark, name in _BOMS.items():
        if sample.startswith(mark):
            return name
    zeros, odd_zeros = sample.count(0), sample[1::2].count(0)
    wide = "utf-16-le" if 2 * odd_zeros >= zeros else "utf-16-be"
    if zeros > len(sample) // 5:
        return wide
    if _is_utf8(file):
        return "utf-8"
    # Chinese text in UTF-16 has few zero bytes: those of its line ends and commas, all in the same half of a pair.
    if zeros >= max(1, sample.count(b"\n")) and odd_zeros in (0, zeros):
        return wide
    return _guess(sample)


def open_text(file: File) -> TextIO:
    """Open a text file in its own encoding, line ends untouched, damaged bytes as lone surrogates."""
    encoding = detect_encoding(file)
    errors = _AS_SURROGATE if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    return io.TextIOWrapper(file.open(), encoding=encoding, errors=errors, newline="")


def utf8_chunks(file: File, size: int = 1 << 20) -> Iterator[bytes]:
    """The file as UTF-8 bytes without a byte-order mark, piece by piece; a UTF-8 file is not decoded at all."""
    if detect_encoding(file) in ("utf-8", "utf-8-sig"):
        with file.open() as stream:
            yield stream.read(size).removeprefix(codecs.BOM_UTF8)
            while chunk := stream.read(size):
                yield chunk
    else:
        with open_text(file) as text:
            while decoded := text.read(size):
                yield decoded.encode("utf-8", "surrogateescape")


def bounded_lines(stream: IO[AnyStr], longest: int) -> Iterator[tuple[AnyStr, bool]]:
    """Lines of a stream, each with whether it is whole: of a longer one than `longest`, the beginning alone is kept.

    >>> list(bounded_lines(io.StringIO("abc\\nabcdefg\\nx"), 4))
    [('abc\\n', True), ('abcde', False), ('x', True)]
    """
    while line := stream.readline(longest + 1):
        whole = len(line) <= longest
        yield line, whole
        while not whole and line and line[-1:] not in ("\n", b"\n"):
            line = stream.readline(longest + 1)


def _is_utf8(file: File) -> bool:
    """Say whether at most half of what is not ASCII fails to decode as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    foreign = damaged = 0
    with file.open() as stream:
        while chunk := stream.read(1 << 20):
            if chunk.isascii() and decoder.getstate()[0] == b"":
                continue
            decoded = decoder.decode(chunk)
            foreign += len(decoded) - len(decoded.encode("ascii", "ignore"))
            damaged += decoded.count("\ufffd")
    damaged += decoder.decode(b"", final=True).count("\ufffd")
    return damaged * 2 <= foreign or foreign == damaged == 0


def _guess(sample: bytes) -> str:
    telling = b"\n".join(line for line in sample.split(b"\n") if not line.isascii())
    runs = _HIGH_RUN.findall(telling)
    # Chinese encodings write pairs of bytes; an accent or a curly quote of Windows-1252 stands alone among ASCII.
    if runs and sum(len(run) == 1 for run in runs) * 2 > len(runs):
        return "cp1252"
    best = from_bytes(telling, cp_isolation=_CANDIDATES).best()
    return best.encoding if best is not None else "gb18030"
