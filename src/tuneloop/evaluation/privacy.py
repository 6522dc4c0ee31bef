"""Does the model repeat what it was trained on? Canaries are ranked, and answers are searched for training secrets.

A canary's *exposure* is log2 of the number of values that it is ranked among, less log2 of its rank: 0 to 9 bits for 512
values, 1.44 bits on average where nothing was memorised. Canaries stand in the training rows only when the recipe
plants them (`text/canaries.py`); their rows carry the tags `canary` and `canary_repeats`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tuneloop.core.messages import text
from tuneloop.core.progress import SILENT, Progress
from tuneloop.core.records import Figure, Message, Sample
from tuneloop.engine.request import ScoreRequest
from tuneloop.evaluation.bench import share_of
from tuneloop.evaluation.config import PrivacyConfig
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.scoring import Rows, Scored
from tuneloop.evaluation.statistics import bootstrap, per_row
from tuneloop.text.canaries import other_secrets
from tuneloop.text.personal.find import find

if TYPE_CHECKING:
    from tuneloop.engine.engine import Engine
    from tuneloop.models.load import LoadedModel

CHANCE = 1 / math.log(2)
"""Exposure in bits of a value that is as likely as all others: 1.44."""


def canary_rows(train: Sequence[Sample]) -> list[Sample]:
    """The training rows that hold a canary, each secret once."""
    found: dict[str, Sample] = {}
    for sample in train:
        if secret := sample.meta.tags.get("canary"):
            found.setdefault(secret, sample)
    return list(found.values())


def exposure(
    canaries: Sequence[Sample],
    adapters: Mapping[str, str | None],
    engine: Engine,
    loaded: LoadedModel,
    config: PrivacyConfig,
    seed: int,
    progress: Progress = SILENT,
) -> Probe:
    """Rank every canary's secret among others by how likely each arm holds it.

    Args:
        canaries: out of `canary_rows`, at least one.
        adapters: by arm, the name that the engine knows its weights by; the baseline first.
        engine: scores.
        loaded: gives the template.
        config: how many others.
        seed: of the others, and of the bootstrap.
        progress: where to report.

    Returns:
        By arm `exposure` (bits, the mean over canaries) and `exposure.<n>` for canaries that stood n times in the
        training rows; `loss` is the last arm's exposure.
    """
    arms: dict[str, dict[str, Figure]] = {}
    bits: dict[str, list[float]] = {}
    repeats = [row.meta.tags.get("canary_repeats", "1") for row in canaries]
    unit = text("evaluation.unit_canaries")
    with progress.track(text("evaluation.probe.privacy"), len(adapters) * len(canaries), unit) as tracker:
        for arm, adapter in adapters.items():
            bits[arm] = []
            for row in canaries:
                bits[arm].append(_bits(row, adapter, engine, loaded, config.candidates, seed))
                tracker.advance()
    for arm in adapters:
        arms[arm] = {"exposure": _mean(bits[arm], seed)}
        for repeated in sorted(set(repeats), key=int):
            some = [bit for bit, times in zip(bits[arm], repeats, strict=True) if times == repeated]
            arms[arm][f"exposure.{repeated}"] = _mean(some, seed)
    details = {"canaries": len(canaries), "candidates": config.candidates + 1, "chance": CHANCE}
    return Probe(arms=arms, loss=arms[list(arms)[-1]]["exposure"], details=details)


def repeated_secrets(
    rows: Rows, scored: Mapping[str, Scored], train: Sequence[Sample]
) -> tuple[dict[str, Figure], list[dict[str, str]]]:
    """Search the answers for personal data that stands in the training rows and not in the row's own conversation.

    Names and addresses, which can only be guessed, are not looked for.

    Returns:
        By arm the share of answers that hold some, and those answers: their rows, not the data itself, because a
        report must not spread what it warns of.
    """
    known = {value for sample in train for m in sample.messages for value in _personal(m.content, sample, rows)}
    figures: dict[str, Figure] = {}
    examples: list[dict[str, str]] = []
    for arm, one in scored.items():
        hits = []
        for row, answer in zip(rows.samples, one.answers, strict=True):
            asked = _personal("\n".join(message.content for message in row.prompt), row, rows)
            told = (_personal(answer.text, row, rows) & known) - asked
            hits.append(float(bool(told)))
            examples += [{"arm": arm, "row": row.id, "count": str(len(told))}] if told else []
        figures[arm] = share_of(hits)
    return figures, examples


def _personal(said: str, sample: Sample, rows: Rows) -> set[str]:
    """The personal data of a text, without the way it is written."""
    return {found.value for found in find(said, sample.meta.lang or rows.language, possible=False)}


def _bits(row: Sample, adapter: str | None, engine: Engine, loaded: LoadedModel, candidates: int, seed: int) -> float:
    secret = row.meta.tags["canary"]
    answers = [row.answer, *(row.answer.replace(secret, other) for other in other_secrets(secret, candidates, seed))]
    asked = row.prompt
    prompt = loaded.template.prompt(asked)
    wholes = loaded.template.render_many((*asked, Message(role="assistant", content=answer)) for answer in answers)
    texts = tuple(whole.ids[len(prompt) :] for whole in wholes)
    (scores,) = engine.score_many([ScoreRequest(prompt, texts, adapter)])
    own, *others = [sum(tokens) for tokens in scores]
    rank = 1 + sum(other >= own for other in others)
    return math.log2(len(answers)) - math.log2(rank)


def _mean(values: Sequence[float], seed: int) -> Figure:
    if len(values) < 2:
        return Figure(value=values[0], n=1)
    interval = bootstrap(per_row(values), seed=seed)
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(values))
