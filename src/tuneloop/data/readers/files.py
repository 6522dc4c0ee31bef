"""One file of rows, wherever its bytes come from: a plain file, a compressed one, a member of an archive.

A reader opens it as often as it needs to and reads it from the front; nothing is unpacked onto the disk. What inflates
to far more than it is stored in is refused while it is read.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from typing_extensions import Buffer

from tuneloop.core.errors import DataError

INFLATED_FREELY = 64 << 20
"""Bytes that anything may inflate to."""
INFLATION = 100
"""Beyond that, how many times its stored size a file may inflate to. Text of one kind of row stays below 30."""

DAMAGED = (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError)
"""What reading a damaged archive raises; RuntimeError is zipfile's word for a member that is protected by a password."""


@dataclass(frozen=True, slots=True)
class File:
    """One file of rows."""

    name: str
    """What samples name as their origin, for example `faq.csv` or `faq.zip/cards.csv`."""
    place: str
    """Where it lies, for messages: a path or an address."""
    kind: str
    """Extension that chooses the reader, for example `.csv`."""
    size: int
    """About how many bytes it holds, for progress bars."""
    open: Callable[[], io.BufferedReader]
    """Open it for reading from the front."""
    path: Path | None = None
    """The plain file on this machine, if it is one."""

    def read(self, limit: int) -> bytes:
        """The whole content.

        Raises:
            DataError: it has more than `limit` bytes (code `data.file_too_large`).
        """
        with self.open() as stream:
            content = stream.read(limit + 1)
        if len(content) > limit:
            raise DataError("data.file_too_large", file=self.place, limit=f"{limit >> 20:,}")
        return content


def local_file(path: Path, name: str | None = None) -> File:
    """A file on this machine; `.gz` is taken off, and what is inside is read.

    >>> local_file(Path(__file__)).kind
    '.py'
    """
    name, size = name or path.name, path.stat().st_size
    if path.suffix.lower() != ".gz":
        return File(name, str(path), path.suffix.lower(), size, lambda: path.open("rb"), path)

    def inflate() -> io.BufferedReader:
        return inflating(cast(IO[bytes], gzip.open(path)), str(path), size)

    return File(name, str(path), Path(path.stem).suffix.lower(), size * 4, inflate)


class Inflating(io.RawIOBase):
    """A stream of inflated bytes that stops where there are far more of them than were stored.

    Args:
        stream: the inflated bytes.
        place: the file, for messages.
        stored: its compressed size.
    """

    def __init__(self, stream: IO[bytes], place: str, stored: int) -> None:
        self._stream = stream
        self._place = place
        self._left = allowed_size(stored)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer)
        try:
            chunk = self._stream.read(len(view))
        except DAMAGED as error:
            raise DataError("data.archive_damaged", file=self._place, problem=str(error)) from error
        self._left -= len(chunk)
        if self._left < 0:
            raise DataError("data.inflates", file=self._place, times=INFLATION)
        view[: len(chunk)] = chunk
        return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


def inflating(stream: IO[bytes], place: str, stored: int) -> io.BufferedReader:
    """Guard a stream of inflated bytes (see `Inflating`)."""
    return io.BufferedReader(Inflating(stream, place, stored), 1 << 16)


def allowed_size(stored: int) -> int:
    """How many bytes may come out of `stored` compressed ones."""
    return max(INFLATED_FREELY, INFLATION * stored)
