"""The evaluation for people: one HTML file that opens offline, the verdict first, down to single answers.

Everything comes from the files in the evaluation's folder, so a report can be made again in the other language.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from tuneloop.core.messages import Language, current_language, text
from tuneloop.evaluation.report_answers import answers_changed
from tuneloop.evaluation.report_carried import carried_section
from tuneloop.evaluation.report_plots import colours, figure
from tuneloop.evaluation.report_probes import probe_sections
from tuneloop.evaluation.report_training import data_section, training_section
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
        *training_section(run_folder, language),
        *data_section(dataset, language),
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
    for arm, colour in zip(results.arms, colours(len(results.arms)), strict=True):
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
    return figure(bars, yaxis={"title": {"text": metric_label(metric, language)}, **top}, barmode="group")


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
