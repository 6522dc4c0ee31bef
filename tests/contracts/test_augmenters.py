"""Every augmenter keeps the promises of its table: a text or None for each question, values survive, the same seed the same."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tuneloop.core.messages import text as say
from tuneloop.data.augment import augmenters as module
from tuneloop.data.augment.augmenters import AUGMENTERS, Augmenter, Question, Setting
from tuneloop.data.augment.checks import CHECKS, ONLY, Pair
from tuneloop.data.augment.config import AugmentConfig, EndpointConfig, TranslatorConfig
from tuneloop.data.augment.protect import protect, values_of
from tuneloop.data.augment.translate import TRANSLATORS

QUESTIONS = {
    "en": [
        "How do I cancel my card {{Card Number}} ending in 4711?",
        "I would like to send $1,200.50 to Anna by 3:30",
        "Where can I find the nearest branch on https://bank.example/map?",
        "ok",
    ],
    "zh": [
        "请问尾号4711的VISA信用卡怎么挂失？",
        "我想转账1,200.50元，需要多久到账？",
        "公司不给工资怎么办，可以按《劳动法》第八十五条起诉吗",
        "好",
    ],
}
ENDPOINT = EndpointConfig(base_url="http://127.0.0.1:9/v1", model="m")
CONFIG = AugmentConfig(
    paraphrase=1.0, paraphraser=ENDPOINT, translator=TranslatorConfig(backend="openai", endpoint=ENDPOINT)
)


def answer_alike(endpoint: EndpointConfig, prompts: Sequence[tuple[str, str]], seed: int) -> list[str]:
    """What a server would say that swaps the halves of a text and keeps its stand-ins."""
    return [re.sub(r"^(.{4,}?)( |，)", r"\1 please ", user) for _, user in prompts]


@pytest.fixture(params=[(name, language) for name in AUGMENTERS for language in QUESTIONS], ids="-".join)
def augmenter(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Augmenter, str]:
    name, language = request.param
    monkeypatch.setattr(module, "ask_all", answer_alike)
    monkeypatch.setattr("tuneloop.data.augment.translate.ask_all", answer_alike)
    return AUGMENTERS[name](Setting(CONFIG, language, Path(), 42)), language


def questions(language: str, seed: int = 1) -> list[Question]:
    return [Question(protect(text, language), random.Random(seed)) for text in QUESTIONS[language]]


def test_there_is_one_answer_for_each_question(augmenter: tuple[Augmenter, str]) -> None:
    vary, language = augmenter
    variants = vary(questions(language))
    assert len(variants) == len(QUESTIONS[language])
    assert all(variant is None or variant for variant in variants)
    assert list(vary([])) == []


def test_values_survive(augmenter: tuple[Augmenter, str]) -> None:
    vary, language = augmenter
    for text, variant in zip(QUESTIONS[language], vary(questions(language)), strict=True):
        for value in values_of(text, language):
            assert variant is None or value in variant


def test_the_same_seed_gives_the_same_variants(augmenter: tuple[Augmenter, str]) -> None:
    vary, language = augmenter
    assert list(vary(questions(language))) == list(vary(questions(language)))


def test_something_is_varied(augmenter: tuple[Augmenter, str]) -> None:
    vary, language = augmenter
    found = [variant for seed in range(5) for variant in vary(questions(language, seed)) if variant is not None]
    assert set(found) - set(QUESTIONS[language])


@pytest.mark.parametrize("name", AUGMENTERS)
def test_every_augmenter_has_a_share_in_the_recipe_and_words(name: str) -> None:
    assert AugmentConfig.model_fields[name].default == 0.0
    values = {name: 0.5, "paraphraser": ENDPOINT.model_dump()}
    assert AugmentConfig.model_validate(values).wanted == {name: 0.5}
    assert say(f"data.report.augment_{name}", "en")
    assert say(f"data.report.augment_{name}", "zh")


@pytest.mark.parametrize("reason", [*CHECKS, "nothing", "taken"])
def test_every_reason_to_drop_a_variant_has_words(reason: str) -> None:
    assert say(f"data.report.dropped_{reason}", "en")
    assert say(f"data.report.dropped_{reason}", "zh")


def test_the_checks_of_a_way_exist() -> None:
    assert set(ONLY) <= set(AUGMENTERS)
    assert {name for names in ONLY.values() for name in names} <= set(CHECKS)


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_lets_a_good_variant_pass(check: str) -> None:
    assert not CHECKS[check](Pair("How do I block card 4711?", "How can I block card 4711?", "en", ()))
    assert not CHECKS[check](Pair("尾号4711的卡怎么挂失？", "尾号4711的卡如何挂失？", "zh", ()))


def test_the_recipe_knows_every_translator() -> None:
    annotation = TranslatorConfig.model_fields["backend"].annotation
    assert set(getattr(annotation, "__args__", ())) == set(TRANSLATORS)
