"""Metrics equal their reference implementations where these are right, and are sensible for Chinese."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from tuneloop.evaluation.metrics import (
    RowMetric,
    bleu,
    bleu_statistics,
    chrf_statistics,
    corpus_bleu,
    corpus_chrf,
    exact_match,
    normalised,
    repetition,
    rouge_1,
    rouge_2,
    rouge_l,
    signatures,
    token_f1,
)

english = st.text(alphabet="abcd EFG.,'!-0123\n", max_size=60)
VOCABULARY = ("the", "card", "is", "blocked", "at", "once", "call", "us", "now", "4,000.50")
words = st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=30)
chinese = st.text(alphabet="您的银行卡已经挂失额度是多少元，。 AB12", min_size=1, max_size=40)


@pytest.mark.parametrize(("metric", "kind"), [(rouge_1, "rouge1"), (rouge_2, "rouge2"), (rouge_l, "rougeL")])
@given(prediction=english, reference=english)
@settings(max_examples=120, deadline=None)
def test_rouge_equals_rouge_score_for_english_to_the_last_digit(
    metric: RowMetric, kind: str, prediction: str, reference: str
) -> None:
    expected = RougeScorer([kind], use_stemmer=False).score(reference, prediction)[kind].fmeasure
    assert metric(prediction, reference, "en") == expected


def test_rouge_l_of_chinese_grows_with_what_is_shared() -> None:
    reference = "您的信用卡已经挂失，新卡将在五个工作日内寄出。"
    near = rouge_l("您的信用卡已挂失，新卡五个工作日内寄出。", reference, "zh")
    far = rouge_l("今天天气很好。", reference, "zh")
    assert RougeScorer(["rougeL"]).score(reference, reference)["rougeL"].fmeasure == 0  # the trap
    assert far < 0.2 < 0.7 < near < 1


def test_width_and_case_do_not_matter_to_chinese_words() -> None:
    assert rouge_l("ＶＩＳＡ信用卡", "visa信用卡", "zh") == 1


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("Yes.", "yes", 1),
        ("ＹＥＳ！", "yes", 1),
        ("yes \n", "  Yes", 1),
        ("no", "yes", 0),
        ("额度是５０００元。", "额度是5000元", 1),
        ("额度 是 5000 元", "额度是5000元。", 1),
        ("$5,000.00", "$5,000", 0),
        ("", "yes", 0),
        ("...", "?", 0),
    ],
)
def test_exact_match_forgives_form_but_not_content(prediction: str, reference: str, expected: int) -> None:
    assert exact_match(prediction, reference, "en") == expected


@given(st.text(max_size=60))
def test_normalising_twice_changes_nothing(answer: str) -> None:
    assert normalised(normalised(answer)) == normalised(answer)


def test_token_f1_counts_repeated_words_once_for_each_time() -> None:
    assert token_f1("card card card", "card blocked", "en") == pytest.approx(2 * 1 / 5)


@given(st.lists(st.tuples(words, words), min_size=1, max_size=6))
@settings(max_examples=100)
def test_corpus_bleu_equals_sacrebleu(pairs: list[tuple[list[str], list[str]]]) -> None:
    texts = [(" ".join(prediction), " ".join(reference)) for prediction, reference in pairs]
    sums = np.array([bleu_statistics(*pair, "en") for pair in texts], dtype=float).sum(axis=0)
    expected = BLEU().corpus_score([p for p, _ in texts], [[r for _, r in texts]])
    assert float(corpus_bleu(sums)) == pytest.approx(expected.score, abs=1e-9)


@given(st.lists(st.tuples(chinese, chinese), min_size=1, max_size=5))
@settings(max_examples=50)
def test_corpus_bleu_of_chinese_equals_sacrebleu_with_its_chinese_tokeniser(pairs: list[tuple[str, str]]) -> None:
    sums = np.array([bleu_statistics(*pair, "zh") for pair in pairs], dtype=float).sum(axis=0)
    expected = BLEU(tokenize="zh").corpus_score([p for p, _ in pairs], [[r for _, r in pairs]])
    assert float(corpus_bleu(sums)) == pytest.approx(expected.score, abs=1e-9)


@given(st.lists(st.tuples(st.one_of(english, chinese), st.one_of(english, chinese)), min_size=1, max_size=5))
@settings(max_examples=80, deadline=None)
def test_corpus_chrf_equals_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    sums = np.array([chrf_statistics(*pair, "en") for pair in pairs], dtype=float).sum(axis=0)
    expected = CHRF().corpus_score([p for p, _ in pairs], [[r for _, r in pairs]])
    assert float(corpus_chrf(sums)) == pytest.approx(expected.score, abs=1e-9)


def test_repetition_is_the_share_of_groups_said_before() -> None:
    assert repetition("a b c d e f", "", "en") == 0
    assert repetition("yes " * 40, "", "en") > 0.9
    assert repetition("好的好的" * 10, "", "zh") > 0.9


def test_sentence_bleu_is_sacrebleus() -> None:
    expected = BLEU(effective_order=True).sentence_score("the card is blocked", ["the card was blocked"]).score
    assert bleu("the card is blocked", "the card was blocked", "en") == expected


def test_signatures_are_those_that_sacrebleu_prints() -> None:
    for name, metric in (("bleu", BLEU(tokenize="zh")), ("chrf", CHRF())):
        metric.corpus_score(["好"], [["好"]])
        assert signatures([name], ["zh"])[name] == metric.get_signature().format(short=False)
