"""What every metric of the table promises, whatever it measures."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneloop.core.messages import text
from tuneloop.evaluation.config import MetricName
from tuneloop.evaluation.metrics import BEST, BINARY, METRICS, POOLED, best, signatures

PAIRS = {
    "en": (
        "Your card has been blocked, and a new one is on its way.",
        "We have blocked your card. A new card follows.",
    ),
    "zh": ("您的银行卡已经挂失，新卡将在五天内寄出。", "已为您办理挂失，新卡五天内送达。"),
}
metrics = pytest.mark.parametrize("name", METRICS)
languages = pytest.mark.parametrize("language", PAIRS)


def test_the_recipe_knows_every_metric_of_the_table() -> None:
    assert set(get_args(MetricName)) == set(METRICS)
    assert (POOLED.keys() | BEST.keys()) <= METRICS.keys()


@metrics
@languages
def test_a_reference_scores_best_against_itself(name: str, language: str) -> None:
    for answer in PAIRS[language]:
        assert METRICS[name](answer, answer, language) == pytest.approx(best(name))


@metrics
@languages
def test_an_empty_or_unrelated_answer_scores_nothing(name: str, language: str) -> None:
    assert METRICS[name]("", PAIRS[language][0], language) == 0
    assert METRICS[name]("xzzjx", PAIRS[language][0], language) == 0


@metrics
@languages
def test_a_similar_answer_scores_between_unless_the_metric_knows_only_right_and_wrong(name: str, language: str) -> None:
    score = METRICS[name](*PAIRS[language], language)
    if name in BINARY:
        assert score in (0.0, best(name))
    else:
        assert 0.01 * best(name) < score < 0.95 * best(name)


@metrics
@given(
    prediction=st.text(max_size=80), reference=st.text(min_size=1, max_size=80), language=st.sampled_from(["en", "zh"])
)
@settings(max_examples=60, deadline=None)
def test_any_text_gets_a_score_in_range_and_always_the_same(
    name: str, prediction: str, reference: str, language: str
) -> None:
    score = METRICS[name](prediction, reference, language)
    assert 0 <= score <= best(name) + 1e-9
    assert METRICS[name](prediction, reference, language) == score


@metrics
def test_chinese_in_an_english_dataset_is_not_scored_zero_in_silence(name: str) -> None:
    answer = PAIRS["zh"][0]
    assert METRICS[name](answer, answer, "en") == pytest.approx(best(name))


@metrics
def test_every_metric_has_a_name_in_both_languages_and_a_signature(name: str) -> None:
    assert text(f"evaluation.metric.{name}", "en")
    assert text(f"evaluation.metric.{name}", "zh")
    assert signatures([name], ["en", "zh"])[name]


@pytest.mark.parametrize("name", POOLED)
@languages
def test_a_pooled_metric_reaches_its_best_on_right_answers_and_never_leaves_its_range(name: str, language: str) -> None:
    metric = POOLED[name]
    right = np.array([metric.statistics(answer, answer, language) for answer in PAIRS[language]], dtype=float)
    assert float(metric.value(right.sum(axis=0))) == pytest.approx(best(name))
    empty = np.array([metric.statistics("", answer, language) for answer in PAIRS[language]], dtype=float)
    assert float(metric.value(empty.sum(axis=0))) == 0
    stacked = np.stack([right.sum(axis=0), empty.sum(axis=0)])
    assert metric.value(stacked).tolist() == pytest.approx([best(name), 0])
