"""The end of an evaluation in the terminal: the verdict, the figures, and a few answers side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.text import Text

from tuneloop.cli.tables import VERDICT_STYLES, table
from tuneloop.core.messages import text
from tuneloop.core.records import Evaluation

if TYPE_CHECKING:
    from tuneloop.pipeline.learning_curve import LearningCurve

ANSWERS = 3
"""Questions that are shown with their answers."""

SHOWN = 600
"""Characters of an answer that are shown; the report holds all of it."""


def evaluation_shown(evaluation: Evaluation, answers: int = ANSWERS) -> Iterator[Any]:
    """What a person sees of an evaluation, in order; the verdict comes last, where the eye is."""
    from tuneloop.evaluation.summary import side_by_side, verdict_table

    for question, reference, said in side_by_side(evaluation.path, answers):
        yield _answers(question, reference, said)
    head, *rows = verdict_table(evaluation)
    yield table(f"{text('general.evaluation')} {evaluation.id}", head, rows)
    status = evaluation.verdict.status
    verdict = Text(evaluation.verdict.text)
    yield Panel(verdict, title=text(f"cli.verdict.{status}"), title_align="left", border_style=VERDICT_STYLES[status])
    yield Text(text("cli.report", path=evaluation.path / "report.html"))


def curve_shown(curve: LearningCurve) -> Iterator[Any]:
    """What a person sees of a learning curve: one line a training, and the advice."""
    from tuneloop.evaluation.wording import metric_label, show_figure

    label = metric_label(curve.metric)
    rows = [
        (f"{point.rows:,}", f"{100 * point.share:.0f}%", show_figure(curve.metric, point.value))
        for point in curve.points
    ]
    yield table(text("evaluation.curve", metric=label), (text("evaluation.curve_rows"), "%", label), rows)
    yield Text(curve.text)


def _answers(question: str, reference: str, said: dict[str, str]) -> Panel:
    from tuneloop.evaluation.wording import arm_label

    body = Text()
    for label, answer in [
        *((arm_label(arm), answer) for arm, answer in said.items()),
        (text("cli.reference"), reference),
    ]:
        body.append(f"{label}\n", style="bold cyan").append(f"{_shortened(answer)}\n\n")
    body.rstrip()
    return Panel(body, title=Text(_shortened(question, 100)), title_align="left", border_style="dim")


def _shortened(words: str, length: int = SHOWN) -> str:
    words = words.strip()
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"
