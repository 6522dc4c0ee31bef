"""Perturbed questions: paired with their clean rows, judged as those, and put into one figure by row."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneloop.core.records import Sample
from tuneloop.data.grammar import make_samples
from tuneloop.evaluation.answers import Answer
from tuneloop.evaluation.config import RobustnessConfig
from tuneloop.evaluation.robustness import MARK, paraphrase_pairs, robustness, variants_of
from tuneloop.evaluation.scoring import Rows, score_arm
from tuneloop.evaluation.script import load_script


def rows_of(count: int = 30) -> Rows:
    samples = [sample for sample, split in make_samples("bank-service", "en", 10 * count, 1) if split == "test"]
    return Rows(
        samples=samples,
        units=[sample.id for sample in samples],
        metrics=("rouge_l",),
        script=load_script("bank-service"),
        language="en",
        seed=0,
    )


def said(text: str) -> Answer:
    return Answer(key="k", text=text, tokens=5, finish_reason="stop", first_token_seconds=0.0, seconds=0.0)


ROWS = rows_of()
RIGHT = score_arm(ROWS, [said(row.answer) for row in ROWS.samples])
ANSWERS = {row.id: row.answer for row in ROWS.samples}


def never_disturbed(arm: str, samples: Sequence[Sample]) -> list[Answer]:
    return [said(ANSWERS[sample.id.split(MARK)[0]]) for sample in samples]


def lost_by_typos(arm: str, samples: Sequence[Sample]) -> list[Answer]:
    whole = never_disturbed(arm, samples)
    return [
        said("What?") if sample.id.endswith("keyboard") else one for sample, one in zip(samples, whole, strict=True)
    ]


def test_the_last_question_is_perturbed_and_nothing_else() -> None:
    variants = variants_of(ROWS, RobustnessConfig(rows=10))
    assert len({variant.place for variant in variants}) == 10
    assert len(variants) <= 80
    for variant in variants:
        row = ROWS.samples[variant.place]
        assert variant.sample.question != row.question
        assert variant.sample.messages[:-2] == row.messages[:-2]
        assert variant.sample.answer == row.answer
        assert variant.sample.meta == row.meta
    assert len({variant.sample.id for variant in variants}) == len(variants)


def test_full_takes_every_row_and_every_perturbation() -> None:
    some = variants_of(ROWS, RobustnessConfig(rows=5, perturbations=3))
    every = variants_of(ROWS, RobustnessConfig(rows=5, perturbations=3, full=True))
    assert {variant.place for variant in every} == set(range(len(ROWS.samples)))
    assert len(every) > 8 * len(some) / 3


def test_a_model_that_nothing_disturbs_loses_nothing() -> None:
    probe = robustness(ROWS, "script_compliance", "tuned", RIGHT, never_disturbed, RobustnessConfig(rows=20))
    assert probe is not None
    figures = probe.arms["tuned"]
    assert (figures["clean"].value, figures["perturbed"].value, figures["drop"].value) == (1.0, 1.0, 0.0)
    assert figures["changed"].value == 0.0
    assert probe.details["examples"] == []


@pytest.mark.parametrize("metric", ["script_compliance", "rouge_l"])
def test_the_worst_perturbation_is_named_and_the_drop_has_an_interval(metric: str) -> None:
    probe = robustness(ROWS, metric, "tuned", RIGHT, lost_by_typos, RobustnessConfig(rows=20))
    assert probe is not None
    assert probe.loss is not None
    assert probe.loss.low is not None
    assert 0 < probe.loss.low < probe.loss.value
    assert probe.details["worst"] == "keyboard"
    table = probe.details["perturbations"]
    assert table["keyboard"]["drop"]["low"] > 0.5
    assert table["drop"]["drop"]["value"] == 0.0
    assert table["keyboard"]["changed"]["value"] == 1.0
    assert {example["perturbation"] for example in probe.details["examples"]} == {"keyboard"}


def test_rows_that_ask_the_same_are_paired_and_compared_without_their_values() -> None:
    pairs = paraphrase_pairs(ROWS, RIGHT)
    assert pairs["pairs"] >= 1
    assert pairs["same"]["value"] == 1.0
    other = score_arm(ROWS, [said(row.id) for row in ROWS.samples])
    assert paraphrase_pairs(ROWS, other)["same"]["value"] == 0.0


def test_the_loss_is_what_a_baseline_on_clean_questions_is_better() -> None:
    weak = score_arm(ROWS, [said("What?") for _ in ROWS.samples])
    config = RobustnessConfig(rows=20)
    against_weak = robustness(ROWS, "script_compliance", "tuned", RIGHT, lost_by_typos, config, weak)
    against_same = robustness(ROWS, "script_compliance", "tuned", RIGHT, lost_by_typos, config, RIGHT)
    assert against_weak is not None
    assert against_same is not None
    assert against_weak.loss is not None
    assert against_weak.loss.value < -0.8
    assert against_same.loss == against_same.arms["tuned"]["drop"]
