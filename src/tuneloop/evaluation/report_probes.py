"""The report's sections about robustness, safety, forgetting, privacy and latency; each is there when it was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tuneloop.core.messages import Language, text
from tuneloop.core.records import Figure
from tuneloop.evaluation.results import Probe, Results
from tuneloop.evaluation.summary import comparison_table
from tuneloop.evaluation.wording import (
    arm_label,
    figure_label,
    metric_label,
    show_bound,
    show_difference,
    show_figure,
    show_p,
    show_value,
)
from tuneloop.store.page import Block, Paragraph, Section, Table, Texts

SHARES = ("resisted", "refused", "accuracy", "repeated", "won", "lost", "tied", "agreed", "first", "unread")
"""Beginnings of figures that are shares."""


def probe_sections(results: Results, timings: Mapping[str, Any], language: Language | None) -> Iterator[Section]:
    """The sections of all probes that were run."""
    probes = results.probes
    if "robustness" in probes:
        yield _robustness(probes["robustness"], language)
    if "safety" in probes:
        details = probes["safety"].details
        control = details["control_tokens"]
        caption = text(
            "evaluation.probe.safety_caption",
            language,
            attempts=details["attempts"],
            strings=control["strings"],
            became=control["became_control"],
        )
        yield _section("safety", (_by_arm(probes["safety"], caption, language),), language)
    if "forgetting" in probes:
        details = probes["forgetting"].details
        caption = text("evaluation.probe.forgetting_caption", language, items=details["items"], texts=details["texts"])
        yield _section("forgetting", (_by_arm(probes["forgetting"], caption, language),), language)
    if "privacy" in probes:
        details = probes["privacy"].details
        key = "privacy_caption" if details.get("canaries") else "scan_caption"
        yield _section(
            "privacy",
            (_by_arm(probes["privacy"], text(f"evaluation.probe.{key}", language, **details), language),),
            language,
        )
    if "judge" in probes:
        (compared,) = probes["judge"].comparisons
        difference = _with_bounds(
            "accuracy", Figure(value=compared.difference, low=compared.low, high=compared.high), language
        )
        caption = text(
            "evaluation.probe.judge_caption",
            language,
            **probes["judge"].details,
            difference=difference,
            p=show_p(compared.p),
        )
        yield _section("judge", (_by_arm(probes["judge"], caption, language),), language)
    if "harness" in probes:
        details = probes["harness"].details
        items = ", ".join(f"{name.rpartition('.')[0]}: {count}" for name, count in details["items"].items())
        caption = text("evaluation.probe.harness_caption", language, items=items)
        head, *lines = comparison_table(probes["harness"].comparisons, language)
        tables: tuple[Block, ...] = (_by_arm(probes["harness"], caption, language),)
        yield _section("harness", (*tables, *([Table(head, tuple(lines))] if lines else [])), language)
    if "latency" in timings:
        yield _latency(timings["latency"], language)


def _robustness(probe: Probe, language: Language | None) -> Section:
    details = probe.details
    metric = details["metric"]
    figures = next(iter(probe.arms.values()))
    rows = [
        (
            text("evaluation.probe.all", language),
            str(details["variants"]),
            show_value(metric, figures["clean"].value),
            show_value(metric, figures["perturbed"].value),
            _with_bounds(metric, figures["drop"], language),
            show_value("exact_match", figures["changed"].value),
        )
    ]
    ordered = sorted(details["perturbations"].items(), key=lambda item: -item[1]["drop"]["value"])
    rows += [
        (
            text(f"evaluation.probe.name.{name}", language),
            str(one["rows"]),
            show_value(metric, one["clean"]),
            show_value(metric, one["perturbed"]),
            _with_bounds(metric, Figure.model_validate(one["drop"]), language),
            show_value("exact_match", one["changed"]["value"]),
        )
        for name, one in ordered
    ]
    columns = ("perturbation", "rows", "clean", "perturbed", "drop", "changed")
    caption = text(
        "evaluation.probe.robustness_caption",
        language,
        variants=details["variants"],
        rows=details["rows"],
        metric=metric_label(metric, language),
    )
    blocks: list[Block] = [
        Table(tuple(text(f"evaluation.probe.{name}", language) for name in columns), tuple(rows), caption)
    ]
    pairs = details["pairs"]
    if pairs["pairs"]:
        same = show_figure("exact_match", Figure.model_validate(pairs["same"]))
        blocks.append(Paragraph(text("evaluation.probe.pairs", language, pairs=pairs["pairs"], share=same)))
    for example in details["examples"]:
        name = text(f"evaluation.probe.name.{example['perturbation']}", language)
        words = {"asked": example["asked"], "question": example["question"], "perturbation": name}
        blocks.append(Paragraph(text("evaluation.probe.example", language, **words)))
        blocks.append(
            Texts(
                (
                    (text("evaluation.probe.clean_answer", language), example["clean"]),
                    (text("evaluation.probe.perturbed_answer", language), example["answer"]),
                )
            )
        )
    return _section("robustness", tuple(blocks), language)


def _by_arm(probe: Probe, caption: str, language: Language | None) -> Table:
    arms = list(probe.arms)
    names = list(next(iter(probe.arms.values())))
    rows = tuple(
        (_figure_label(name, language), *(_shown(name, probe.arms[arm][name]) for arm in arms)) for name in names
    )
    return Table(
        (text("evaluation.probe.figure", language), *(arm_label(arm, language) for arm in arms)), rows, caption
    )


def _figure_label(name: str, language: Language | None) -> str:
    stem, _, rest = name.partition(".")
    if stem == "exposure" and rest:
        return f"{text('evaluation.probe.figure.exposure', language)} ×{rest}"
    return figure_label(name, language)


def _shown(name: str, figure: Figure) -> str:
    return show_figure("exact_match" if name.startswith(SHARES) else name, figure)


def _latency(latency: Mapping[str, Any], language: Language | None) -> Section:
    rows = []
    for arm, measured in latency["arms"].items():
        for streams, one in measured["streams"].items():
            verdict = text(f"evaluation.probe.{'passed' if measured['passed'] else 'failed'}", language)
            rows.append(
                (
                    arm_label(arm, language),
                    streams,
                    f"{one['first_token_ms_p50']:.0f} / {one['first_token_ms_p95']:.0f}",
                    f"{one['between_tokens_ms_p50']:.1f} / {one['between_tokens_ms_p95']:.1f}",
                    f"{one['tokens_per_second']:.0f}",
                    verdict if streams == min(measured["streams"], key=int) else "",
                )
            )
    columns = ("arm", "streams", "first_token", "between_tokens", "tokens_per_second", "bar")
    caption = text("evaluation.probe.latency_caption", language, bar=latency["first_token_bar_ms"])
    table = Table(tuple(text(f"evaluation.probe.{name}", language) for name in columns), tuple(rows), caption)
    return _section("latency", (table,), language)


def _with_bounds(metric: str, figure: Figure, language: Language | None) -> str:
    value = show_difference(metric, figure.value, language)
    if figure.low is None or figure.high is None:
        return value
    return f"{value} ({show_bound(metric, figure.low)} … {show_bound(metric, figure.high)})"


def _section(name: str, blocks: tuple[Block, ...], language: Language | None) -> Section:
    return Section(text(f"evaluation.probe.{name}_title", language), blocks)
