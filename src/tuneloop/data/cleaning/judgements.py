"""Rules about a whole sample: too short, too long, in the wrong language."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from unicodedata import category

from tuneloop.data.cleaning.config import CleanConfig
from tuneloop.data.turns import Turn
from tuneloop.text.language import detect_language, foreign_latin

SHOWN = 240
LETTERS = 20
"""Letters below which the language of an answer can't be told: labels, numbers and names are no sentences."""

Find = Callable[[Sequence[Turn]], str | None]


def too_short(config: CleanConfig) -> Find:
    """Find a question or an answer with fewer letters and digits than the recipe asks for.

    >>> find = too_short(CleanConfig(min_answer=2))
    >>> find([("user", "Hi?"), ("assistant", "...")]), find([("user", "Hi?"), ("assistant", "OK")])
    ('...', None)
    """
    least = {"user": config.min_question, "assistant": config.min_answer}

    def find(turns: Sequence[Turn]) -> str | None:
        poor = (text[:SHOWN] for role, text in turns if text and not _says_enough(text, least.get(role, 0)))
        return next(poor, None)

    return find


def too_long(config: CleanConfig) -> Find:
    """Find a question or an answer with more characters than the recipe allows."""
    most = {"user": config.max_question, "assistant": config.max_answer}

    def find(turns: Sequence[Turn]) -> str | None:
        long = (text[:SHOWN] for role, text in turns if role in most and len(text) > most[role])
        return next(long, None)

    return find


def wrong_language(language: str) -> Find:
    """Find answers that are not in the data's language.

    >>> find = wrong_language("zh")
    >>> find([("user", "你好"), ("assistant", "Please open the app and tap Cards.")])
    'Please open the app and tap Cards.'
    """

    def find(turns: Sequence[Turn]) -> str | None:
        answers = "\n".join(text for role, text in turns if role == "assistant")
        if sum(map(str.isalpha, answers[:SHOWN])) < LETTERS:
            return None
        foreign = detect_language(answers) != language or (language == "en" and foreign_latin(answers) is not None)
        return answers[:SHOWN] if foreign else None

    return find


def _says_enough(text: str, least: int) -> bool:
    """Count letters, digits and symbols such as emoji, but no spaces and no punctuation, until there are enough."""
    counted = islice((letter for letter in text if letter.isalnum() or category(letter)[0] == "S"), least)
    return sum(1 for _ in counted) >= least
