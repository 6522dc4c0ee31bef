"""Tables for the terminal, and a few answers side by side."""

from __future__ import annotations

from pathlib import Path

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Evaluation
from tuneloop.evaluation.results import read_predictions
from tuneloop.evaluation.wording import arm_label, metric_label, show_figure

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
