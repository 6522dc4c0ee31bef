"""Augmentation as a whole: shares, origins, caps, leaks, and what never changes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tuneloop.core.records import Message, Meta, Sample
from tuneloop.data.augment import run as module
from tuneloop.data.augment.config import AugmentConfig, EndpointConfig, TranslatorConfig
from tuneloop.data.augment.run import AUGMENTED, PARENT, Made, augment
from tuneloop.text.normalise import question_key

from ..conftest import Listener


def sample(number: int, question: str = "", source: str = "faq.csv", **tags: str) -> Sample:
    asked = question or f"How do I cancel my card number {number}, can you tell me?"
    said = (Message(role="user", content=asked), Message(role="assistant", content=f"Cancel {number}."))
    return Sample(id=f"{number:016x}", messages=said, meta=Meta(source=source, row=number, lang="en", tags=tags))


def variants(
    samples: list[Sample], *, made: dict[str, Made] | None = None, seed: int = 42, **config: object
) -> list[Sample]:
    return list(augment(samples, AugmentConfig.model_validate(config), language="en", seed=seed, made=made))


def test_nothing_is_made_by_default() -> None:
    assert variants([sample(n) for n in range(10)]) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_a_share_of_the_training_rows_is_added(share: float) -> None:
    assert len(variants([sample(n) for n in range(300)], noise=share)) == pytest.approx(300 * share, abs=3)


def test_a_variant_keeps_the_answer_and_names_its_origin() -> None:
    parents = {one.id: one for one in (sample(n, intent="cancel") for n in range(50))}
    made = variants(list(parents.values()), synonym=0.5)
    assert made
    for variant in made:
        parent = parents[variant.meta.tags[PARENT]]
        assert variant.meta.tags == {"intent": "cancel", AUGMENTED: "synonym", PARENT: parent.id}
        assert (variant.meta.source, variant.meta.row) == (parent.meta.source, parent.meta.row)
        assert variant.answer == parent.answer
        assert variant.question != parent.question
        assert str(parent.meta.row) in variant.question
    assert len({variant.id for variant in made} | set(parents)) == len(made) + len(parents)


def test_only_the_last_question_of_a_dialogue_is_varied() -> None:
    turns = [
        ("system", "Be kind."),
        ("user", "Can you help me?"),
        ("assistant", "Yes."),
        ("user", "How do I cancel it?"),
    ]
    said = tuple(
        Message.model_validate({"role": role, "content": text}) for role, text in [*turns, ("assistant", "So.")]
    )
    dialogue = Sample(id="d", messages=said, meta=Meta(source="s", row=1))
    (made,) = variants([dialogue], synonym=1.0)
    assert made.messages[:3] == said[:3]
    assert made.messages[3].content != "How do I cancel it?"
    assert made.messages[4] == said[4]


def test_what_was_flagged_is_not_multiplied() -> None:
    samples = [sample(n, flags="template_leftovers,profanity" if n % 2 else "template_leftovers") for n in range(60)]
    made = variants(samples, noise=1.0)
    assert made
    assert {one.meta.row % 2 for one in made} == {0}


def test_the_same_seed_gives_the_same_variants_and_another_seed_others() -> None:
    samples = [sample(n) for n in range(100)]
    shares = {"synonym": 0.2, "noise": 0.2}
    assert variants(samples, **shares) == variants(samples, **shares)
    assert variants(samples, **shares) != variants(samples, seed=7, **shares)


def test_no_source_gets_more_than_its_cap() -> None:
    samples = [sample(n, source="big.csv" if n % 10 else "small.csv") for n in range(200)]
    made = variants(samples, noise=2.0, synonym=2.0, max_per_source=0.5)
    assert Counter(one.meta.source for one in made) == {"big.csv": 90, "small.csv": 10}


def test_a_question_that_stands_elsewhere_is_not_made() -> None:
    samples = [sample(n) for n in range(100)]
    config = AugmentConfig(synonym=1.0)
    free = {question_key(one.question) for one in augment(samples, config, language="en", seed=42)}
    made: dict[str, Made] = {}
    bound = augment(
        samples, config, language="en", seed=42, made=made, taken=lambda variant, _: question_key(variant) in free
    )
    assert not {question_key(one.question) for one in bound} & free
    assert made["synonym"].dropped["taken"] > 0


def test_no_two_variants_ask_the_same() -> None:
    same = [sample(n, "How do I cancel my card, can you tell me?") for n in range(60)]
    keys = [question_key(one.question) for one in variants(same, synonym=1.0)]
    assert len(keys) == len(set(keys)) > 3


def test_what_was_dropped_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [
        "How do I cancel my card?",
        None,
        "Wie kündige ich?",
        "How do I not cancel my card number 3, can you tell me?",
    ]
    monkeypatch.setitem(module.AUGMENTERS, "noise", lambda setting: lambda questions: [bad[0] for _ in questions])
    made: dict[str, Made] = {}
    assert variants([sample(n) for n in range(40)], noise=0.5, made=made) == []
    assert made["noise"].added == 0
    assert sum(made["noise"].dropped.values()) == made["noise"].tried > 0
    assert set(made["noise"].dropped) == {"value"}


def test_a_way_that_falls_short_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.AUGMENTERS, "noise", lambda setting: lambda questions: [None for _ in questions])
    listener = Listener()
    samples = [sample(n) for n in range(20)]
    assert not list(augment(samples, AugmentConfig(noise=0.5), language="en", seed=1, progress=listener))
    assert listener.notes == [
        "Augmentation by typing mistakes made 0 of 10 variants; the report says why the others were dropped."
    ]


def test_a_way_that_never_works_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.AUGMENTERS, "noise", lambda setting: lambda questions: [None for _ in questions])
    made: dict[str, Made] = {}
    variants([sample(n) for n in range(2000)], noise=0.1, made=made)
    assert made["noise"].tried < 5 * 200


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=8), st.sampled_from(["en", "zh"]))
def test_no_question_breaks_it_and_digits_always_survive(texts: list[str], language: str) -> None:
    samples = [sample(n, text or "?") for n, text in enumerate(texts)]
    config = AugmentConfig(synonym=1.0, noise=1.0, max_per_source=5)
    for made in augment(samples, config, language=language, seed=1):
        parent = next(one for one in samples if one.id == made.meta.tags[PARENT])
        assert sorted(filter(str.isdigit, made.question)) == sorted(filter(str.isdigit, parent.question))


@pytest.mark.parametrize(
    "values",
    [
        {"paraphrase": 0.1},
        {"translator": {"backend": "openai"}},
        {"translator": {"backend": "ctranslate2", "there": "x"}},
        {"paraphraser": {"base_url": "bank.example", "model": "m"}},
        {"synonym": -0.1},
    ],
)
def test_a_recipe_that_can_not_work_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        AugmentConfig.model_validate(values)


def test_a_key_never_stands_in_the_recipe() -> None:
    assert "api_key" not in EndpointConfig.model_fields
    assert "key" not in " ".join(TranslatorConfig.model_fields)
