"""How much does a disturbed question cost? The same rows, clean and perturbed, by the same model.

The clean answers are those of the evaluation itself; only the perturbed questions are asked anew. Every difference is
paired by row, and rows are drawn whole: eight perturbations of one row are no eight rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np

from tuneloop.core.messages import Language
from tuneloop.core.records import Figure, Message, Record, Sample
from tuneloop.core.seeds import derive_seed
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.bench import share_of
from tuneloop.evaluation.config import RobustnessConfig
from tuneloop.evaluation.metrics import BINARY
from tuneloop.evaluation.perturbations import PERTURBATIONS, names_for, perturb
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.rows import choose
from tuneloop.evaluation.scoring import Rows, Scored, language_of, score_arm
from tuneloop.evaluation.statistics import bootstrap, paired_bootstrap, paired_shares, per_row
from tuneloop.text.normalise import text_key

Respond = Callable[[str, Sequence[Sample]], list[Answer]]
"""From an arm's name and rows to its answers, in order."""

MARK = "~"
"""Between the id of a row and the name of what was done to it."""
EXAMPLES = 12


class Variant(Record):
    """A row with its question perturbed."""

    place: int
    """Of the row in the evaluation."""
    name: str
    sample: Sample


def variants_of(rows: Rows, config: RobustnessConfig) -> list[Variant]:
    """Perturb the questions of some rows.

    Returns:
        Variants by row, then perturbation; a perturbation that finds nothing to change in a row gives none.
    """
    most = None if config.full else config.rows
    chosen = {row.id for row in choose(rows.samples, most, derive_seed(rows.seed, "robustness"))}
    found = []
    for place, row in enumerate(rows.samples):
        if row.id in chosen:
            language = cast(Language, language_of(row, rows.language))
            for name in names_for(language, None if config.full else config.perturbations):
                if (sample := _perturbed(row, name, language, rows.seed)) is not None:
                    found.append(Variant(place=place, name=name, sample=sample))
    return found


def robustness(
    rows: Rows,
    metric: str,
    arm: str,
    scored: Scored,
    respond: Respond,
    config: RobustnessConfig,
    baseline: Scored | None = None,
) -> Probe | None:
    """Ask perturbed questions and compare with the clean ones.

    Args:
        rows: the evaluation's rows.
        metric: the headline.
        arm: whose answers are looked at.
        scored: that arm's answers to the clean rows.
        respond: asks it more.
        config: the recipe's `evaluation.robustness:`.
        baseline: another arm's answers to the clean rows.

    Returns:
        Figures `clean`, `perturbed`, `drop` (above 0: worse when perturbed), `changed` (share of answers that differ),
        and by perturbation in `details`. `loss` is what the arm lacks on perturbed questions against the baseline on
        clean ones (without a baseline: the drop). None where no question could be perturbed.
    """
    variants = variants_of(rows, config)
    if not variants:
        return None
    answers = respond(arm, [variant.sample for variant in variants])
    places = [variant.place for variant in variants]
    read = [
        answer.model_copy(update={"text": PERTURBATIONS[variant.name].read_back(answer.text)})
        for variant, answer in zip(variants, answers, strict=True)
    ]
    after = _scores(rows, metric, places, read)
    before = [scored.scores[metric][place] for place in places]
    changed = [
        float(text_key(scored.answers[place].text) != text_key(answer.text))
        for place, answer in zip(places, read, strict=True)
    ]
    table = _by_perturbation(variants, before, after, changed, metric, rows.draw)
    drop = _pooled_drop(places, before, after, rows.draw)
    figures = {
        "clean": _mean_by_row(places, before, rows.draw),
        "perturbed": _mean_by_row(places, after, rows.draw),
        "drop": drop,
        "changed": _mean_by_row(places, changed, rows.draw),
    }
    others = before if baseline is None else [baseline.scores[metric][place] for place in places]
    details: dict[str, Any] = {
        "metric": metric,
        "rows": len(set(places)),
        "variants": len(variants),
        "perturbations": table,
        "worst": max(table, key=lambda name: (table[name]["drop"]["value"], name)),
        "pairs": paraphrase_pairs(rows, scored),
        "examples": list(_examples(variants, before, after, rows, scored, answers)),
    }
    return Probe(arms={arm: figures}, loss=_pooled_drop(places, others, after, rows.draw), details=details)


def paraphrase_pairs(rows: Rows, scored: Scored) -> dict[str, Any]:
    """Pairs of rows that ask the same thing in other words: how often are their answers the same but for the values?

    Two rows form a pair when their references are equal once each row's own values are blanked.
    """
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows.samples):
        groups.setdefault(_blanked(row.answer, row), []).append(place)
    same = []
    for places in groups.values():
        for first, second in zip(places[::2], places[1::2], strict=False):
            if text_key(rows.samples[first].question) != text_key(rows.samples[second].question):
                texts = [_blanked(scored.answers[place].text, rows.samples[place]) for place in (first, second)]
                same.append(float(texts[0] == texts[1]))
    return {"pairs": len(same), "same": share_of(same).model_dump() if same else None}


def _perturbed(row: Sample, name: str, language: Language, seed: int) -> Sample | None:
    place = next((p for p in range(len(row.messages) - 2, -1, -1) if row.messages[p].role == "user"), None)
    if place is None:
        return None
    values = [value for tag, value in row.meta.tags.items() if tag.startswith("slot.")]
    text = perturb(name, row.messages[place].content, language, seed, values)
    if text is None:
        return None
    asked = Message(role="user", content=text)
    messages = (*row.messages[:place], asked, *row.messages[place + 1 :])
    return row.model_copy(update={"id": f"{row.id}{MARK}{name}", "messages": messages})


def _scores(rows: Rows, metric: str, places: Sequence[int], answers: Sequence[Answer]) -> list[float]:
    """Judge answers to perturbed questions as answers to the clean rows."""
    picked = replace(
        rows,
        samples=[rows.samples[place] for place in places],
        units=[rows.units[place] for place in places],
        candidates=None if rows.candidates is None else [rows.candidates[place] for place in places],
    )
    return score_arm(picked, answers).scores[metric]


def _by_perturbation(
    variants: Sequence[Variant],
    before: Sequence[float],
    after: Sequence[float],
    changed: Sequence[float],
    metric: str,
    seed: int,
) -> dict[str, dict[str, Any]]:
    table: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(variant.name for variant in variants):
        at = [number for number, variant in enumerate(variants) if variant.name == name]
        a, b = [before[n] for n in at], [after[n] for n in at]
        table[name] = {
            "rows": len(at),
            "clean": float(np.mean(a)),
            "perturbed": float(np.mean(b)),
            "drop": _drop(a, b, metric, seed).model_dump(),
            "changed": share_of([changed[n] for n in at]).model_dump(),
        }
    return table


def _drop(before: Sequence[float], after: Sequence[float], metric: str, seed: int) -> Figure:
    """What one perturbation costs, paired by row."""
    if metric in BINARY:
        interval = paired_shares(before, after)
    elif len(before) > 1:
        interval, _ = paired_bootstrap(per_row(before), per_row(after), seed=seed)
    else:
        return Figure(value=before[0] - after[0], n=1)
    return Figure(value=-interval.value, low=-interval.high, high=-interval.low, n=len(before))


def _pooled_drop(places: Sequence[int], before: Sequence[float], after: Sequence[float], seed: int) -> Figure:
    """What a perturbation costs on average; rows are drawn whole."""
    clean, disturbed = _by_row(places, before), _by_row(places, after)
    value = float(np.mean(before)) - float(np.mean(after))
    if len(clean) < 2:
        return Figure(value=value, n=len(clean))
    interval, _ = paired_bootstrap(disturbed, clean, seed=seed)
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(clean))


def _mean_by_row(places: Sequence[int], values: Sequence[float], seed: int) -> Figure:
    statistics = _by_row(places, values)
    if len(statistics) < 2:
        return Figure(value=float(np.mean(values)), n=len(statistics))
    interval = bootstrap(statistics, seed=seed)
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(statistics))


def _by_row(places: Sequence[int], values: Sequence[float]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Sum and count of each row's values, shape (rows, 2)."""
    sums: dict[int, list[float]] = {}
    for place, value in zip(places, values, strict=True):
        one = sums.setdefault(place, [0.0, 0.0])
        one[0] += value
        one[1] += 1
    return np.array(list(sums.values()))


def _examples(
    variants: Sequence[Variant],
    before: Sequence[float],
    after: Sequence[float],
    rows: Rows,
    scored: Scored,
    answers: Sequence[Answer],
) -> Iterator[Mapping[Literal["perturbation", "question", "asked", "clean", "answer"], str]]:
    """Some questions whose answers got worse, at most two a perturbation."""
    shown: dict[str, int] = {}
    worse = [number for number in range(len(variants)) if after[number] < before[number]]
    for number in worse:
        variant = variants[number]
        shown[variant.name] = shown.get(variant.name, 0) + 1
        if shown[variant.name] <= 2 and sum(shown.values()) <= EXAMPLES:
            yield {
                "perturbation": variant.name,
                "question": rows.samples[variant.place].question,
                "asked": variant.sample.question,
                "clean": scored.answers[variant.place].text,
                "answer": answers[number].text,
            }


def _blanked(words: str, row: Sample) -> str:
    """A text with the row's values blanked, the longest first."""
    values = sorted((v for tag, v in row.meta.tags.items() if tag.startswith("slot.") and v), key=len, reverse=True)
    for value in values:
        words = re.sub(re.escape(value), "{}", words)
    return text_key(words)
