"""Which variants are refused: those that lost or gained a value, a negation, the language, or the subject.

To add a check: a function `(question, variant) -> bool` that says whether the variant fails, and its name in `CHECKS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tuneloop.data.augment.protect import values_of
from tuneloop.text.language import detect_language
from tuneloop.text.words import split_characters

NEAR = 0.2
"""Share of the question's words (Chinese: characters) that a variant must still have."""

_NOT_EN = re.compile(
    r"\b(?:not|no|never|none|nothing|nobody|cannot|without|unable"
    r"|(?:do|does|did|is|are|was|were|ca|could|wo|would|should|has|have|had|must|need|ai)n[’']?t)\b",
    re.IGNORECASE,
)
_I = re.compile(r"\b(?:i|me|my|mine|myself|we|us|our|ours)\b", re.IGNORECASE)
_ASKS = re.compile(r"\?|\b(?:how|what|where|when|which|who|whom|whose|why)\b", re.IGNORECASE)
_NOT_ZH = re.compile(r"[不没勿]|未(?!来)|无(?!线)|(?<![特分区级类性告])别(?![人的])|非(?!常)")


class Pair(NamedTuple):
    """A question and a variant of it."""

    question: str
    variant: str
    language: str
    known: Sequence[str]
    """Values of the question that are known from its tags."""


def is_same(pair: Pair) -> bool:
    return not pair.variant.strip() or pair.variant == pair.question


def lost_value(pair: Pair) -> bool:
    """A value of the question is not in the variant as often as it was, or the variant has a new one."""
    before = values_of(pair.question, pair.language, pair.known)
    after = values_of(pair.variant, pair.language, pair.known)
    missing = [value for value, count in before.items() if pair.variant.count(value) < count]
    new = [value for value in after if any(letter.isdigit() for letter in value) and value not in pair.question]
    return bool(missing or new)


def lost_negation(pair: Pair) -> bool:
    """One of the two denies something, the other does not."""
    return _denies(pair.question) != _denies(pair.variant)


def changed_language(pair: Pair) -> bool:
    return detect_language(pair.variant) != detect_language(pair.question)


def changed_length(pair: Pair) -> bool:
    """The variant is less than half, or more than twice and 20 characters longer than the question."""
    before, after = len(pair.question), len(pair.variant)
    return after < 0.5 * before or after > 2 * before + 20


def went_astray(pair: Pair) -> bool:
    """Too little of the question is left for the two to mean the same."""
    before, after = _features(pair.question), _features(pair.variant)
    return bool(before) and len(before & after) < NEAR * len(before)


def changed_speaker(pair: Pair) -> bool:
    """The customer speaks less of themself: `I would like` came back as `would you like`. (Chinese leaves 我 out freely.)"""
    return pair.language == "en" and len(_I.findall(pair.variant)) < len(_I.findall(pair.question))


def stopped_asking(pair: Pair) -> bool:
    """The question asked how, where or what, and the variant asks nothing: `how do I do it` came back as `as I do`."""
    return pair.language == "en" and bool(_ASKS.search(pair.question)) and not _ASKS.search(pair.variant)


CHECKS: dict[str, Callable[[Pair], bool]] = {
    "same": is_same,
    "value": lost_value,
    "negation": lost_negation,
    "language": changed_language,
    "length": changed_length,
    "astray": went_astray,
    "speaker": changed_speaker,
    "asking": stopped_asking,
}


ONLY: dict[str, tuple[str, ...]] = {"noise": ("same", "value")}
"""Ways that need only some of the checks: a typing mistake leaves the words what they are."""


def why_refused(pair: Pair, way: str = "") -> str | None:
    """Name of the first check that a variant fails; None when it may be used.

    >>> why_refused(Pair("Block card 4711", "Lock card 4711", "en", ()))
    >>> why_refused(Pair("Block card 4711", "Lock card 4712", "en", ()))
    'value'
    >>> why_refused(Pair("I did not pay that", "I did pay that", "en", ()))
    'negation'
    """
    return next((name for name in ONLY.get(way, tuple(CHECKS)) if CHECKS[name](pair)), None)


def _denies(text: str) -> bool:
    return bool(_NOT_ZH.search(text) or _NOT_EN.search(text))


def _features(text: str) -> set[str]:
    """Beginnings of English words and single Chinese characters."""
    return {word[:5] for word in split_characters(text)}
