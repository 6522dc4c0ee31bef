"""From answers to figures: scores of each row, their means with intervals, and the same for slices of the rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tuneloop.core.records import Figure, Sample
from tuneloop.core.seeds import derive_seed
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.metrics import BINARY, METRICS, POOLED
from tuneloop.evaluation.script import Script, Violation, check, judges
from tuneloop.evaluation.statistics import Array, Estimate, bootstrap, by_unit, mean, per_row, wilson

SliceOf = Callable[[Sample], str | None]
"""From a row to the name of its slice; None: it is in none of this kind."""


def _tag(name: str) -> SliceOf:
    return lambda row: f"{name}={row.meta.tags[name]}" if row.meta.tags.get(name) else None


def _seen(row: Sample) -> str | None:
    return {"yes": "seen", "no": "unseen"}.get(row.meta.tags.get("seen", ""))


def _turns(row: Sample) -> str:
    return "multi-turn" if any(message.role == "assistant" for message in row.prompt) else "single-turn"


SLICES: dict[str, SliceOf] = {
    "seen": _seen,
    "kind": _tag("kind"),
    "turns": _turns,
    "language": lambda row: f"language={row.meta.lang}" if row.meta.lang else None,
    "intent": _tag("intent"),
}
"""Ways to cut the rows, in the order of the report. To add one, add a line."""


@dataclass(frozen=True)
class Rows:
    """What is scored, and how."""

    samples: Sequence[Sample]
    units: Sequence[str]
    """The conversation of each row."""
    metrics: Sequence[str]
    """Names out of METRICS, in the order of the report."""
    script: Script | None
    language: str
    """Of rows that don't name theirs."""
    seed: int

    @property
    def compared(self) -> tuple[str, ...]:
        """The metrics that arms are compared by."""
        return (*(("script_compliance",) if self.script else ()), *self.metrics)

    @property
    def reported(self) -> tuple[str, ...]:
        """The metrics with a figure: those compared, and how answers end and how long they are."""
        return (*self.compared, "ended", "answer_tokens")

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


def score_arm(rows: Rows, answers: Sequence[Answer]) -> Scored:
    """Score one arm's answers, one for each row."""
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
    scores |= {metric: [METRICS[metric](*triple) for triple in triples] for metric in rows.metrics}
    scores["ended"] = [float(answer.finish_reason == "stop") for answer in answers]
    scores["answer_tokens"] = [float(answer.tokens) for answer in answers]
    statistics = {metric: per_row(values) for metric, values in scores.items()}
    for metric in POOLED.keys() & scores.keys():
        statistics[metric] = np.array([POOLED[metric].statistics(*triple) for triple in triples], dtype=np.float64)
    return Scored(tuple(answers), scores, statistics, violations)


def estimate_of(metric: str) -> Estimate:
    """How a metric's sums become its value."""
    return POOLED[metric].value if metric in POOLED else mean


def figures(rows: Rows, scored: Scored, places: Sequence[int]) -> dict[str, Figure]:
    """The reported metrics of some rows, with intervals.

    Args:
        places: which rows, at least one.
    """
    return {metric: _figure(rows, scored, metric, places) for metric in rows.reported}


def _figure(rows: Rows, scored: Scored, metric: str, places: Sequence[int]) -> Figure:
    units = [rows.units[place] for place in places]
    independent = len(set(units)) == len(units)
    if metric in BINARY and independent:
        return share([scored.scores[metric][place] for place in places])
    summed = by_unit(scored.statistics[metric][list(places)], units)
    if len(summed) < 2:
        return Figure(value=float(estimate_of(metric)(summed.sum(axis=0))), n=len(places))
    interval = bootstrap(summed, seed=rows.draw, estimate=estimate_of(metric))
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(places))


def share(passed: Sequence[float]) -> Figure:
    """The share of ones, with Wilson's interval."""
    interval = wilson(round(sum(passed)), len(passed))
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(passed))


def slices(samples: Sequence[Sample]) -> dict[str, list[int]]:
    """Places of the rows of each slice; `all` first. A slice that holds every row again is left out."""
    found: dict[str, list[int]] = {"all": list(range(len(samples)))}
    for slice_of in SLICES.values():
        groups: dict[str, list[int]] = {}
        for place, sample in enumerate(samples):
            if (name := slice_of(sample)) is not None:
                groups.setdefault(name, []).append(place)
        found |= {name: groups[name] for name in sorted(groups) if len(groups[name]) < len(samples)}
    return found


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
                name: share([float(all(fault.rule != rule.id for fault in scored.violations[p])) for p in places])
                for name, scored in arms.items()
            }
    return table
