"""The metrics of a run: metrics.jsonl, one object a step, and the trackers that were asked for beside it."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import TypeAdapter

from tuneloop.core.errors import UsageError
from tuneloop.core.records import Record
from tuneloop.store.artifacts import disk_errors, write_text_atomically

TENSORBOARD = "tensorboard"
"""Written by ourselves: a resumed run continues its curves. All others go through accelerate."""

PACKAGES = {
    "mlflow": "tuneloop[trackers]",
    "trackio": "tuneloop[trackers]",
    "wandb": "wandb",
    "swanlab": "swanlab",
}
"""What pip installs for each tracker that goes through accelerate."""


class StepLine(Record):
    """A line of metrics.jsonl after an optimiser step."""

    step: int
    epoch: float
    tokens: int
    loss: float
    learning_rate: float
    grad_norm: float
    tokens_per_second: float
    memory_bytes: int


class EvaluationLine(Record):
    """A line of metrics.jsonl after an evaluation of the validation split; step 0 is the base model."""

    step: int
    epoch: float
    validation_loss: float


def metrics_schema() -> dict[str, Any]:
    """The JSON schema of a line of metrics.jsonl; it stands in `docs/schema/`."""
    return TypeAdapter[StepLine | EvaluationLine](StepLine | EvaluationLine).json_schema()


class Journal:
    """Appends metrics while a run lasts.

    Args:
        folder: the run's folder.
        step: steps done so far; later lines of an earlier, killed attempt are dropped.
        evaluated: the step of the last evaluation, -1 for none; it may be done again, and must not be told twice.
        report_to: names of trackers.
        settings: what the trackers show as the run's configuration.

    Raises:
        UsageError: a tracker is not installed (code `training.tracker_missing`).
    """

    def __init__(
        self, folder: Path, *, step: int, evaluated: int, report_to: Sequence[str], settings: Mapping[str, Any]
    ) -> None:
        self._folder = folder
        self._path = folder / "metrics.jsonl"
        self._board: Any = None
        self._trackers = _trackers([name for name in report_to if name != TENSORBOARD], folder, settings)
        self._with_board = TENSORBOARD in report_to
        self._open(step, evaluated)

    def _open(self, step: int, evaluated: int) -> None:
        lines = read_metrics(self._path)
        kept = [line for line in lines if line["step"] <= (evaluated if "validation_loss" in line else step)]
        write_text_atomically(self._path, "".join(json.dumps(line) + "\n" for line in kept))
        self._file = self._path.open("a", encoding="utf-8")
        if self._with_board:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self._folder / "tensorboard"), purge_step=step + 1)

    def _close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if self._trackers is not None:
            with _talk_to_stderr():
                for tracker in self._trackers.trackers:  # `end_training` would also part several processes
                    tracker.finish()

    def rewind(self, step: int, evaluated: int) -> None:
        """Drop what was written after a step: the run has gone back to it."""
        self._close()
        self._open(step, evaluated)

    def write(self, figures: dict[str, Any]) -> None:
        """Append one object; it must hold `step`.

        Raises:
            ResourceError: the disk has no room (code `store.disk_full`).
        """
        numbers = {k: v for k, v in figures.items() if k not in ("step", "epoch") and isinstance(v, int | float)}
        with disk_errors(self._folder):
            self._file.write(json.dumps(figures) + "\n")
            self._file.flush()
            for name, value in numbers.items() if self._board is not None else ():
                self._board.add_scalar(name, value, figures["step"])
        if self._trackers is not None and numbers:
            with _talk_to_stderr():
                self._trackers.log(numbers, step=figures["step"])


def _trackers(names: Sequence[str], folder: Path, settings: Mapping[str, Any]) -> Any:
    """An accelerator that logs to trackers, or None when none is asked for."""
    if not names:
        return None
    from accelerate import Accelerator
    from accelerate.tracking import get_available_trackers

    available = {str(tracker) for tracker in get_available_trackers()}
    for name in names:
        if name not in available:
            raise UsageError(
                "training.tracker_missing", name=name, package=PACKAGES[name], installed=_installed(available)
            )
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    accelerator = Accelerator(log_with=list(names), project_dir=str(folder), cpu=True)
    plain = {name: value for name, value in settings.items() if isinstance(value, str | int | float)}
    with _talk_to_stderr():
        accelerator.init_trackers("tuneloop", config=plain)
    return accelerator


def _installed(available: set[str]) -> str:
    return ", ".join([TENSORBOARD, *(name for name in PACKAGES if name in available)])


def _talk_to_stderr() -> AbstractContextManager[Any]:
    """Trackers print to stdout, which belongs to the verb's own output."""
    return redirect_stdout(sys.stderr)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The objects of a metrics.jsonl; a last line that a kill cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    metrics: list[dict[str, Any]] = []
    for number, line in enumerate(lines):
        try:
            metrics.append(json.loads(line))
        except json.JSONDecodeError:
            if number + 1 != len(lines):
                raise
    return metrics
