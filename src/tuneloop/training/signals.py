"""Ctrl-C and SIGTERM during training: noted at once, acted on between two micro-batches, so that no state is half."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from tuneloop.core.errors import Interrupted, Terminated


@contextmanager
def deferred_signals() -> Iterator[Callable[[], None]]:
    """Give a function that raises `Interrupted` or `Terminated` if such a signal came since the block began.

    A second Ctrl-C raises `KeyboardInterrupt` at once. Outside the main thread signals can't be caught; then the
    function never raises.
    """
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT and signal.SIGINT in came:
            raise KeyboardInterrupt
        came.append(number)

    def check() -> None:
        if signal.SIGTERM in came:
            raise Terminated("general.terminated")
        if came:
            raise Interrupted("general.interrupted")

    if threading.current_thread() is not threading.main_thread():
        yield check
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
