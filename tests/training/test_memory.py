"""The guard: what is free goes back to the system before more is held than the plan foresaw."""

from __future__ import annotations

import pytest

from tuneloop.core.errors import ResourceError
from tuneloop.training.memory import Budget


class Process:
    """Resident memory that grows by gaps, and shrinks when the gaps are given back."""

    def __init__(self) -> None:
        self.held, self.releases = 100, 0

    def release(self) -> None:
        self.held, self.releases = 110, self.releases + 1


def budget(process: Process, room: int = 1000) -> Budget:
    return Budget(lambda tokens, longest: tokens, lambda: room, lambda: process.held, most=50, release=process.release)


def test_gaps_are_given_back_once_more_is_held_than_the_largest_micro_batch_adds() -> None:
    process = Process()
    guard = budget(process)
    for held, releases in ((100, 0), (150, 0), (151, 1), (130, 1)):
        process.held = held
        guard.check([10, 20])
        assert process.releases == releases


def test_what_was_given_back_counts_as_free() -> None:
    process = Process()
    guard = budget(process, room=25)
    guard.check([10])
    process.held = 400
    guard.check([20, 10])  # 100 + 30 − 110 held after the release: 20 more, and 25 are left
    with pytest.raises(ResourceError):
        guard.check([20, 30])
