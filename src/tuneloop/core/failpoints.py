"""Named places where a test makes the program fail: be killed, find the disk full, run out of memory.

In production no hook is set, and a failpoint is one comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_hook: Callable[[str], None] | None = None


def failpoint(name: str) -> None:
    """A place with a name; a test's hook may raise here, or end the process."""
    if _hook is not None:
        _hook(name)


@contextmanager
def hooked(hook: Callable[[str], None]) -> Iterator[None]:
    """Within the block, every failpoint calls `hook` with its name.

    >>> seen = []
    >>> with hooked(seen.append):
    ...     failpoint("artifact.renamed")
    >>> seen
    ['artifact.renamed']
    """
    global _hook
    before, _hook = _hook, hook
    try:
        yield
    finally:
        _hook = before
