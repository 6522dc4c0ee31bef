"""Two finished evaluations against each other: the rows that both scored, paired as the arms of one evaluation are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tuneloop.core.errors import DataError
from tuneloop.core.records import Comparison, Figure, Message, Meta, Record, Sample
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.arms import TUNED
from tuneloop.evaluation.clusters import joined, near_duplicates
from tuneloop.evaluation.comparison import compare_all
from tuneloop.evaluation.config import EvaluationConfig
from tuneloop.evaluation.extraction import judge_records
from tuneloop.evaluation.metrics import METRICS, POOLED
from tuneloop.evaluation.results import Prediction, Results, Said, read_predictions, read_results
from tuneloop.evaluation.rows import TURN, asked_of
from tuneloop.evaluation.scoring import DESCRIBED, Rows, Scored, figures
from tuneloop.evaluation.statistics import per_row

UNPAIRED = frozenset({"macro_f1", "perplexity", *DESCRIBED})
"""Scores of a row that are not enough to compute the value of many rows, or that are no better or worse."""


class Rematch(Record):
    """What two evaluations say of each other, on the rows that both scored."""

    a: str
    b: str
    rows: int
    arms: dict[str, dict[str, Figure]]
    """By evaluation, then metric."""
    comparisons: tuple[Comparison, ...]
    """The second against the first; p is corrected, the first evaluation's headline apart."""


def compare_evaluations(first: Path, second: Path, *, seed: int = 0) -> Rematch:
    """Compare the tuned arms of two evaluations (their last arms where nothing was tuned).

    Args:
        first: folder of the baseline.
        second: folder of what is judged.
        seed: of the resampling.

    Raises:
        DataError: no row stands in both (code `evaluation.compare_nothing`), or a row has another reference there
            (`evaluation.compare_differs`).
        NotFoundError, CorruptError: an evaluation can't be read.
    """
    results = read_results(first), read_results(second)
    lines = [{line.id: line for line in read_predictions(folder)} for folder in (first, second)]
    common = [row for row in lines[0] if row in lines[1]]
    if not common:
        raise DataError("evaluation.compare_nothing", file=second, other=first.name)
    for row in common:
        if lines[0][row].reference != lines[1][row].reference:
            raise DataError("evaluation.compare_differs", file=second, id=row, other=first.name)
    metrics = _common_metrics(results)
    rows = _rows([lines[0][row] for row in common], metrics, seed)
    names = (first.name, second.name if second.name != first.name else f"{second.name} (2)")
    scored = {
        name: _scored(rows, [line[row].arms[_arm(result)] for row in common])
        for name, result, line in zip(names, results, lines, strict=True)
    }
    headline = results[0].headline.metric if results[0].headline.metric in metrics else metrics[0]
    compared = compare_all(rows, scored, headline)
    places = range(len(common))
    return Rematch(
        a=names[0],
        b=names[1],
        rows=len(common),
        arms={name: figures(rows, one, places) for name, one in scored.items()},
        comparisons=tuple(item.comparison for item in compared),
    )


def _common_metrics(results: Sequence[Results]) -> tuple[str, ...]:
    """Metrics that both evaluations compared arms by, in the first one's order; `ended` is always there."""
    known = [dict.fromkeys(next(iter(one.arms.values()))) for one in results]
    return tuple(metric for metric in known[0] if metric in known[1] and metric not in {*UNPAIRED, "ended"}) or (
        "ended",
    )


def _arm(results: Results) -> str:
    return TUNED if TUNED in results.arms else list(results.arms)[-1]


def _rows(lines: Sequence[Prediction], metrics: Sequence[str], seed: int) -> Rows:
    samples = [
        Sample(
            id=line.id,
            messages=(*line.messages, Message(role="assistant", content=line.reference)),
            meta=Meta(source=line.id, row=place, tags=line.tags),
        )
        for place, line in enumerate(lines, start=1)
    ]
    units = [line.id.partition(TURN)[0] for line in lines]
    alike = near_duplicates([asked_of(sample) for sample in samples], EvaluationConfig().near_duplicates)
    return Rows(
        samples=samples,
        units=joined(units, alike),
        metrics=tuple(metric for metric in metrics if metric != "grounded"),
        script=None,
        language="en",
        seed=seed,
    )


def _scored(rows: Rows, said: Sequence[Said]) -> Scored:
    """Scores as they were kept; what is pooled is counted again from the texts."""
    names: Mapping[str, float] = said[0].scores
    scores = {metric: [one.scores[metric] for one in said] for metric in names if metric != "perplexity"}
    statistics = {metric: per_row(values) for metric, values in scores.items()}
    for metric in POOLED.keys() & METRICS.keys() & scores.keys():
        triples = [(one.answer, row.answer, rows.language) for one, row in zip(said, rows.samples, strict=True)]
        statistics[metric] = np.array([POOLED[metric].statistics(*triple) for triple in triples], dtype=np.float64)
    if "field_f1" in scores:
        texts = [one.answer for one in said], [row.answer for row in rows.samples]
        statistics["field_f1"] = judge_records(*texts, None).statistics
    answers = tuple(
        Answer(
            key=row.id,
            text=one.answer,
            tokens=one.tokens,
            finish_reason="stop" if one.finish_reason == "stop" else "length",
            first_token_seconds=0.0,
            seconds=0.0,
        )
        for one, row in zip(said, rows.samples, strict=True)
    )
    return Scored(answers, scores, statistics, ())
