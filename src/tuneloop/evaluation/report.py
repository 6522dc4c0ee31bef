"""The evaluation for people: one HTML file that opens offline, the verdict first, down to single answers.

Everything comes from the files in the evaluation's folder, so a report can be made again in the other language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from tuneloop.core.messages import Language, current_language, text
from tuneloop.core.records import Comparison
from tuneloop.evaluation.comparison import pairs_of
from tuneloop.evaluation.metrics import BINARY
from tuneloop.evaluation.report_probes import probe_sections
from tuneloop.evaluation.results import Prediction, Results, Said, read_predictions, read_results
from tuneloop.evaluation.wording import (
    PERCENT,
    arm_label,
    metric_label,
    show_bound,
    show_difference,
    show_figure,
    show_p,
    show_value,
    slice_label,
)
from tuneloop.store.page import Block, Callout, Pairs, Paragraph, Plot, Section, Table, Texts, render_page

SHOWN_ANSWERS = 10
COLOURS = ("#9aa5b1", "#5b8def", "#1f9d6b", "#c98a1b", "#8e5bd0")
STATUS: dict[str, Literal["good", "bad", "neutral"]] = {"better": "good", "worse": "bad"}


def render_report(folder: Path, *, language: Language | None = None, run_folder: Path | None = None) -> str:
    """Render an evaluation's folder as one HTML page.

    Args:
        folder: holds `results.json`, `predictions.jsonl` and `timings.json`.
        language: the interface language by default.
        run_folder: of the training, whose `metrics.jsonl` (if it is there) gives the training curve.
    """
    results = read_results(folder)
    predictions = list(read_predictions(folder))
    timings = json.loads((folder / "timings.json").read_text(encoding="utf-8"))
    sections = [
        _verdict(results, language),
        _arms(results, language),
        *_rules(results, language),
        _slices(results, language),
        *probe_sections(results, timings, language),
        *_training(run_folder, language),
        *_answers(results, predictions, language),
        _times(timings, language),
        _repeat(results, language),
    ]
    title = text("evaluation.report.title", language, name=results.name)
    return render_page(title, sections, language or current_language())


def _verdict(results: Results, language: Language | None) -> Section:
    metric = results.headline.metric
    blocks: list[Block] = [Callout(STATUS.get(results.verdict.status, "neutral"), results.verdict_in(language))]
    blocks += [Callout("bad" if "leak" in w.code else "neutral", w.message(language)) for w in results.warnings]
    label = metric_label(metric, language)
    caption = text("evaluation.report.headline_plot", language, metric=label, rows=results.rows)
    blocks += [Plot(_headline_figure(results, language), caption), Paragraph(caption)]
    return Section(text("evaluation.report.verdict", language), tuple(blocks))


def _headline_figure(results: Results, language: Language | None) -> str:
    """Bars of the headline with their intervals: all rows, and seen and unseen apart where rows tell."""
    metric = results.headline.metric
    scale = 100 if metric in PERCENT else 1
    cuts = [cut for cut in ("all", "seen", "unseen") if cut in results.slices]
    bars = []
    for arm, colour in zip(results.arms, _colours(len(results.arms)), strict=True):
        shown = [results.slices[cut][arm][metric] for cut in cuts]
        bounds = [(f.value if f.low is None else f.low, f.value if f.high is None else f.high) for f in shown]
        bars.append(
            {
                "type": "bar",
                "name": arm_label(arm, language),
                "marker": {"color": colour},
                "x": [f"{slice_label(cut, language)} (n = {f.n})" for cut, f in zip(cuts, shown, strict=True)],
                "y": [scale * f.value for f in shown],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [scale * (high - f.value) for f, (_, high) in zip(shown, bounds, strict=True)],
                    "arrayminus": [scale * (f.value - low) for f, (low, _) in zip(shown, bounds, strict=True)],
                },
                "hovertext": [show_figure(metric, f) for f in shown],
                "hoverinfo": "name+text",
            }
        )
    top = {"range": [0, 105], "ticksuffix": "%"} if metric in PERCENT else {"rangemode": "tozero"}
    return _figure(bars, yaxis={"title": {"text": metric_label(metric, language)}, **top}, barmode="group")


def _arms(results: Results, language: Language | None) -> Section:
    arms = list(results.arms)
    metrics = list(results.arms[arms[0]])
    table = Table(
        (text("evaluation.table.metric", language), *(arm_label(arm, language) for arm in arms)),
        tuple(
            (metric_label(metric, language), *(show_figure(metric, results.arms[arm][metric]) for arm in arms))
            for metric in metrics
        ),
        text("evaluation.report.arms_caption", language),
    )
    columns = tuple(text(f"evaluation.table.{name}", language) for name in ("comparison", "metric", "difference", "p"))
    comparisons = Table(
        columns,
        tuple(_comparison_row(comparison, language) for comparison in results.comparisons),
        text("evaluation.report.comparisons_caption", language),
    )
    detectable = tuple(
        (
            text("evaluation.table.detectable_against", language, a=arm_label(arm, language)),
            show_difference(results.headline.metric, effect, language, sign=False),
        )
        for arm, effect in results.headline.detectable.items()
    )
    blocks: tuple[Block, ...] = (table, comparisons, Pairs(detectable)) if results.comparisons else (table,)
    return Section(text("evaluation.report.arms", language), blocks)


def _comparison_row(comparison: Comparison, language: Language | None) -> tuple[str, ...]:
    metric = comparison.metric
    low, high = (show_bound(metric, bound) for bound in (comparison.low, comparison.high))
    return (
        text(
            "evaluation.table.versus",
            language,
            a=arm_label(comparison.a, language),
            b=arm_label(comparison.b, language),
        ),
        metric_label(metric, language),
        f"{show_difference(metric, comparison.difference, language)} ({low} … {high})",
        show_p(comparison.p).removeprefix("= "),
    )


def _rules(results: Results, language: Language | None) -> Iterator[Section]:
    if results.rules:
        arms = list(results.arms)
        rows = tuple(
            (
                f"{rule} ({_hardness(rule, results, language)})",
                *(show_figure("script_compliance", kept[arm]) for arm in arms),
                str(next(iter(kept.values())).n),
            )
            for rule, kept in results.rules.items()
        )
        columns = (
            text("evaluation.table.rule", language),
            *(arm_label(arm, language) for arm in arms),
            text("evaluation.table.rows", language),
        )
        table = Table(columns, rows, text("evaluation.report.rules_caption", language))
        yield Section(text("evaluation.report.rules", language), (table,))


def _hardness(rule: str, results: Results, language: Language | None) -> str:
    return text("evaluation.table.hard" if rule in results.hard_rules else "evaluation.table.soft", language)


def _slices(results: Results, language: Language | None) -> Section:
    metric = results.headline.metric
    arms = list(results.arms)
    rows = tuple(
        (
            slice_label(cut, language),
            str(next(iter(by_arm.values()))[metric].n),
            *(show_figure(metric, by_arm[arm][metric]) for arm in arms),
        )
        for cut, by_arm in results.slices.items()
    )
    columns = (
        text("evaluation.table.slice", language),
        text("evaluation.table.rows", language),
        *(arm_label(arm, language) for arm in arms),
    )
    caption = text("evaluation.report.slices_caption", language, metric=metric_label(metric, language))
    return Section(text("evaluation.report.slices", language), (Table(columns, rows, caption),))


def _training(run_folder: Path | None, language: Language | None) -> Iterator[Section]:
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
        figure = _figure(curves, xaxis={"title": {"text": text("evaluation.report.step", language)}})
        plot = Plot(figure, text("evaluation.report.training_alt", language))
        yield Section(text("evaluation.report.training", language), (plot,))


def _log_lines(log: Path) -> Iterator[dict[str, Any]]:
    """Lines of a training's log; a last line that was cut short is left out."""
    for line in log.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            return


def _answers(results: Results, predictions: Sequence[Prediction], language: Language | None) -> Iterator[Section]:
    """The answers that the headline metric changed most, for the better and for the worse."""
    pairs = pairs_of(list(results.arms))
    if not pairs:
        return
    a, b = pairs[0]
    metric = results.headline.metric
    changes = [(_change(row, a, b, metric), row) for row in predictions]
    better = sorted((item for item in changes if item[0][0] > 0), key=lambda item: (item[0], item[1].id), reverse=True)
    worse = sorted((item for item in changes if item[0][0] < 0), key=lambda item: (item[0], item[1].id))
    for heading, chosen in (("improved", better), ("worsened", worse)):
        shown = chosen[:SHOWN_ANSWERS]
        names = {"baseline": arm_label(a, language), "metric": metric_label(metric, language)}
        counted = text(f"evaluation.report.{heading}_count", language, count=len(chosen), shown=len(shown), **names)
        blocks: list[Block] = [Paragraph(counted)]
        for number, (_, row) in enumerate(shown, start=1):
            blocks += [Paragraph(_row_heading(number, row, language)), _side_by_side(row, results, language)]
        yield Section(text(f"evaluation.report.{heading}", language), tuple(blocks))


def _change(row: Prediction, a: str, b: str, metric: str) -> tuple[float, float]:
    """How much a row changed by the headline, and by the other metrics where that is equal."""
    before, after = row.arms[a].scores, row.arms[b].scores
    others = [name for name in after if name not in (metric, "answer_tokens", "ended")]
    return after[metric] - before[metric], sum(after[name] - before[name] for name in others)


def _row_heading(number: int, row: Prediction, language: Language | None) -> str:
    """Number and id of a row, and what its tags say of it."""
    tags = [f"{tag}={row.tags[tag]}" for tag in ("intent", "kind") if tag in row.tags]
    unseen = ["unseen"] if row.tags.get("seen") == "no" else []
    return " · ".join([str(number), row.id, *(slice_label(name, language) for name in [*tags, *unseen])])


def _score(metric: str, score: float) -> str:
    """One row's score: right or wrong is a mark, no percentage."""
    return ("✓" if score > 0.5 else "✗") if metric in BINARY else show_value(metric, score)


def _side_by_side(row: Prediction, results: Results, language: Language | None) -> Texts:
    """One row: question, reference, and every arm's answer with its score and broken rules."""
    metric = results.headline.metric
    items = [
        (text("evaluation.report.question", language), _conversation(row, language)),
        (text("evaluation.report.reference", language), row.reference),
    ]
    for arm, said in row.arms.items():
        label = text(
            "evaluation.report.answer",
            language,
            arm=arm_label(arm, language),
            metric=metric_label(metric, language),
            value=_score(metric, said.scores[metric]),
        )
        items.append((label, _answer_text(said, language)))
    return Texts(tuple(items))


def _answer_text(said: Said, language: Language | None) -> str:
    shown = said.answer or text("evaluation.report.empty_answer", language)
    broken = [f"✗ {fault.rule}: {fault.reason}" for fault in said.violations]
    return "\n\n".join([shown, "\n".join(broken)]) if broken else shown


def _conversation(row: Prediction, language: Language | None) -> str:
    """The question; in a conversation, everything that was said before it too."""
    said = [message for message in row.messages if message.role != "system"]
    if len(said) == 1:
        return row.question
    return "\n".join(f"{text(f'evaluation.report.role.{m.role}', language)}: {m.content}" for m in said)


def _times(timings: dict[str, Any], language: Language | None) -> Section:
    columns = (
        "",
        *(text(f"evaluation.report.{name}", language) for name in ("generated", "reused", "seconds")),
        text("evaluation.unit_tokens", language),
        text("evaluation.report.first_token", language),
    )
    rows = tuple(
        (
            arm_label(arm, language),
            str(cost["generated"]),
            str(cost["reused"]),
            f"{cost['seconds']:.1f}",
            "–" if cost["tokens_per_second"] is None else f"{cost['tokens_per_second']:.0f}",
            f"{1000 * cost['first_token_p50']:.0f} / {1000 * cost['first_token_p95']:.0f}",
        )
        for arm, cost in timings["arms"].items()
    )
    table = Table(columns, rows, text("evaluation.report.times_caption", language))
    return Section(text("evaluation.report.times", language), (table,))


def _repeat(results: Results, language: Language | None) -> Section:
    made_of = dict(results.made_of)
    scored, all_rows = made_of.pop("rows")
    versions = ", ".join(f"{package} {number}" for package, number in made_of.pop("versions").items())
    items = [(text(f"evaluation.report.origin.{name}", language), str(value)) for name, value in made_of.items()]
    items.append((text("evaluation.report.origin.rows", language), f"{scored} / {all_rows}"))
    items += [
        (text("evaluation.report.origin.signature", language, metric=metric_label(metric, language)), signature)
        for metric, signature in results.signatures.items()
    ]
    items.append((text("evaluation.report.origin.versions", language), versions))
    return Section(text("evaluation.report.repeat", language), (Pairs(tuple(items)),))


def _colours(count: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(count)]


def _figure(traces: list[dict[str, Any]], **layout: Any) -> str:
    """A plotly figure as JSON."""
    margins = {"l": 60, "r": 20, "t": 20, "b": 50}
    frame = {"template": "none", "margin": margins, "height": 360, "legend": {"orientation": "h", "y": 1.12}}
    return json.dumps({"data": traces, "layout": {**frame, **layout}}, ensure_ascii=False)
