"""Progress: bars where a person watches, lines where a file listens."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tuneloop.cli.progress import ConsoleProgress, show_seconds


class Clock:
    """Seconds that pass only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def console(*, terminal: bool) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=160, _environ={})


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_without_a_terminal_a_line_is_written_every_ten_seconds_and_at_the_end(clock: Clock) -> None:
    out = console(terminal=False)
    with ConsoleProgress(out, clock).track("training", 100, "steps") as tracker:
        for _ in range(50):
            clock.now += 0.5
            tracker.advance(1, loss=1.23456)
    lines = written(out).splitlines()
    assert lines[0] == "training: 20/100 steps, 2 steps/s, 10 s so far, 40 s left  loss 1.23"
    assert lines[-1].startswith("training: 50/100 steps, 2 steps/s, 25 s so far")
    assert len(lines) == 3


def test_the_last_line_is_not_said_twice(clock: Clock) -> None:
    out = console(terminal=False)
    with ConsoleProgress(out, clock).track("training", 2, "steps") as tracker:
        clock.now += 11
        tracker.advance(2)
    assert written(out).count("\n") == 1


def test_what_is_done_at_once_says_nothing(clock: Clock) -> None:
    out = console(terminal=False)
    with ConsoleProgress(out, clock).track("reading", None, "rows") as tracker:
        tracker.advance(1000)
    assert written(out) == ""


def test_an_unknown_total_and_no_time_at_all_are_no_trouble(clock: Clock) -> None:
    out = console(terminal=False)
    with ConsoleProgress(out, clock).track("reading", None, "rows") as tracker:
        clock.now += 2
        tracker.advance(0)
    assert written(out) == "reading: 0 rows, 0 rows/s, 2 s so far\n"


def test_a_block_that_fails_still_ends_its_bar(clock: Clock) -> None:
    for terminal in (False, True):
        out = console(terminal=terminal)
        progress = ConsoleProgress(out, clock)
        with contextlib.suppress(ZeroDivisionError), progress.track("x", 10, "rows"):
            clock.now += 2
            raise ZeroDivisionError
        with progress.track("y", 10, "rows"):
            clock.now += 2
        assert "y" in written(out)


def test_on_a_terminal_bars_may_stand_within_bars(clock: Clock) -> None:
    out = console(terminal=True)
    progress = ConsoleProgress(out, clock)
    with progress.track("outer [x]", 2, "files") as outer:
        with progress.track("inner", 10, "rows") as inner:
            inner.advance(10, loss="0.5")
        outer.advance(2)
        progress.note("a [bold]note[/bold]")
    shown = written(out)
    for part in ("outer [x]", "inner", "10/10 rows", "loss 0.5", "a [bold]note[/bold]"):
        assert part in shown


@given(st.floats(0, 1e7))
def test_every_time_is_shown_in_a_few_characters(seconds: float) -> None:
    assert 1 <= len(show_seconds(seconds)) <= 10
