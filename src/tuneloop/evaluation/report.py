"""The evaluation for people: one HTML file that opens offline, the verdict first, down to single answers.

Everything comes from the files in the evaluation's folder, so a report can be made again in the other language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from tuneloop.core.messages import Language, current_language, text
from tuneloop.core.records import SPLITS
from tuneloop.evaluation.report_answers import answers_changed
from tuneloop.evaluation.report_carried import carried_section
from tuneloop.evaluation.report_probes import probe_sections
from tuneloop.evaluation.results import Results, read_predictions, read_results
from tuneloop.evaluation.summary import comparison_table
from tuneloop.evaluation.wording import (
    PERCENT,
    arm_label,
    losses_elsewhere,
    metric_label,
    show_difference,
    show_figure,
    slice_label,
)
from tuneloop.store.page import Block, Callout, Pairs, Paragraph, Plot, Section, Table, render_page

COLOURS = ("#9aa5b1", "#5b8def", "#1f9d6b", "#c98a1b", "#8e5bd0")
STATUS: dict[str, Literal["good", "bad", "neutral"]] = {"better": "good", "worse": "bad"}


def render_report(
    folder: Path, *, language: Language | None = None, run_folder: Path | None = None, dataset: Path | None = None
) -> str:
    """Render an evaluation's folder as one HTML page.

    Args:
        folder: holds `results.json`, `predictions.jsonl` and `timings.json`.
        language: the interface language by default.
        dataset: its folder, whose `report.json` (if it is there) gives the data card.
        run_folder: of the training, whose `metrics.jsonl` (if it is there) gives the training curve.
    """
    results = read_results(folder)
    predictions = list(read_predictions(folder))
    timings = json.loads((folder / "timings.json").read_text(encoding="utf-8"))
    sections = [
        _verdict(results, language),
        _arms(results, language),
        *_rules(results, language),
        *_fields(results, language),
        *carried_section(results, language),
        _slices(results, language),
        *probe_sections(results, timings, language),
        *_training(run_folder, language),
        *_data(dataset, language),
        *answers_changed(results, predictions, language),
        _times(timings, language),
        _repeat(results, language),
    ]
    title = text("evaluation.report.title", language, name=results.name)
    return render_page(title, sections, language or current_language())


def _verdict(results: Results, language: Language | None) -> Section:
    metric = results.headline.metric
    blocks: list[Block] = [Callout(STATUS.get(results.verdict.status, "neutral"), results.verdict_in(language))]
    blocks += [Callout("bad", loss) for loss in losses_elsewhere(results.comparisons, metric, language)]
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
    head, *lines = comparison_table(results.comparisons, language)
    comparisons = Table(head, tuple(lines), text("evaluation.report.comparisons_caption", language))
    detectable = tuple(
        (
            text("evaluation.table.detectable_against", language, a=arm_label(arm, language)),
            show_difference(results.headline.metric, effect, language, sign=False),
        )
        for arm, effect in results.headline.detectable.items()
    )
    if results.headline.too_few is not None:
        none = text("evaluation.table.detectable_none", language, needed=results.headline.needed)
        detectable = ((text("evaluation.table.detectable", language), none),)
    blocks: tuple[Block, ...] = (table, comparisons, Pairs(detectable)) if results.comparisons else (table,)
    return Section(text("evaluation.report.arms", language), blocks)


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


def _fields(results: Results, language: Language | None) -> Iterator[Section]:
    """What was extracted, field by field."""
    if results.fields:
        arms = list(results.arms)
        rows = tuple(
            (field, *(show_figure("record_match", right[arm]) for arm in arms), str(next(iter(right.values())).n))
            for field, right in results.fields.items()
        )
        columns = (
            text("evaluation.table.field", language),
            *(arm_label(arm, language) for arm in arms),
            text("evaluation.table.rows", language),
        )
        table = Table(columns, rows, text("evaluation.report.fields_caption", language))
        yield Section(text("evaluation.report.fields", language), (table,))


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


def _data(dataset: Path | None, language: Language | None) -> Iterator[Section]:
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
            _speed(cost["tokens_per_second"], language),
            f"{1000 * cost['first_token_p50']:.0f} / {1000 * cost['first_token_p95']:.0f}",
        )
        for arm, cost in timings["arms"].items()
    )
    table = Table(columns, rows, text("evaluation.report.times_caption", language))
    return Section(text("evaluation.report.times", language), (table,))


def _speed(tokens_per_second: float | None, language: Language | None) -> str:
    """Nothing is measured where every answer was there before."""
    if tokens_per_second is None:
        return text("evaluation.report.not_measured", language)
    return f"{tokens_per_second:.0f}"


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
