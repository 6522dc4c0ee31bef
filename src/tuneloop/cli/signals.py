"""Ctrl-C and SIGTERM while a verb runs.

The first one unwinds the program, so that temporary folders are removed and what was saved stays whole. A stage that can
save first (the training) sets its own handlers for as long as it runs. The second Ctrl-C ends the process at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from tuneloop.core.errors import Interrupted, Terminated
from tuneloop.core.messages import text


class StopRequested(BaseException):
    """SIGTERM arrived. Like KeyboardInterrupt no Exception, so that no library takes it for a failure of its own."""


@contextmanager
def signals_unwind() -> Iterator[None]:
    """Within the block, Ctrl-C raises KeyboardInterrupt and SIGTERM `StopRequested`, both once."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, _on_interrupt)
    signal.signal(signal.SIGTERM, _on_terminate)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stops_calmly(code: str) -> Iterator[None]:
    """Within the block, Ctrl-C and SIGTERM are how the work is meant to end: said in a sentence of its own.

    Args:
        code: of the sentence, with its hint.

    Raises:
        Interrupted, Terminated: the signal came; the exit status is the usual one.
    """
    with _quiet_interrupt():
        try:
            yield
        except KeyboardInterrupt as error:
            raise Interrupted(code) from error
        except StopRequested as error:
            raise Terminated(code) from error


@contextmanager
def _quiet_interrupt() -> Iterator[None]:
    """Within the block, Ctrl-C says nothing before it raises."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _on_interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, _at_once)
    _say("cli.stopping")
    raise KeyboardInterrupt


def _on_terminate(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, _at_once)
    raise StopRequested


def _at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)


def _say(key: str) -> None:
    # os.write, not print: the signal may have arrived in the middle of a print, whose lock is then held.
    os.write(sys.stderr.fileno() if _has_file(sys.stderr) else 2, f"\n{text(key)}\n".encode())


def _has_file(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (OSError, AttributeError, ValueError):
        return False
    return True
