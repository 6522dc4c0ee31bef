"""Samples on disk: one JSON object a line. Every stage reads a dataset through these functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from tuneloop.core.errors import CorruptError, NotFoundError
from tuneloop.core.records import Sample, Split


def write_samples(path: Path, samples: Iterable[Sample]) -> int:
    """Write samples to a .jsonl file and return how many they were."""
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for sample in samples:
            file.write(sample.model_dump_json(exclude_none=True) + "\n")
            count += 1
    return count


def read_samples(path: Path) -> Iterator[Sample]:
    """Read samples from a .jsonl file that `write_samples` wrote.

    Raises:
        NotFoundError: the file is not there (code `store.not_found`).
        CorruptError: a line is no sample (code `store.sample_unreadable`; names the line).
    """
    if not path.exists():
        raise NotFoundError("store.not_found", file=path)
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            try:
                yield Sample.model_validate_json(line)
            except ValidationError as error:
                raise CorruptError("store.sample_unreadable", file=path, row=number) from error


def read_split(dataset: Path, split: Split) -> list[Sample]:
    """Read one split of a dataset folder."""
    return list(read_samples(dataset / f"{split}.jsonl"))
