"""The report of a dataset in the terminal: the same parts as the page, as tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tuneloop.core.messages import Language
from tuneloop.core.records import SPLITS, Sample, Split
from tuneloop.core.show import Grid
from tuneloop.data.census import SHOWN
from tuneloop.data.report import Report
from tuneloop.data.report_page import dataset_sections
from tuneloop.store.page import Block, Callout, Pairs, Paragraph, Plot, Section, Table, Texts
from tuneloop.store.samples import read_samples

TEXT_SHOWN = 160
"""Characters of a long text that are shown."""
MARKS = {"good": "✓", "bad": "!", "neutral": "·"}
BARS = "▁▂▃▄▅▆▇█"


def dataset_grids(folder: Path, value: dict[str, Any]) -> list[Grid]:
    """Tables of a dataset's report; none when it was written by another version.

    Args:
        folder: the dataset.
        value: its `report.json`.
    """
    try:
        report = Report.from_json(value)
    except (ValidationError, KeyError):
        return []
    shown = {split: list(islice(read_samples(folder / f"{split}.jsonl"), SHOWN[split])) for split in SPLITS}
    return report_grids(report, shown)


def report_grids(
    report: Report, shown: Mapping[Split, Sequence[Sample]], language: Language | None = None
) -> list[Grid]:
    """Tables of a report.

    Args:
        report: the report.
        shown: a few samples of each side.
        language: of the words; the interface language when None.
    """
    return [grid for section in dataset_sections(report, shown, language) for grid in _grids(section)]


def _grids(section: Section) -> Iterator[Grid]:
    """The blocks of a section: neighbouring sentences together, each table by itself."""
    title = section.heading
    sentences: list[tuple[str, ...]] = []
    for block in section.blocks:
        if isinstance(block, Callout | Paragraph):
            sentences.append((MARKS[block.status] if isinstance(block, Callout) else "", block.text))
            continue
        if isinstance(block, Table) and block.caption:
            sentences.append(("", block.caption))
        if sentences:
            yield Grid(title, ("", ""), tuple(sentences))
            title, sentences = "", []
        if isinstance(block, Plot) and not block.heights:
            continue
        yield _grid(block, title)
        title = ""
    if sentences:
        yield Grid(title, ("", ""), tuple(sentences))


def _grid(block: Block, title: str) -> Grid:
    if isinstance(block, Table):
        return Grid(title, block.columns, block.rows)
    if isinstance(block, Pairs):
        return Grid(title, ("", ""), block.items)
    if isinstance(block, Texts):
        return Grid(title, ("", ""), tuple((label, _one_line(str(text))) for label, text in block.items))
    assert isinstance(block, Plot)
    return Grid(title, ("", ""), ((block.alt, sparkline(block.heights)),))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= TEXT_SHOWN else f"{line[: TEXT_SHOWN - 1]}…"


def sparkline(heights: Sequence[float]) -> str:
    """Bars of one line.

    >>> sparkline([0, 1, 4, 8])
    ' ▁▄█'
    """
    top = max(heights, default=0) or 1
    return "".join(BARS[max(0, round(height / top * 8) - 1)] if height else " " for height in heights)
