"""How long work is reported: a small protocol that the command line fills with bars, and notebooks or tests with nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Tracker(Protocol):
    """One running bar."""

    def advance(self, amount: float = 1, **figures: float | str) -> None:
        """Count `amount` more as done, and show `figures` (for example `loss=1.23`) beside the bar."""


class Progress(Protocol):
    """Where long work reports."""

    @contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Tracker]:
        """Open a bar of `total` units (None: unknown) for the length of the block."""
        yield ...  # type: ignore[misc]

    def note(self, text: str) -> None:
        """Tell the reader something in one line."""


class _SilentTracker:
    def advance(self, amount: float = 1, **figures: float | str) -> None:
        """Count nothing."""


class _Silent:
    @contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Tracker]:
        yield _SilentTracker()

    def note(self, text: str) -> None:
        """Say nothing."""


SILENT: Progress = _Silent()
"""Reports nothing: the default of every function."""
