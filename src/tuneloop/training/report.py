"""The run's report: curves, plan and pre-flight on one offline page."""

from __future__ import annotations

from typing import Any

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Plan
from tuneloop.store.page import Block, Callout, Paragraph, Plot, Section, Table, render_page
from tuneloop.training.state import State

SMOOTHING = 0.9
"""Weight of the past in the smoothed training loss."""
OVERFIT = 0.02
"""A rise of the validation loss by this share after its best point is called overfitting."""


def training_report(name: str, plan: Plan, state: State, metrics: list[dict[str, Any]], language: Language) -> str:
    """Return the page as HTML.

    Args:
        name: of the run.
        plan: with its findings.
        state: at the end.
        metrics: the lines of metrics.jsonl.
        language: of the page.
    """

    def say(key: str, **values: Any) -> str:
        return text(f"training.report.{key}", language, **values)

    summary: list[Block] = [
        Callout(
            "good",
            say(
                "best",
                loss=state.best_loss,
                step=state.best_step,
                steps=state.step,
                seconds=state.seconds,
                speed=state.tokens / max(state.seconds, 1e-9),
                memory=state.peak_memory / 1e9,
            ),
        )
    ]
    rise = overfit_share(state)
    if rise > OVERFIT:
        summary.append(Callout("neutral", say("overfit", rise=rise)))
    if state.stopped_early:
        summary.append(
            Paragraph(text("training.early_stop", language, step=state.step, patience=state.without_improvement))
        )
    choices = tuple((c.name, str(c.value), c.reason) for c in plan.choices)
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


def overfit_share(state: State) -> float:
    """By which share the last validation loss lies above the best one."""
    if not state.history or state.best_loss <= 0:
        return 0.0
    return float(state.history[-1]["validation_loss"] / state.best_loss - 1)


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
    for key, label in (("learning_rate", "rate"), ("grad_norm", "norm"), ("tokens_per_second", "speed")):
        figure = go.Figure()
        figure.add_scatter(x=x, y=[m[key] for m in steps], mode="lines", name=say(label))
        figure.update_layout(xaxis_title=say("step"), yaxis_title=say(label))
        plots.append(Plot(figure.to_json(), say(label)))
    return tuple(plots)
