"""Samples on disk between reading and writing: the memory holds where each begins, and its keys."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from tuneloop.core.records import Sample, Split
from tuneloop.data.keys import Keys
from tuneloop.data.mask import Masker

BUFFER = 1 << 20


class Spool:
    """A file of samples that grows, and is read again in any order.

    Args:
        path: the file; it is made, and belongs to the caller's temporary folder.
        keys: gets every sample.
        masker: masks every sample that no grammar made, before it reaches the disk.
    """

    def __init__(self, path: Path, keys: Keys, masker: Masker) -> None:
        self._file = path.open("w+b", buffering=BUFFER)
        self._starts = array("Q", [0])
        self.keys = keys
        self._masker = masker

    def add(self, sample: Sample, own: Split | None, *, foreign: bool = False, made: bool = False) -> None:
        """Append a sample.

        Args:
            sample: the sample, clean.
            own: the side that its source puts it on.
            foreign: it is of an evaluation set, only to be compared with.
            made: a grammar made it.
        """
        if not made:
            sample = self._masker.sample(sample, counted=not foreign)
        line = sample.model_dump_json(exclude_none=True).encode() + b"\n"
        self._file.write(line)
        self._starts.append(self._starts[-1] + len(line))
        self.keys.add(sample, own, foreign=foreign, made=made)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> Sample:
        start, end = self._starts[number], self._starts[number + 1]
        return Sample.model_validate_json(os.pread(self._file.fileno(), end - start, start))

    def read(self, numbers: Iterable[int]) -> Iterator[Sample]:
        """The samples of some numbers; cheapest in their order."""
        self.written()
        return (self[number] for number in numbers)

    def written(self) -> None:
        """Hand everything to the disk, so that it can be read."""
        self._file.flush()

    def close(self) -> None:
        self._file.close()
