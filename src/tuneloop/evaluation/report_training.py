"""The report's sections about the training: the rows that it had, and its losses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuneloop.core.messages import Language, text
from tuneloop.core.records import SPLITS
from tuneloop.evaluation.report_plots import COLOURS, figure
from tuneloop.store.page import Pairs, Plot, Section


def data_section(dataset: Path | None, language: Language | None) -> Iterator[Section]:
    """The data card: how many rows were read, kept and divided, and what was found in them."""
    file = None if dataset is None else dataset / "report.json"
    if file is None or not file.is_file():
        return
    told = json.loads(file.read_text(encoding="utf-8"))
    items = [
        (text(f"evaluation.report.data.{name}", language), f"{told[name]:,}")
        for name in ("rows_read", "rows_kept", "rows_quarantined")
        if isinstance(told.get(name), int)
    ]
    splits = told.get("splits") or {}
    rows_of = {name: value.get("rows", value) if isinstance(value, dict) else value for name, value in splits.items()}
    items += [
        (text(f"evaluation.report.data.{name}", language), f"{count:,}")
        for name, count in rows_of.items()
        if isinstance(count, int) and name in SPLITS
    ]
    if items:
        yield Section(text("evaluation.report.data", language), (Pairs(tuple(items)),))


def training_section(run_folder: Path | None, language: Language | None) -> Iterator[Section]:
    """The losses by step, when the run's log is there."""
    log = None if run_folder is None else run_folder / "metrics.jsonl"
    if log is None or not log.is_file():
        return
    steps = list(_log_lines(log))
    curves = []
    for key, label, colour in (
        ("loss", "training_loss", COLOURS[0]),
        ("validation_loss", "validation_loss", COLOURS[2]),
    ):
        points = [(line["step"], line[key]) for line in steps if line.get(key) is not None and "step" in line]
        if points:
            curves.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if len(points) < 40 else "lines",
                    "name": text(f"evaluation.report.{label}", language),
                    "line": {"color": colour},
                    "x": [step for step, _ in points],
                    "y": [loss for _, loss in points],
                }
            )
    if curves:
        plot = figure(curves, xaxis={"title": {"text": text("evaluation.report.step", language)}})
        shown = Plot(plot, text("evaluation.report.training_alt", language))
        yield Section(text("evaluation.report.training", language), (shown,))


def _log_lines(log: Path) -> Iterator[dict[str, Any]]:
    """Lines of a training's log; a last line that was cut short is left out."""
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return
