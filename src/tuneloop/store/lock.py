"""One process at a time: a lock that the kernel holds, so that it ends with the process that took it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tuneloop.core.errors import TryAgainError


@contextmanager
def only_process(folder: Path) -> Iterator[None]:
    """Be the only process that works on a folder, for the length of the block.

    The lock is a file beside the folder; what a killed process leaves of it is taken over.

    Raises:
        TryAgainError: another process is at work (code `store.locked`).
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.parent / f".{folder.name}.lock"
    lock = FileLock(path, timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        pid = path.read_text(encoding="utf-8").strip() or "?"
        raise TryAgainError("store.locked", file=folder, pid=pid) from error
    try:
        path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        yield
    finally:
        lock.release()
