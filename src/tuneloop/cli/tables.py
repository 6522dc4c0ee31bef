"""Tables for the terminal, drawn with rich from the same text that `print` and notebooks show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tuneloop.core.records import Plan
from tuneloop.core.show import Grid, grids

STATUS_STYLES = {"pass": "green", "warn": "yellow", "refuse": "bold red"}
VERDICT_STYLES = {"better": "bold green", "worse": "bold red", "not proven": "bold yellow"}


def result_tables(record: Any) -> list[Padding]:
    """The tables of a result (`Dataset`, `Plan`, `Run`, `Evaluation`, `Adapter`)."""
    return [draw(grid) for grid in grids(record)]


def plan_tables(plan: Plan) -> list[Padding]:
    """The plan with its estimates, and the pre-flight with its outcomes in colour."""
    choices, *findings = grids(plan)
    tables = [draw(choices)]
    for grid in findings:
        rows = [
            (check, Text(outcome, style=STATUS_STYLES[finding.status]), said)
            for (check, outcome, said), finding in zip(grid.rows, plan.findings, strict=True)
        ]
        tables.append(table(grid.title, grid.columns, rows))
    return tables


def draw(grid: Grid) -> Padding:
    """One table; nothing in it is read as markup."""
    return table(grid.title, grid.columns, grid.rows)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Padding:
    """A table with a title on the left, few lines, and an empty line below.

    Args:
        title: above the table; none when empty.
        columns: their heads; no head at all when all are empty.
        rows: cells, as plain text or with a style of their own.
    """
    drawn = Table(
        title=Text(title, style="bold") if title else None,
        title_justify="left",
        show_header=any(columns),
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
    )
    for column in columns:
        drawn.add_column(Text(column, style="dim"), overflow="fold")
    for row in rows:
        drawn.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
    return Padding(drawn, (0, 0, 1, 0))


def commands(lead: str, lines: Iterable[str]) -> Text:
    """Commands to try next, each on a line of its own that can be copied whole."""
    return Text(lead + "\n", style="bold").append("\n".join(f"  {line}" for line in lines), style="cyan")
