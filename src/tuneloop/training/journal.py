"""The metrics of a run: metrics.jsonl, one object a step, and TensorBoard beside it."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class Journal:
    """Appends metrics while a run lasts.

    Args:
        folder: the run's folder.
        step: steps done so far; later lines of an earlier, killed attempt are dropped.
        tensorboard: write TensorBoard events too.
    """

    def __init__(self, folder: Path, *, step: int, tensorboard: bool) -> None:
        self._path = folder / "metrics.jsonl"
        kept = [line for line in read_metrics(self._path) if line["step"] <= step]
        self._path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
        self._file = self._path.open("a", encoding="utf-8")
        self._board: Any = None
        if tensorboard:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()

    def write(self, figures: dict[str, Any]) -> None:
        """Append one object; it must hold `step`."""
        self._file.write(json.dumps(figures) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in figures.items():
                if name not in ("step", "epoch"):
                    self._board.add_scalar(name, value, figures["step"])


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
