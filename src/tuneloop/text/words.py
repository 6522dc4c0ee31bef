"""Words of English and Chinese text, as metrics count them."""

from __future__ import annotations

import re
import unicodedata

import rjieba

_ENGLISH_WORD = re.compile(r"[a-z0-9]+")
_HAN_RANGES = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_HAN = re.compile(f"[{_HAN_RANGES}]")
_CHARACTER = re.compile(rf"[{_HAN_RANGES}]|[^\W{_HAN_RANGES}]+")


def words(text: str, language: str) -> list[str]:
    """Split text into lower-case words; punctuation and spaces are no words.

    English: runs of the letters a–z and digits, exactly as ROUGE's reference implementation splits.
    Chinese: dictionary words as jieba cuts them (what ROUGE for Chinese is usually computed on), full-width letters and
    digits made half-width; Latin words and numbers inside Chinese text stay whole.

    Args:
        text: any text.
        language: `zh` for Chinese; everything else is split as English.

    >>> words("Your limit's £10,000.", "en")
    ['your', 'limit', 's', '10', '000']
    >>> words("请问ＶＩＳＡ信用卡的额度是多少？", "zh")
    ['请问', 'visa', '信用卡', '的', '额度', '是', '多少']
    """
    if language != "zh":
        return _ENGLISH_WORD.findall(text.lower())
    pieces = rjieba.cut(unicodedata.normalize("NFKC", text).lower())
    return [piece for piece in pieces if any(letter.isalnum() for letter in piece)]


def split_characters(text: str) -> list[str]:
    """Split text into Chinese characters, one by one, and whole Latin words and numbers, all lower-case.

    What character-based ROUGE and BLEU of Chinese are computed on; punctuation and spaces are left out.

    >>> split_characters("ＶＩＳＡ卡的额度是10000？")
    ['visa', '卡', '的', '额', '度', '是', '10000']
    """
    return _CHARACTER.findall(unicodedata.normalize("NFKC", text).lower())


def has_han(text: str) -> bool:
    """Say whether text holds a Chinese character.

    >>> has_han("OK, 好"), has_han("OK")
    (True, False)
    """
    return _HAN.search(text) is not None
