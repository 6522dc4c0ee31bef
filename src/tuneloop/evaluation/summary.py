"""Tables for the terminal, and a few answers side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Comparison, Evaluation
from tuneloop.evaluation.comparison import reading
from tuneloop.evaluation.results import read_predictions
from tuneloop.evaluation.wording import arm_label, metric_label, show_bound, show_difference, show_figure, show_p

Row = tuple[str, ...]


def verdict_table(evaluation: Evaluation, language: Language | None = None) -> list[Row]:
    """Metrics × arms with their intervals, for the terminal; the first row is the head."""
    arms = list(evaluation.arms)
    metrics = list(evaluation.arms[arms[0]])
    head = (text("evaluation.table.metric", language), *(arm_label(arm, language) for arm in arms))
    return [
        head,
        *(
            (metric_label(metric, language), *(show_figure(metric, evaluation.arms[arm][metric]) for arm in arms))
            for metric in metrics
        ),
    ]


def comparison_table(comparisons: Sequence[Comparison], language: Language | None = None) -> list[Row]:
    """One comparison a line: the values' difference with its interval, p, and what it proves; the first row is the head."""
    names = ("comparison", "metric", "difference", "p", "reading")
    head = tuple(text(f"evaluation.table.{name}", language) for name in names)
    return [
        head,
        *(
            (
                text("evaluation.table.versus", language, a=arm_label(c.a, language), b=arm_label(c.b, language)),
                metric_label(c.metric, language),
                f"{show_difference(c.metric, c.difference, language)} "
                f"({show_bound(c.metric, c.low)} … {show_bound(c.metric, c.high)})",
                show_p(c.p).removeprefix("= "),
                text(f"evaluation.reading.{reading(c).replace(' ', '_')}", language),
            )
            for c in comparisons
        ),
    ]


def side_by_side(folder: Path, count: int) -> list[tuple[str, str, dict[str, str]]]:
    """Questions with their reference and every arm's answer, spread evenly over the rows: shown, not picked.

    Args:
        folder: a finished evaluation.
        count: how many at most.

    Returns:
        `(question, reference, {arm: answer})` for each.

    Raises:
        NotFoundError: there are no predictions (code `store.not_found`).
    """
    rows = list(read_predictions(folder))
    count = min(count, len(rows))
    places = [(2 * turn + 1) * len(rows) // (2 * count) for turn in range(count)]
    return [
        (row.question, row.reference, {arm: said.answer for arm, said in row.arms.items()})
        for row in (rows[place] for place in places)
    ]
