"""The general probe: complete, without ambiguity, and the same for every arm."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from tuneloop.adapters.merge import merge
from tuneloop.core.messages import Language
from tuneloop.engine.engine import Engine
from tuneloop.evaluation.forgetting import OPTIONS, forgetting, items, texts
from tuneloop.models.load import LoadedModel


def test_there_are_about_three_hundred_items_in_two_languages() -> None:
    assert 300 <= sum(len(items(language)) + len(texts(language)) for language in get_args(Language)) <= 330


@pytest.mark.parametrize("language", get_args(Language))
def test_every_item_has_one_right_answer_and_three_others(language: Language) -> None:
    asked = items(language)
    assert len({item.question for item in asked}) == len(asked)
    assert all(len(set(item.options)) == OPTIONS for item in asked)
    assert min(Counter(item.kind for item in asked).values()) >= 10
    assert asked == items(language)


def test_sums_are_right_and_the_others_are_wrong() -> None:
    for item in items("en"):
        if item.kind == "arithmetic":
            a, sign, b = item.question.removeprefix("What is ").split("?")[0].split()
            value = int(a) + int(b) if sign == "+" else int(a) - int(b)
            assert [int(option) == value for option in item.options] == [True, False, False, False]
            assert all(int(option) >= 0 for option in item.options)


def test_arms_are_compared_item_by_item(loaded: LoadedModel, adapter: object) -> None:
    from pathlib import Path

    assert isinstance(adapter, Path)
    engine = Engine(loaded.model, adapters={"tuned": merge(loaded, adapter)})
    probe = forgetting(["en"], {"base": None, "tuned": "tuned"}, engine, loaded, 0)
    again = forgetting(["en"], {"base": None, "tuned": "tuned"}, engine, loaded, 0)
    assert probe == again
    base, tuned = probe.arms["base"], probe.arms["tuned"]
    assert base["accuracy"].n == tuned["accuracy"].n == len(items("en"))
    assert base["bits_per_byte"].value != tuned["bits_per_byte"].value
    assert probe.loss is not None
    assert probe.loss.value == pytest.approx(base["accuracy"].value - tuned["accuracy"].value)
    same = forgetting(["en"], {"base": None}, engine, loaded, 0)
    assert same.loss is not None
    assert same.loss.value == 0.0
