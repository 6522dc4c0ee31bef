"""Where downloaded and converted models live, and how one process at a time fills a place. Torch-free."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from tuneloop.store.cache import cache_folder


def model_folder(name: str) -> Path:
    """Where the model of that name lies when it is in the cache; whole, or not there at all."""
    return cache_folder() / "models" / name


@contextmanager
def filling(final: Path) -> Iterator[bool]:
    """Hold the lock of a place in the cache; give True when it is still to be filled.

    What an interrupted process left beside the place is removed: while the lock is held, nobody is writing there.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(final.parent / f".{final.name}.lock"):
        for left in final.parent.glob(f".{final.name}.*.tmp"):
            shutil.rmtree(left)
        yield not final.exists()
