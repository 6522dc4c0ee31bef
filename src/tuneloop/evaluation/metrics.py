"""Metrics: how near an answer is to its reference, row by row.

`METRICS` is the plug-in point: a function `(prediction, reference, language) -> float` per name. The value reported for
many rows is the mean, unless `POOLED` says how rows are put together (corpus BLEU is no mean of sentences).
To add one: write the function, add a line to `METRICS` (and to `BINARY` or `POOLED` where it belongs), its name to
`MetricName` in `config.py`, and its label `evaluation.metric.<name>` to the messages. The contract test picks it up.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tuneloop.evaluation.facts import FINDERS, claims, content_words, covered, is_named, points
from tuneloop.evaluation.statistics import Array, Estimate
from tuneloop.text.words import has_han, split_characters, words

if TYPE_CHECKING:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

RowMetric = Callable[[str, str, str], float]
"""Prediction, reference and language (`en` or `zh`) to a score that is higher for a better answer."""

_FINAL_PUNCTUATION = ".!?;:,~。、…"
_SPACE_BESIDE_HAN = re.compile(r"(?<=[㐀-鿿]) +| +(?=[㐀-鿿])")
_ORDERS = 4
_BETA_SQUARED = 4


def normalised(text: str) -> str:
    """Text without differences that do not matter: case, full or half width, spacing, final punctuation.

    >>> normalised("  Your  card is BLOCKED.\\n") == normalised("your card is blocked")
    True
    >>> normalised("ＯＫ， 已挂失。")
    'ok,已挂失'
    """
    text = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    text = _SPACE_BESIDE_HAN.sub("", text)
    # "OK, 好" and "OK，好" differ in a space only: full-width punctuation carries it inside.
    text = re.sub(r"(?<=[,;:!?]) (?=[㐀-鿿])", "", text)
    return text.rstrip(_FINAL_PUNCTUATION + " ") or text


def exact_match(prediction: str, reference: str, language: str) -> float:
    """1 when both are the same after `normalised`, else 0."""
    return float(normalised(prediction) == normalised(reference))


def token_f1(prediction: str, reference: str, language: str) -> float:
    """F1 of the words that both hold, order apart (as for SQuAD, but articles count).

    >>> round(token_f1("your card is blocked", "the card is blocked", "en"), 2)
    0.75
    """
    predicted, expected = (words(text, split_as(reference, language)) for text in (prediction, reference))
    if not predicted or not expected:
        return exact_match(prediction, reference, language)
    common = sum((Counter(predicted) & Counter(expected)).values())
    return 2 * common / (len(predicted) + len(expected))


def rouge_l(prediction: str, reference: str, language: str) -> float:
    """F-measure of the longest common subsequence of words (Lin 2004).

    English: the value of rouge-score without stemming, to the last digit. Chinese: the same formula over words as jieba
    cuts them; rouge-score's own splitting sees no words in Chinese and gives 0.
    """
    return _rouge_score("rougeL", prediction, reference, language)


def rouge_1(prediction: str, reference: str, language: str) -> float:
    """F-measure of the words in common (Lin 2004); words as in `rouge_l`."""
    return _rouge_score("rouge1", prediction, reference, language)


def rouge_2(prediction: str, reference: str, language: str) -> float:
    """F-measure of the pairs of words in common (Lin 2004); words as in `rouge_l`. A single word has no pairs: 0."""
    return _rouge_score("rouge2", prediction, reference, language)


def chrf(prediction: str, reference: str, language: str) -> float:
    """Sentence chrF, 0 to 100 (sacrebleu, character orders 1 to 6, beta 2). `POOLED` gives what is reported."""
    return float(corpus_chrf(np.array(chrf_statistics(prediction, reference, language), dtype=np.float64)))


def fact_recall(prediction: str, reference: str, language: str) -> float:
    """Share of the reference's facts and points that the answer gives, 0 to 1.

    A fact (number, date, cited law or article, address) counts as found or not; a point (list item or sentence) by the
    share of its content words that the answer says. `grounded` beside it says whether facts were invented.
    """
    split = split_as(reference, language)
    said, spoken = claims(prediction), content_words(prediction, split)
    found = [float(claim in said or is_named(claim, prediction)) for claim in claims(reference)]
    found += [covered(point, spoken, split) for point in points(reference)]
    return sum(found) / len(found) if found else exact_match(prediction, reference, language)


def bleu(prediction: str, reference: str, language: str) -> float:
    """Sentence BLEU, 0 to 100 (sacrebleu, effective order). Good for pairing rows; `POOLED` gives what is reported."""
    return float(_bleu(bleu_tokenizer(reference, language)).sentence_score(prediction, [reference]).score)


def split_as(reference: str, language: str) -> str:
    """How a row's words are split: as Chinese where the language or the reference is. No score is 0 in silence."""
    return "zh" if language == "zh" or has_han(reference) else "en"


def bleu_tokenizer(reference: str, language: str) -> str:
    """sacrebleu's tokeniser for a row."""
    return "zh" if split_as(reference, language) == "zh" else "13a"


def bleu_statistics(prediction: str, reference: str, language: str) -> tuple[float, ...]:
    """What corpus BLEU sums over rows: matches and n-grams of orders 1 to 4, length of answer and of reference."""
    score = _bleu(bleu_tokenizer(reference, language)).sentence_score(prediction, [reference])
    return (*score.counts, *score.totals, score.sys_len, score.ref_len)


def corpus_bleu(sums: Array) -> Array:
    """Corpus BLEU, 0 to 100, from sums of `bleu_statistics` of shape `(..., 10)`; equal to sacrebleu (smoothing exp).

    sacrebleu computes one at a time; the bootstrap needs ten thousand.
    """
    matches, totals = sums[..., :_ORDERS], sums[..., _ORDERS : 2 * _ORDERS]
    answer_length, reference_length = sums[..., 8], sums[..., 9]
    halvings = np.cumsum((matches == 0) & (totals > 0), axis=-1)
    some = np.where(matches > 0, matches, 0.5**halvings)
    logs = np.log(100.0 * some / np.maximum(totals, 1.0)).mean(axis=-1)
    shortness = np.minimum(0.0, 1.0 - reference_length / np.maximum(answer_length, 1e-9))
    defined = (totals > 0).all(axis=-1) & (matches > 0).any(axis=-1) & (answer_length > 0)
    value: Array = np.where(defined, np.exp(shortness + logs), 0.0)
    return value


def chrf_statistics(prediction: str, reference: str, language: str) -> tuple[float, ...]:
    """What corpus chrF sums over rows: for each order, n-grams of the answer, of the reference, and of both."""
    (statistics,) = _chrf()._extract_corpus_statistics([prediction], [[reference]])
    return tuple(float(count) for count in statistics)


def corpus_chrf(sums: Array) -> Array:
    """Corpus chrF, 0 to 100, from sums of `chrf_statistics` of shape `(..., 18)`; equal to sacrebleu."""
    answer, reference, both = sums[..., 0::3], sums[..., 1::3], sums[..., 2::3]
    counts = (answer > 0) & (reference > 0)
    orders = np.maximum(counts.sum(axis=-1), 1)
    precision = np.where(counts, both / np.maximum(answer, 1e-9), 0.0).sum(axis=-1) / orders
    recall = np.where(counts, both / np.maximum(reference, 1e-9), 0.0).sum(axis=-1) / orders
    together = _BETA_SQUARED * precision + recall
    value: Array = 100.0 * (1 + _BETA_SQUARED) * precision * recall / np.where(together > 0, together, 1.0)
    return value


def repetition(prediction: str, reference: str, language: str) -> float:
    """Share of an answer's groups of four words (characters in Chinese) that it said before; 0: it never repeats.

    >>> repetition("we will call you back and we will call you back", "", "en")
    0.25
    """
    pieces = split_characters(prediction) if has_han(prediction) else words(prediction, "en")
    groups = [tuple(pieces[start : start + 4]) for start in range(len(pieces) - 3)]
    return 1.0 - len(set(groups)) / len(groups) if groups else 0.0


class Pooled(NamedTuple):
    """A metric whose value for many rows is no mean."""

    statistics: Callable[[str, str, str], tuple[float, ...]]
    """Prediction, reference, language to what is summed over rows."""
    value: Estimate
    """From the sums to the value."""


METRICS: dict[str, RowMetric] = {
    "exact_match": exact_match,
    "token_f1": token_f1,
    "rouge_1": rouge_1,
    "rouge_2": rouge_2,
    "rouge_l": rouge_l,
    "bleu": bleu,
    "chrf": chrf,
    "fact_recall": fact_recall,
}

POOLED: dict[str, Pooled] = {
    "bleu": Pooled(bleu_statistics, corpus_bleu),
    "chrf": Pooled(chrf_statistics, corpus_chrf),
}

BINARY = frozenset(
    {"exact_match", "script_compliance", "ended", "accuracy", "grounded", "record_match", "schema_valid"}
)
"""Scores that are 0 or 1: Wilson's interval and McNemar's test."""

BEST: dict[str, float] = {"bleu": 100.0, "chrf": 100.0}
"""The highest possible value, where it is not 1."""


def best(metric: str) -> float:
    """The highest possible value of a metric."""
    return BEST.get(metric, 1.0)


def signatures(metrics: Iterable[str], splits: Iterable[str]) -> dict[str, str]:
    """How each value was computed, so that others can compute it again.

    Args:
        metrics: names out of `METRICS`.
        splits: the values of `split_as` over the rows.
    """
    languages = sorted(set(splits))
    tokenizers = ",".join("zh" if language == "zh" else "13a" for language in languages)
    words_of = ",".join("zh:rjieba" if language == "zh" else "en:rouge-score" for language in languages)
    texts = {
        "exact_match": "case:no|width:no|space:no|final-punctuation:no",
        "token_f1": f"words:{words_of}|rjieba:{version('rjieba')}",
        **{
            name: f"{kind}|f|stemmer:no|words:{words_of}|rouge-score:{version('rouge-score')}"
            for name, kind in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL"))
        },
        "bleu": f"nrefs:1|case:mixed|eff:no|tok:{tokenizers}|smooth:exp|version:{version('sacrebleu')}",
        "chrf": f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:{version('sacrebleu')}",
        "fact_recall": f"facts:{','.join(FINDERS)}|points:items-or-sentences|words:{words_of}",
    }
    return {metric: texts[metric] for metric in metrics if metric in texts}


class _Words:
    """The tokeniser object that rouge-score asks for."""

    def __init__(self, split: str) -> None:
        self._split = split

    def tokenize(self, text: str) -> list[str]:
        return words(text, self._split)


def _rouge_score(kind: str, prediction: str, reference: str, language: str) -> float:
    scores = _rouge(kind, split_as(reference, language)).score(reference, prediction)
    return float(scores[kind].fmeasure)


@lru_cache(maxsize=8)
def _rouge(kind: str, split: str) -> Any:
    from rouge_score.rouge_scorer import RougeScorer  # brings nltk: 0.9 s

    return RougeScorer([kind], tokenizer=_Words(split))


@lru_cache(maxsize=1)
def _chrf() -> CHRF:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()


@lru_cache(maxsize=2)
def _bleu(tokenizer: str) -> BLEU:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(tokenize=tokenizer, effective_order=True)
