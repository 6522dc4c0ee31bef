"""Work in forked children that are killed, or whose disk fails at a named place. A kill costs milliseconds."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tuneloop.core.errors import ResourceError
from tuneloop.core.failpoints import hooked
from tuneloop.store.checkpoint import checkpoint_step, newest_checkpoint, prune_checkpoints, save_checkpoint

OK, REFUSED, BROKEN = 0, 5, 99
"""How a child ends: well, with an error of resources, or with anything else."""


@dataclass
class Child:
    """A forked process. `work` gets a function that reports a number to the parent: what it says is done."""

    work: Callable[[Callable[[int], None]], None]
    reports: list[int] = field(default_factory=list)

    def run(self, kill_after: float | None = None) -> int:
        """Wait for the child's end, or kill it after some seconds; the exit status, negative for a signal."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            os._exit(self._child(writer))
        os.close(writer)
        if kill_after is not None:
            time.sleep(kill_after)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with os.fdopen(reader) as pipe:
            lines = pipe.read().split("\n")[:-1]
        self.reports = [int(line) for line in lines]
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def _child(self, writer: int) -> int:
        try:
            self.work(lambda number: os.write(writer, f"{number}\n".encode()) and None)
        except ResourceError:
            return REFUSED
        except BaseException:
            traceback.print_exc()
            return BROKEN
        return OK


class Writer:
    """Saves small checkpoints whose content follows from their step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, step: int, keep: int = 2) -> None:
        from tuneloop.core.failpoints import failpoint

        def write(path: Path) -> None:
            with (path / "adapter.bin").open("wb") as file:
                file.write(self.content(step)[:500])
                failpoint("writer.half")
                file.write(self.content(step)[500:])
            (path / "state.json").write_text(f'{{"step": {step}}}')

        save_checkpoint(self.folder, step, write, config={"seed": 1})
        prune_checkpoints(self.folder, keep=keep)

    @staticmethod
    def content(step: int) -> bytes:
        return bytes((step * 31 + i) % 251 for i in range(1000))

    def newest(self) -> int:
        """The step a start resumes from, after a look at its content; 0 when there is none."""
        found = newest_checkpoint(self.folder)
        if found.path is None:
            return 0
        step = checkpoint_step(found.path)
        assert (found.path / "adapter.bin").read_bytes() == self.content(step)
        return step


def fault(kind: str, place: str, occurrence: int = 1) -> Callable[[str], None]:
    """A hook that kills, or raises EIO or ENOSPC, at the n-th passage of a failpoint."""
    left = [occurrence]

    def hook(name: str) -> None:
        if name != place:
            return
        left[0] -= 1
        if left[0] == 0:
            if kind == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            number = getattr(errno, kind)
            raise OSError(number, os.strerror(number))

    return hook


def places(work: Callable[[], None]) -> list[tuple[str, int]]:
    """Every failpoint that `work` passes, with its occurrence."""
    seen: list[str] = []
    with hooked(seen.append):
        work()
    return [(name, seen[: i + 1].count(name)) for i, name in enumerate(seen)]


@pytest.fixture
def child() -> type[Child]:
    return Child


@pytest.fixture
def quick_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL loses nothing that was handed to the kernel, and syncing is free."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as folder:
        yield Path(folder)


@pytest.fixture
def writer(quick_disk: Path) -> Writer:
    return Writer(quick_disk / "checkpoints")


@pytest.fixture
def faults() -> tuple[Callable[..., Callable[[str], None]], Callable[..., list[tuple[str, int]]]]:
    return fault, places
