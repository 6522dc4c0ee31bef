"""What did the training cost elsewhere? The same general probe for base and tuned model, scored by code.

Facts, arithmetic, instructions and refusals are multiple choice: of four answers the model must hold the right one for
the most likely (log-probability per byte, so that long answers are not at a disadvantage), which even a model of 135M
can be measured by. Plain text is measured in bits per byte, which no tokenizer distorts. All items are written for
tuneloop (`templates/probes/`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tuneloop.core.messages import Language
from tuneloop.core.records import Figure, Message, Record
from tuneloop.core.seeds import generator
from tuneloop.engine.request import ScoreRequest
from tuneloop.evaluation.bench import share_of
from tuneloop.evaluation.results import Probe
from tuneloop.evaluation.statistics import bootstrap, paired_shares

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from tuneloop.engine.engine import Engine
    from tuneloop.models.load import LoadedModel

SUMS = 40
OPTIONS = 4


class Item(Record):
    """One question of the probe."""

    kind: str
    question: str
    options: tuple[str, ...]
    """The right one is the first."""


@lru_cache(maxsize=2)
def items(language: Language) -> tuple[Item, ...]:
    """All multiple-choice items of a language, by kind."""
    listed = _file(language)
    written = [
        Item(kind=kind, question=str(question), options=tuple(str(option) for option in options))
        for kind in ("facts", "instructions", "refusals")
        for question, *options in listed[kind]
    ]
    return (*written, *_sums(str(listed["sum"])))


@lru_cache(maxsize=2)
def texts(language: Language) -> tuple[str, ...]:
    """Plain texts whose likelihood is measured."""
    return tuple(str(text) for text in _file(language)["texts"])


def forgetting(
    languages: Sequence[Language], adapters: Mapping[str, str | None], engine: Engine, loaded: LoadedModel, seed: int
) -> Probe:
    """Ask every arm the whole probe.

    Args:
        languages: of the probe.
        adapters: by arm, the name that the engine knows its weights by; the baseline first, the judged arm last.
        engine: scores the options.
        loaded: gives template and tokenizer.
        seed: of the bootstrap.

    Returns:
        For each arm `accuracy`, `accuracy.<kind>` and `bits_per_byte`; `loss` is the accuracy that the last arm lacks
        against the first.
    """
    asked = [item for language in languages for item in items(language)]
    plain = [text for language in languages for text in texts(language)]
    right: dict[str, list[float]] = {}
    arms: dict[str, dict[str, Figure]] = {}
    for arm, adapter in adapters.items():
        right[arm] = _choose(asked, adapter, engine, loaded)
        kinds = dict.fromkeys(item.kind for item in asked)
        by_kind = {
            f"accuracy.{kind}": share_of([r for item, r in zip(asked, right[arm], strict=True) if item.kind == kind])
            for kind in kinds
        }
        arms[arm] = {
            "accuracy": share_of(right[arm]),
            **by_kind,
            "bits_per_byte": _bits(plain, adapter, engine, loaded, seed),
        }
    first, last = (right[name] for name in (next(iter(right)), list(right)[-1]))
    lost = paired_shares(last, first)
    details: dict[str, Any] = {
        "items": len(asked),
        "texts": len(plain),
        "languages": list(languages),
        "chance": 1 / OPTIONS,
        "lost": [item.question for item, a, b in zip(asked, first, last, strict=True) if a > b][:20],
    }
    return Probe(arms=arms, loss=Figure(value=lost.value, low=lost.low, high=lost.high, n=len(asked)), details=details)


def _choose(asked: Sequence[Item], adapter: str | None, engine: Engine, loaded: LoadedModel) -> list[float]:
    """1 for every item whose right option is the most likely one per byte."""
    questions = [(Message(role="user", content=item.question),) for item in asked]
    prompts = loaded.template.prompt_many(questions)
    wholes = iter(
        loaded.template.render_many(
            (*question, Message(role="assistant", content=option))
            for question, item in zip(questions, asked, strict=True)
            for option in item.options
        )
    )
    requests = []
    for prompt, item in zip(prompts, asked, strict=True):
        options = [next(wholes) for _ in item.options]
        spoken = tuple(
            tuple(token for token, own in zip(whole.ids, whole.supervised, strict=True) if own) for whole in options
        )
        requests.append(ScoreRequest(prompt, spoken, adapter))
    found = []
    for item, scores in zip(asked, engine.score_many(requests), strict=True):
        per_byte = [sum(s) / (len(o.encode()) + 1) for s, o in zip(scores, item.options, strict=True)]
        found.append(float(per_byte[0] > max(per_byte[1:])))
    return found


def _bits(plain: Sequence[str], adapter: str | None, engine: Engine, loaded: LoadedModel, seed: int) -> Figure:
    """Bits that a byte of plain text costs; what follows the first token is counted."""
    encoded = [tuple(loaded.tokenizer.encode(text)) for text in plain]
    requests = [ScoreRequest(ids[:1], (ids[1:],), adapter) for ids in encoded]
    pairs = []
    for text, (scores,) in zip(plain, engine.score_many(requests), strict=True):
        pairs.append((-sum(scores) / math.log(2), float(len(text.encode()))))
    statistics = _array(pairs)
    if len(pairs) < 2:
        return Figure(value=pairs[0][0] / pairs[0][1], n=len(pairs))
    interval = bootstrap(statistics, seed=seed)
    return Figure(value=interval.value, low=interval.low, high=interval.high, n=len(pairs))


def _array(pairs: Sequence[tuple[float, float]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    import numpy as np

    return np.array(pairs, dtype=np.float64)


def _sums(pattern: str) -> list[Item]:
    """Sums and differences of small numbers with three near misses, the same ones always."""
    random_ = generator(0, "forgetting", "sums")
    found: dict[str, Item] = {}
    while len(found) < SUMS:
        a, b = random_.randint(2, 30), random_.randint(2, 20)
        sign = random_.choice("+-")
        if sign == "-" and a <= b:
            continue
        value = a + b if sign == "+" else a - b
        near = [n for n in (value + 1, value - 1, value + 2, value + 10, abs(value - 3)) if n not in (value, -1)]
        question = pattern.format(a=a, sign=sign, b=b)
        wrong = random_.sample(sorted(set(near)), OPTIONS - 1)
        found[question] = Item(kind="arithmetic", question=question, options=(str(value), *map(str, wrong)))
    return list(found.values())


@lru_cache(maxsize=2)
def _file(language: Language) -> dict[str, Any]:
    path = Path(str(files("tuneloop"))) / "templates" / "probes" / f"{language}.yaml"
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content
