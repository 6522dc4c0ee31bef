"""Running out of memory: what it looks like, and a guard that says so before the kernel kills the process.

A GPU raises. A CPU process is killed without a word when its cgroup or the machine is full: so the guard compares what
the next micro-batch will add with what is left, and raises an error of ours that the loop answers like any other.
"""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import torch
from accelerate.utils.memory import should_reduce_batch_size

from tuneloop.core.errors import ResourceError

NO_LIMIT = 1 << 60
"""cgroup v1 writes "no limit" as a number near 2⁶³."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out: ours, Python's, torch's on a GPU or on a CPU."""
    if isinstance(error, ResourceError):
        return error.code == "training.memory_budget"
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and bool(should_reduce_batch_size(error))


def resident_bytes() -> int:
    """Memory that this process holds now."""
    return int(psutil.Process().memory_info().rss)


@dataclass(frozen=True)
class Budget:
    """What the next micro-batch may take.

    The growth of a micro-batch is (resident before the first one + predicted activations) − resident now: memory that
    earlier micro-batches gave back to the allocator is used again and costs nothing.
    """

    predict: Callable[[int, int], int]
    """Bytes of a micro-batch's activations, from its tokens and its longest sample."""
    room: Callable[[], int] = field(default_factory=lambda: Room().left)
    """Bytes that this process may still take."""
    resident: Callable[[], int] = resident_bytes
    base: list[int] = field(default_factory=list)
    """Resident memory before the first micro-batch, once it is known."""
    most: int | None = None
    """Bytes that the plan's largest micro-batch adds; when more than that is held, what is free goes back."""
    release: Callable[[], None] = lambda: None
    """Hands free memory back to the system."""

    def check(self, lengths: Sequence[int]) -> None:
        """Raise when a micro-batch of samples of these lengths would not fit.

        Raises:
            ResourceError: it would not (code `training.memory_budget`).
        """
        now = self.resident()
        if not self.base:
            self.base.append(now)
        if self.most is not None and now > self.base[0] + self.most:
            self.release()
            now = self.resident()
        growth, room = self.base[0] + self.predict(sum(lengths), max(lengths)) - now, self.room()
        if growth > room:
            raise ResourceError("training.memory_budget", needed=growth / 1e9, free=room / 1e9)


class Room:
    """What is left of the machine's memory, of every cgroup above this process, and of RLIMIT_AS.

    Args:
        cgroups: where cgroup file systems are mounted.
        membership: the process's cgroups.
    """

    def __init__(self, cgroups: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")) -> None:
        self._groups = _groups(cgroups, membership)

    def left(self) -> int:
        """Bytes."""
        room = int(psutil.virtual_memory().available)
        for folder, (limit, used, cache) in self._groups:
            # The page cache counts as used, and is given back when it is needed.
            room = min(room, limit - _number(folder / used) + _statistic(folder / "memory.stat", cache))
        address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
        if address_space != resource.RLIM_INFINITY:
            room = min(room, address_space - int(psutil.Process().memory_info().vms))
        return room


_VERSIONS = {
    "memory.max": ("memory.current", "inactive_file"),
    "memory.limit_in_bytes": ("memory.usage_in_bytes", "total_inactive_file"),
}
"""File of the limit, of what is used, and the statistic of what can be given back: cgroup v2 and v1."""


def _groups(root: Path, membership: Path) -> list[tuple[Path, tuple[int, str, str]]]:
    """Folder, limit and file names of every cgroup that bounds this process's memory."""
    found: list[tuple[Path, tuple[int, str, str]]] = []
    lines = membership.read_text(encoding="utf-8").splitlines() if membership.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        top = root / "memory" if controllers else root
        folder = top / path.lstrip("/")
        # In a container the path may be the host's, while only the container's own group is mounted.
        for place in dict.fromkeys([folder, *folder.parents, top]):
            if place != top and top not in place.parents:
                continue
            for file, (used, cache) in _VERSIONS.items():
                limit = _number(place / file)
                if 0 < limit < NO_LIMIT and (place / used).exists():
                    found.append((place, (limit, used, cache)))
    return found


def _number(path: Path) -> int:
    """The number in a file; 0 when there is none (cgroup v2 writes "max")."""
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0


def _statistic(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)
