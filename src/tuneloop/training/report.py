"""The run's report: curves, plan and pre-flight on one offline page."""

from __future__ import annotations

from typing import Any

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Plan
from tuneloop.core.show import show_value
from tuneloop.store.page import Block, Callout, Paragraph, Plot, Section, Table, render_page
from tuneloop.training.curves import OVERFIT, overfit_share
from tuneloop.training.recovery import Recovery
from tuneloop.training.state import State

CURVES = {"learning_rate": "rate", "grad_norm": "norm", "tokens_per_second": "speed", "memory_bytes": "memory"}
"""Figures of every step that get a plot below the losses, and their labels."""
SMOOTHING = 0.9
"""Weight of the past in the smoothed training loss."""


def training_report(
    name: str,
    plan: Plan,
    state: State,
    metrics: list[dict[str, Any]],
    recovery: Recovery,
    language: Language,
    stopped_by: str = "",
) -> str:
    """Return the page as HTML.

    Args:
        name: of the run.
        plan: with its findings.
        state: at the end.
        metrics: the lines of metrics.jsonl.
        recovery: what the run decided by itself.
        language: of the page.
        stopped_by: why the training was given up, when it was.
    """

    def say(key: str, **values: Any) -> str:
        return text(f"training.report.{key}", language, **values)

    summary = _summary(state, say, language, stopped_by)
    if decisions := _decisions(recovery, say):
        summary.append(Table((say("step_short"), say("decision")), decisions))
    choices = tuple((c.name, show_value(c.value), c.reason) for c in plan.choices)
    findings = tuple((f.check, f.status, f.message, f.fix) for f in plan.findings)
    return render_page(
        say("title", name=name),
        [
            Section(say("summary"), tuple(summary)),
            Section(say("curves"), _plots(metrics, say)),
            Section(say("plan"), (Table((say("setting"), say("value"), say("reason")), choices),)),
            Section(say("checks"), (Table((say("check"), say("status"), say("message"), say("fix")), findings),)),
        ],
        language,
    )


def _summary(state: State, say: Any, language: Language, stopped_by: str) -> list[Block]:
    """The headline: how good, how fast, and what a reader should know."""
    speed = state.tokens / max(state.seconds, 1e-9)
    measured = {"seconds": state.seconds, "speed": speed, "memory": state.peak_memory / 1e9}
    summary: list[Block] = [Callout("bad", stopped_by)] if stopped_by else []
    if state.history:
        best = say("best", loss=state.best_loss, step=state.best_step, steps=state.step, **measured)
        summary.append(Callout("neutral" if stopped_by else "good", best))
    rise = overfit_share(state.history)
    if rise > OVERFIT:
        summary.append(Callout("neutral", say("overfit", rise=rise)))
    if state.stopped_early:
        stopped = text("training.early_stop", language, step=state.step, patience=state.without_improvement)
        summary.append(Paragraph(stopped))
    return summary


def _decisions(recovery: Recovery, say: Any) -> tuple[tuple[str, str], ...]:
    """What the run decided by itself, with the step from which it held."""
    smaller = [(s.step, say(f"smaller_{s.place}", tokens=s.tokens)) for s in recovery.smaller]
    back = [
        (r.last, say(f"rollback_{r.reason}", back_to=r.back_to, first=r.first, last=r.last)) for r in recovery.rollbacks
    ]
    return tuple((str(step), what) for step, what in sorted(smaller + back))


def smooth(values: list[float]) -> list[float]:
    """Exponential moving average without start-up bias.

    >>> smooth([2.0, 2.0])
    [2.0, 2.0]
    """
    smoothed, total, weight = [], 0.0, 0.0
    for value in values:
        total = SMOOTHING * total + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        smoothed.append(round(total / weight, 6))
    return smoothed


def _plots(metrics: list[dict[str, Any]], say: Any) -> tuple[Block, ...]:
    import plotly.graph_objects as go

    steps = [m for m in metrics if "loss" in m]
    evaluations = [m for m in metrics if "validation_loss" in m]
    x = [m["step"] for m in steps]
    loss = go.Figure()
    loss.add_scatter(
        x=x, y=[m["loss"] for m in steps], name=say("training"), mode="lines", line={"width": 1}, opacity=0.3
    )
    loss.add_scatter(x=x, y=smooth([m["loss"] for m in steps]), name=say("training") + " (EMA)", mode="lines")
    loss.add_scatter(
        x=[m["step"] for m in evaluations],
        y=[m["validation_loss"] for m in evaluations],
        name=say("validation"),
        mode="lines+markers",
    )
    loss.update_layout(xaxis_title=say("step"), yaxis_title=say("loss"))
    plots: list[Block] = [Plot(loss.to_json(), say("loss"))]
    for key, label in CURVES.items():
        figure = go.Figure()
        figure.add_scatter(x=x, y=[m[key] for m in steps], mode="lines", name=say(label))
        figure.update_layout(xaxis_title=say("step"), yaxis_title=say(label))
        plots.append(Plot(figure.to_json(), say(label)))
    return tuple(plots)
