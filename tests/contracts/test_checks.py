"""What every check of the pre-flight promises: it passes, warns and refuses, and says what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tuneloop.core.messages import set_language
from tuneloop.core.records import Choice, Message, Meta, Plan, Sample
from tuneloop.models.config import ModelConfig
from tuneloop.models.load import load_model
from tuneloop.training.facts import MachineFacts
from tuneloop.training.preflight import CHECKS
from tuneloop.training.subject import Subject, TokenFacts
from tuneloop.training.tokenise import Example

ROWS = 200
STOP, PAD, UNKNOWN, ADDED = 258, 256, 7, 300


def sample(number: int, *, question: str | None = None, answer: str = "It is so.") -> Sample:
    asked = Message(role="user", content=question or f"What about {number}?")
    said = Message(role="assistant", content=answer)
    return Sample(id=f"s{number}", messages=(asked, said), meta=Meta(source="made", row=number + 1))


def example(number: int, *ids: int, stops: bool = True, targets: bool = True) -> Example:
    tokens = ids or (1, 2, 3, STOP)
    return Example(f"s{number}", tokens, tuple(targets and place > 1 for place in range(len(tokens))), stops)


class FaultyTemplate:
    """The tiny model's template, of which some answers come back changed."""

    def __init__(self, faulty: int) -> None:
        self.stop_ids = (STOP,)
        self._faulty = faulty

    def render(self, messages: tuple[Message, ...]) -> Any:
        return SimpleNamespace(ids=[messages])

    def prompt(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        return ()

    def decode(self, ids: list[tuple[Message, ...]]) -> str:
        asked, said = ids[0]
        return "?" if int(asked.content.split()[-1].strip("?")) < self._faulty else said.content


def plan(**values: float) -> Plan:
    chosen = {"max_length": 4, "steps": 100, "warmup_steps": 5, "target_modules": "all-linear"}
    figures = {"memory_bytes": 1e9, "seconds": 60.0, "steps": 100.0, "trained_parameters": 1e6}
    choices = {name: values.get(name, value) for name, value in chosen.items()}
    return Plan(
        choices=tuple(Choice(name=name, value=value, reason="") for name, value in choices.items()),
        figures={name: values.get(name, value) for name, value in figures.items()},
    )


@pytest.fixture(scope="module")
def good() -> Subject:
    examples = [example(n) for n in range(ROWS)]
    return Subject(
        samples=[sample(n) for n in range(ROWS)],
        held_out=[sample(n) for n in range(ROWS, ROWS + 100)],
        whole=examples,
        cut=examples,
        template=load_model(ModelConfig(name_or_path="tiny")).template,
        tokens=TokenFacts(pad=PAD, unknown=UNKNOWN, control=("<|im_start|>", "<|im_end|>")),
        plan=plan(),
        machine=MachineFacts(10_000_000_000, 1e12),
        folder=Path(),
        save_total_limit=2,
    )


def some(count: int, special: Callable[[int], Any], usual: Callable[[int], Any]) -> list[Any]:
    return [special(n) if n < count else usual(n) for n in range(ROWS)]


def cut(count: int, special: Callable[[int], Example]) -> dict[str, Any]:
    return {"cut": some(count, special, example)}


def whole(count: int, special: Callable[[int], Example]) -> dict[str, Any]:
    return {"whole": some(count, special, example)}


def rows(count: int, special: Callable[[int], Sample]) -> dict[str, Any]:
    return {"samples": some(count, special, sample)}


def leaked(count: int) -> dict[str, Any]:
    return {"held_out": [sample(n if n < count else ROWS + n) for n in range(100)]}


def tokens(**values: Any) -> dict[str, Any]:
    return {"tokens": TokenFacts(**values)}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "rows": ({"samples": [sample(n) for n in range(12)]}, {"samples": [sample(1)]}),
    "stop_token": (cut(5, lambda n: example(n, stops=False)), cut(40, lambda n: example(n, stops=False))),
    "padding": (tokens(pad=STOP), {**tokens(pad=PAD), **cut(1, lambda n: example(n, 1, 2, PAD, STOP))}),
    "labels": (cut(1, lambda n: example(n, targets=False)), cut(9, lambda n: example(n, targets=False))),
    "truncation": (whole(5, lambda n: example(n, *range(9))), whole(50, lambda n: example(n, *range(9)))),
    "round_trip": ({"template": FaultyTemplate(1)}, {"template": FaultyTemplate(9)}),
    "control_tokens": (
        rows(1, lambda n: sample(n, question="What is <|im_end|>?")),
        rows(90, lambda n: sample(n, question=f"<|im_start|>user\n{n}<|im_end|>")),
    ),
    "duplicates": (
        rows(9, lambda n: sample(n, question="the SAME")),
        rows(150, lambda n: sample(n, question="The  same")),
    ),
    "leaks": (leaked(1), leaked(50)),
    "turn_tokens": (
        {**tokens(untrained={3: "<|turn|>"})},
        {**tokens(untrained={STOP: "<|im_end|>"})},
    ),
    "readable": (
        {"samples": [sample(n, question="?", answer="!") for n in range(ROWS)]},
        {**tokens(unknown=UNKNOWN), **whole(50, lambda n: example(n, UNKNOWN, UNKNOWN, STOP))},
    ),
    "embeddings": (
        {**tokens(added={ADDED: "<product>"}), **whole(1, lambda n: example(n, 1, ADDED, STOP))},
        {"plan": plan(target_modules=("q_proj", "lm_head"))},  # type: ignore[arg-type]
    ),
    "warm_up": ({"plan": plan(warmup_steps=50)}, {"plan": plan(warmup_steps=100)}),
    "memory": ({"plan": plan(memory_bytes=9e9)}, {"plan": plan(memory_bytes=11e9)}),
    "disk": ({"plan": plan(trained_parameters=6e9)}, {"plan": plan(trained_parameters=1e11)}),
    "time": ({"plan": plan(seconds=1e5)}, {"plan": plan(seconds=1e6)}),
}
"""What makes each check warn, and what makes it refuse."""

checks = pytest.mark.parametrize("name", CHECKS)


@pytest.fixture(autouse=True)
def _a_disk_of_a_terabyte(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1e12))


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    set_language(request.param)
    yield request.param
    set_language(None)


@checks
def test_a_check_passes_a_good_training_without_a_fix(name: str, good: Subject) -> None:
    found = CHECKS[name](good)
    assert (found.check, found.status, found.fix) == (name, "pass", "")


@checks
def test_a_check_warns_and_says_what_to_do(name: str, good: Subject, language: str) -> None:
    found = CHECKS[name](replace(good, **CASES[name][0]))
    assert (found.check, found.status) == (name, "warn")
    assert found.message
    assert found.fix


@checks
def test_a_check_refuses_and_says_what_to_do(name: str, good: Subject, language: str) -> None:
    found = CHECKS[name](replace(good, **CASES[name][1]))
    assert (found.check, found.status) == (name, "refuse")
    assert found.message
    assert found.fix


@checks
def test_a_check_leaves_no_empty_value_to_people(name: str, good: Subject) -> None:
    for changes in ({}, *CASES[name]):
        found = CHECKS[name](replace(good, **changes))
        assert "None" not in found.message + found.fix
        assert "{" not in found.message + found.fix


def test_what_cleaning_removed_stands_in_the_findings(good: Subject) -> None:
    subject = replace(good, report={"leaks": {"test": 3}, "rules": {"duplicates": {"removed": 5, "changed": 0}}})
    assert "3 more" in CHECKS["leaks"](subject).message
    assert "5 were removed" in CHECKS["duplicates"](subject).message
