"""Progress on stderr: bars on a terminal, a line now and then in a log file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tuneloop.core.messages import text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from tuneloop.core.progress import Tracker

LINE_SECONDS = 10.0
"""Without a terminal, a line is written this often."""


class ConsoleProgress:
    """`core.progress.Progress` for a console.

    Args:
        console: where it writes (stderr).
        clock: seconds, for tests.
    """

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._bars: Bars | None = None
        self._open = 0

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def track(self, label: str, total: float | None, unit: str) -> Iterator[Tracker]:
        if not self._console.is_terminal:
            lines = _Lines(self.note, self._clock, label, total, unit)
            try:
                yield lines
            finally:
                lines.finish()
            return
        bars = self._opened()
        task = bars.add_task(label, total=total, unit=unit, figures="")
        try:
            yield _Bar(bars, task)
        finally:
            bars.stop_task(task)
            self._closed()

    def _opened(self) -> Bars:
        """The live display that all open bars share; rich allows one at a time."""
        if self._bars is None:
            self._bars = _new_bars(self._console)
            self._bars.start()
        self._open += 1
        return self._bars

    def _closed(self) -> None:
        self._open -= 1
        if self._open == 0 and self._bars is not None:
            self._bars.stop()
            self._bars = None


class _Bar:
    def __init__(self, bars: Bars, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def advance(self, amount: float = 1, **figures: float | str) -> None:
        if figures:
            self._bars.update(self._task, advance=amount, figures=show_figures(figures))
        else:
            self._bars.update(self._task, advance=amount)


class _Lines:
    """One bar as lines of text: every ten seconds, and once at the end when it took a second or more."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float], label: str, total: float | None, unit: str
    ) -> None:
        self._write, self._clock = write, clock
        self._label, self._total, self._unit = label, total, unit
        self._done = 0.0
        self._figures: dict[str, float | str] = {}
        self._start = self._last = clock()
        self._told = -1.0
        """How much was done when the last line was written."""

    def advance(self, amount: float = 1, **figures: float | str) -> None:
        self._done += amount
        self._figures |= figures
        if self._clock() - self._last >= LINE_SECONDS:
            self._last, self._told = self._clock(), self._done
            self._write(self._line())

    def finish(self) -> None:
        if self._clock() - self._start >= 1.0 and self._told != self._done:
            self._write(self._line())

    def _line(self) -> str:
        elapsed = self._clock() - self._start
        rate = self._done / elapsed if elapsed > 0 else 0.0
        parts = [f"{self._label}: {show_count(self._done, self._total)} {self._unit}"]
        parts += [f"{show_number(rate)} {self._unit}/s", text("cli.elapsed", time=show_seconds(elapsed))]
        if self._total is not None and rate > 0 and self._done < self._total:
            parts.append(text("cli.left", time=show_seconds((self._total - self._done) / rate)))
        return ", ".join(parts) + (f"  {show_figures(self._figures)}" if self._figures else "")


def _new_bars(console: Console) -> Bars:
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Count(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{show_count(task.completed, task.total)} {task.fields['unit']}", style="progress.download")

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{show_number(speed)} {task.fields['unit']}/s", style="cyan")

    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        Count(),
        Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[figures]}", style="dim", markup=False),
        console=console,
    )


def show_count(done: float, total: float | None) -> str:
    """
    >>> show_count(12, 40), show_count(12000, None)
    ('12/40', '12,000')
    """
    return f"{done:,.0f}" if total is None else f"{done:,.0f}/{total:,.0f}"


def show_number(value: float) -> str:
    """A number in about three digits.

    >>> show_number(1234.5), show_number(12.345), show_number(0.01234)
    ('1,234', '12.3', '0.0123')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def show_seconds(seconds: float) -> str:
    """
    >>> show_seconds(9.4), show_seconds(75), show_seconds(3725)
    ('9 s', '1:15', '1:02:05')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def show_figures(figures: dict[str, float | str]) -> str:
    """
    >>> show_figures({"loss": 1.23456, "best": "step 40"})
    'loss 1.23, best step 40'
    """
    shown = {name: value if isinstance(value, str) else show_number(value) for name, value in figures.items()}
    return ", ".join(f"{name} {value}" for name, value in shown.items())
