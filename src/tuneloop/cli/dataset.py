"""A dataset in the terminal: how many rows, which of them can't be used and why, and what its reader should know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from tuneloop.core.messages import text
from tuneloop.core.records import Dataset

QUARANTINED = 3
"""Rows in quarantine that are shown."""

TOLD_ELSEWHERE = frozenset({"data.advice.quarantine"})
"""Advice whose content is shown anyway."""


def dataset_shown(dataset: Dataset) -> Iterator[Any]:
    """The table of a dataset, the first rows in quarantine, and the warnings of its report."""
    from tuneloop.cli.tables import result_tables
    from tuneloop.data.report import QuarantinedRow

    yield from result_tables(dataset)
    report = dataset.report
    for row in map(QuarantinedRow.model_validate, report.get("quarantined_rows", ())[:QUARANTINED]):
        yield Text(f"! {text('data.row_of_file', file=row.source, number=row.row, reason=row.said())}", "yellow")
    if count := report.get("rows_quarantined", 0):
        yield Text(text("cli.quarantine", count=count, path=dataset.path / "quarantine.jsonl") + "\n")
    for advice in report.get("advice", ()):
        if advice["status"] == "warn" and advice["code"] not in TOLD_ELSEWHERE:
            yield Text(f"! {text(advice['code'], **advice['values'])}", "yellow")
