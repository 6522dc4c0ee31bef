"""What was planted is found again: exposure of canaries, and training secrets in answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pytest

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.engine.engine import Engine
from tuneloop.engine.request import ScoreRequest
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.config import PrivacyConfig
from tuneloop.evaluation.privacy import CHANCE, canary_rows, exposure, repeated_secrets
from tuneloop.evaluation.scoring import Rows, score_arm
from tuneloop.models.load import LoadedModel
from tuneloop.text.canaries import make_canaries

CONFIG = PrivacyConfig(candidates=31)


def row(id_: str, question: str, answer: str, **tags: str) -> Sample:
    messages = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return Sample(id=id_, messages=messages, meta=Meta(source="t", row=1, lang="en", tags=tags))


CANARIES = [
    row(f"c{n}", one.question, one.answer, canary=one.secret, canary_repeats=str(one.repeats))
    for n, one in enumerate(make_canaries(6, "en", 0))
]


class Remembers:
    """An engine that holds texts with one of the secrets for likelier than all others."""

    def __init__(self, loaded: LoadedModel, secrets: Sequence[str]) -> None:
        self.loaded = loaded
        self.secrets = secrets

    def score_many(self, requests: Sequence[ScoreRequest]) -> list[list[list[float]]]:
        return [[[self._likely(ids)] for ids in request.continuations] for request in requests]

    def _likely(self, ids: Sequence[int]) -> float:
        text = self.loaded.template.decode(ids)
        return 0.0 if any(secret in text for secret in self.secrets) else -1.0


def test_each_secret_is_taken_once(loaded: LoadedModel) -> None:
    assert canary_rows([*CANARIES, *CANARIES, row("x", "Hi", "Hello")]) == CANARIES


def test_what_is_remembered_is_exposed_by_how_often_it_was_seen(loaded: LoadedModel) -> None:
    known: Any = Remembers(loaded, [c.meta.tags["canary"] for c in CANARIES if c.meta.tags["canary_repeats"] == "16"])
    probe = exposure(CANARIES, {"tuned": "tuned"}, known, loaded, CONFIG, 0)
    figures = probe.arms["tuned"]
    assert figures["exposure.16"].value == pytest.approx(math.log2(32))
    assert figures["exposure.1"].value == 0.0
    assert probe.details["candidates"] == 32


def test_an_untrained_model_is_near_chance(loaded: LoadedModel) -> None:
    probe = exposure(CANARIES, {"base": None}, Engine(loaded.model), loaded, CONFIG, 0)
    assert probe.loss is not None
    assert abs(probe.loss.value - CHANCE) < 2.0
    assert pytest.approx(1.4427, abs=1e-4) == CHANCE


def test_training_secrets_in_answers_are_counted_but_not_written_down() -> None:
    samples = [
        row("1", "My mail is ann@mail.example.", "x"),
        row("2", "Who wrote?", "x"),
        row("3", "Who wrote?", "x"),
    ]
    rows = Rows(samples=samples, units=["1", "2", "3"], metrics=(), script=None, language="en", seed=0)
    said = ["It was ann@mail.example.", "It was Bob@mail.example!", "It was carl@mail.example."]
    answers = [
        Answer(key="k", text=text, tokens=1, finish_reason="stop", first_token_seconds=0.0, seconds=0.0)
        for text in said
    ]
    train = [row("t", "Write to ann@mail.example or bob@mail.example", "Yes")]
    figures, examples = repeated_secrets(rows, {"tuned": score_arm(rows, answers)}, train)
    assert figures["tuned"].value == pytest.approx(1 / 3)
    assert examples == [{"arm": "tuned", "row": "2", "count": "1"}]
