"""From answers to figures: scores of each row, their means with intervals, and the same for slices of the rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tuneloop.core.records import Figure, Sample
from tuneloop.core.seeds import derive_seed
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.clusters import design_effect
from tuneloop.evaluation.extraction import RECORD_METRICS, RecordSchema, judge_records, right_fields
from tuneloop.evaluation.facts import invented
from tuneloop.evaluation.labels import label_statistics, macro_f1, parse_label
from tuneloop.evaluation.metrics import BINARY, METRICS, POOLED, repetition
from tuneloop.evaluation.script import Script, Violation, check, judges
from tuneloop.evaluation.similarity import LIKENESS, likeness
from tuneloop.evaluation.statistics import Array, Estimate, bootstrap, by_unit, mean, per_row, wilson
from tuneloop.text.words import has_han, split_characters

if TYPE_CHECKING:  # summaries of finished evaluations need no torch
    from tuneloop.models.encoder import Encoder

DESCRIBED = ("answer_tokens", "repetition")
"""What is told of answers and not compared: more is neither better nor worse."""

SliceOf = Callable[[Sample], str | None]
"""From a row to the name of its slice; None: it is in none of this kind."""


def _tag(name: str) -> SliceOf:
    return lambda row: f"{name}={row.meta.tags[name]}" if row.meta.tags.get(name) else None


def _seen(row: Sample) -> str | None:
    return {"yes": "seen", "no": "unseen"}.get(row.meta.tags.get("seen", ""))


def _turns(row: Sample) -> str:
    return "multi-turn" if any(message.role == "assistant" for message in row.prompt) else "single-turn"


def _turn(row: Sample) -> str | None:
    """Which turn of its conversation a row answers, from the second one on."""
    before = sum(message.role == "assistant" for message in row.prompt)
    return f"turn={before + 1}" if before else None


def _length(row: Sample) -> str:
    """Short up to 10 words, medium up to 30; a Chinese character counts as half a word."""
    question = row.question
    count = len(split_characters(question)) / (2 if has_han(question) else 1)
    return "short" if count <= 10 else "medium" if count <= 30 else "long"


def _noisy(row: Sample) -> str | None:
    """What a tag says of typing errors; `noise` and `typo` are what the demos and common datasets call it."""
    said = row.meta.tags.get("typo") or row.meta.tags.get("noise")
    return None if said is None else "clean" if said.lower() in ("no", "none", "false", "0") else "noisy"


SLICES: dict[str, SliceOf] = {
    "seen": _seen,
    "kind": _tag("kind"),
    "noisy": _noisy,
    "turns": _turns,
    "turn": _turn,
    "length": _length,
    "language": lambda row: f"language={row.meta.lang}" if row.meta.lang else None,
    "intent": _tag("intent"),
}
"""Ways to cut the rows, in the order of the report. To add one, add a line."""


@dataclass(frozen=True)
class Rows:
    """What is scored, and how."""

    samples: Sequence[Sample]
    units: Sequence[str]
    """What each row hangs together with: its conversation, and near-duplicates of it."""
    metrics: Sequence[str]
    """Names out of METRICS, in the order of the report."""
    script: Script | None
    language: str
    """Of rows that don't name theirs."""
    seed: int
    candidates: Sequence[tuple[str, ...]] | None = None
    """The answers that each row may get; None: any."""
    labelled: bool = False
    """All rows share one label set."""
    records: bool = False
    """Answers are records in JSON."""
    schema: RecordSchema | None = None
    """What such records must fit."""

    encoder: Encoder | None = None
    """Compares meanings, where the recipe names one."""

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics that arms are compared by."""
        if self.candidates is not None:  # a label always ends, is never long, and keeps to no script's form
            return tuple(self.metrics)
        grounded = ("grounded",) if "fact_recall" in self.metrics else ()
        near = LIKENESS if self.encoder is not None else ()
        return (*(("script_compliance",) if self.script else ()), *self.metrics, *grounded, *near, "ended")

    @property
    def reported(self) -> tuple[str, ...]:
        """The metrics with a figure: those compared, and what only describes an answer."""
        return self.compared if self.candidates is not None else (*self.compared, *DESCRIBED)

    @property
    def draw(self) -> int:
        """Seed of the resamples: one for all, so that every figure rests on the same draws."""
        return derive_seed(self.seed, "evaluation", "resamples")


@dataclass(frozen=True)
class Scored:
    """One arm's answers with their scores, in the order of the rows."""

    answers: tuple[Answer, ...]
    scores: dict[str, list[float]]
    """By metric, a score for each row."""
    statistics: dict[str, Array]
    """By metric, what is summed over rows: shape `(n, d)`."""
    violations: tuple[tuple[Violation, ...], ...]


def language_of(row: Sample, default: str) -> str:
    """A row's own language, else the dataset's."""
    return row.meta.lang or default


def score_arm(rows: Rows, answers: Sequence[Answer], references: Sequence[Answer] | None = None) -> Scored:
    """Score one arm's answers, one for each row.

    Args:
        rows: what was asked.
        answers: in the order of the rows.
        references: how likely the arm held each row's reference, if that was asked.
    """
    triples = [
        (answer.text, row.answer, language_of(row, rows.language))
        for row, answer in zip(rows.samples, answers, strict=True)
    ]
    violations: tuple[tuple[Violation, ...], ...] = ()
    scores: dict[str, list[float]] = {}
    if rows.script is not None:
        violations = tuple(
            check(rows.script, row, answer.text, answer.finish_reason)
            for row, answer in zip(rows.samples, answers, strict=True)
        )
        scores["script_compliance"] = [float(not any(fault.hard for fault in faults)) for faults in violations]
    scores |= {metric: [METRICS[metric](*triple) for triple in triples] for metric in rows.metrics if metric in METRICS}
    meant = _meant(rows, answers)
    if meant is not None:
        # A row is right or wrong; F1 knows labels only.
        right = [float(label == row.answer.strip()) for label, row in zip(meant, rows.samples, strict=True)]
        scores |= {metric: right for metric in LABEL_METRICS if metric in rows.metrics}
    if rows.encoder is not None:
        scores |= likeness(rows.encoder, [triple[0] for triple in triples], [triple[1] for triple in triples])
    if rows.records:
        judged = judge_records([triple[0] for triple in triples], [triple[1] for triple in triples], rows.schema)
        scores |= judged.scores
    if "fact_recall" in rows.metrics:
        scores["grounded"] = [
            float(not invented(answer.text, "\n".join(message.content for message in row.messages)))
            for row, answer in zip(rows.samples, answers, strict=True)
        ]
    scores["ended"] = [float(answer.finish_reason == "stop") for answer in answers]
    scores["answer_tokens"] = [float(answer.tokens) for answer in answers]
    scores["repetition"] = [repetition(*triple) for triple in triples]
    statistics = {metric: per_row(values) for metric, values in scores.items()}
    for metric in POOLED.keys() & scores.keys():
        statistics[metric] = np.array([POOLED[metric].statistics(*triple) for triple in triples], dtype=np.float64)
    if rows.records:
        statistics["field_f1"] = judged.statistics
    if meant is not None and "macro_f1" in rows.metrics:
        statistics["macro_f1"] = label_statistics(meant, [row.answer.strip() for row in rows.samples])
    if references is not None:
        likelihoods = [(-sum(answer.log_probabilities), answer.tokens + 1.0) for answer in references]
        statistics["perplexity"] = np.array(likelihoods, dtype=np.float64)
        scores["perplexity"] = [float(perplexity(np.array(pair))) for pair in likelihoods]
    return Scored(tuple(answers), scores, statistics, violations)


def _meant(rows: Rows, answers: Sequence[Answer]) -> list[str | None] | None:
    """The candidate that each answer means; None where answers are free."""
    if rows.candidates is None:
        return None
    return [parse_label(answer.text, labels) for answer, labels in zip(answers, rows.candidates, strict=True)]


def perplexity(sums: Array) -> Array:
    """Perplexity from sums of negative log-probabilities and tokens, shape `(..., 2)`."""
    value: Array = np.exp(np.minimum(sums[..., 0] / sums[..., 1], 700.0))
    return value


LABEL_METRICS: dict[str, Estimate] = {"accuracy": mean, "macro_f1": macro_f1}
"""What answers out of a few candidates are judged by, and how sums become the value."""

TASK_METRICS: dict[str, Estimate] = {**LABEL_METRICS, **RECORD_METRICS}
"""Metrics that only answers of one task have."""


def estimate_of(metric: str) -> Estimate:
    """How a metric's sums become its value."""
    if metric in POOLED:
        return POOLED[metric].value
    return perplexity if metric == "perplexity" else TASK_METRICS.get(metric, mean)


def figures(rows: Rows, scored: Scored, places: Sequence[int]) -> dict[str, Figure]:
    """The reported metrics of some rows, with intervals.

    Args:
        places: which rows, at least one.
    """
    reported = [*rows.reported, *(["perplexity"] if "perplexity" in scored.scores else [])]
    return {metric: _figure(rows, scored, metric, places) for metric in reported}


def _figure(rows: Rows, scored: Scored, metric: str, places: Sequence[int]) -> Figure:
    units = [rows.units[place] for place in places]
    if metric in BINARY:
        return share([scored.scores[metric][place] for place in places], units)
    summed = by_unit(scored.statistics[metric][list(places)], units)
    if len(summed) < 2:
        return Figure(value=float(estimate_of(metric)(summed.sum(axis=0))), n=len(places))
    interval = bootstrap(summed, seed=rows.draw, estimate=estimate_of(metric))
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(places))


def share(passed: Sequence[float], units: Sequence[str]) -> Figure:
    """The share of ones, with Wilson's interval; rows of one unit count for less than one each."""
    effect = design_effect(passed, units)
    interval = wilson(round(sum(passed)) / effect, len(passed) / effect)
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(passed))


def slices(samples: Sequence[Sample]) -> dict[str, list[int]]:
    """Places of the rows of each slice; `all` first. A slice that holds every row again is left out."""
    found: dict[str, list[int]] = {"all": list(range(len(samples)))}
    for slice_of in SLICES.values():
        groups: dict[str, list[int]] = {}
        for place, sample in enumerate(samples):
            if (name := slice_of(sample)) is not None:
                groups.setdefault(name, []).append(place)
        found |= {name: groups[name] for name in sorted(groups, key=_natural) if len(groups[name]) < len(samples)}
    return found


def _natural(name: str) -> list[int | str]:
    """Names in the order in which people count: turn 4 before turn 10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def rule_table(rows: Rows, arms: Mapping[str, Scored]) -> dict[str, dict[str, Figure]]:
    """For each rule of the script and each arm, the share of answers that keep it, among those it applies to."""
    if rows.script is None:
        return {}
    table: dict[str, dict[str, Figure]] = {}
    judged = [judges(rows.script, sample) for sample in rows.samples]
    for rule in rows.script.rules:
        places = [place for place, rules in enumerate(judged) if rule.id in rules]
        if places:
            table[rule.id] = {
                name: share(
                    [float(all(fault.rule != rule.id for fault in scored.violations[p])) for p in places],
                    [rows.units[p] for p in places],
                )
                for name, scored in arms.items()
            }
    return table


def field_table(rows: Rows, arms: Mapping[str, Scored]) -> dict[str, dict[str, Figure]]:
    """For each field of the references and each arm, the share of rows with this field whose answer gives its values."""
    if not rows.records:
        return {}
    table: dict[str, dict[str, Figure]] = {}
    for name, scored in arms.items():
        found: dict[str, list[tuple[float, str]]] = {}
        for row, answer, unit in zip(rows.samples, scored.answers, rows.units, strict=True):
            for field, right in right_fields(answer.text, row.answer).items():
                found.setdefault(field, []).append((right, unit))
        for field in sorted(found):
            table.setdefault(field, {})[name] = share(
                [right for right, _ in found[field]], [unit for _, unit in found[field]]
            )
    return table
