"""Keys of texts: two texts with the same key count as the same text, or as the same question.

A key is compared and hashed, never shown and never trained on.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_SPACES = re.compile(r"\s+")
_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"
_SPACE_BESIDE_HAN = re.compile(rf"(?<={_HAN})\s+|\s+(?={_HAN})")
_BLANK_CATEGORIES = frozenset({"Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Cc", "Cf"})


def text_key(text: str) -> str:
    """The key of exact duplicates: the text without differences of case, spacing and Unicode composition.

    >>> text_key("  Where is\\n my Card? ") == text_key("where is my card?")
    True
    >>> text_key("我的 银行卡") == text_key("我的银行卡")
    True
    >>> text_key("10²") == text_key("102")
    False
    """
    folded = _SPACES.sub(" ", unicodedata.normalize("NFC", text).casefold()).strip()
    return _SPACE_BESIDE_HAN.sub("", folded)


def question_key(text: str) -> str:
    """The key of one question: `text_key`, and also without punctuation, full-width forms and zero-width characters.

    Symbols that change the meaning (`+`, `<`, `$`) stay. A text of punctuation alone is its own key.

    >>> question_key("Where's my card?!") == question_key("where’s my card")
    True
    >>> question_key("请问，ＶＩＳＡ卡怎么办？") == question_key("请问visa卡怎么办")
    True
    >>> question_key("1+1") == question_key("11")
    False
    """
    wide = unicodedata.normalize("NFKC", text)
    bare = "".join(" " if unicodedata.category(letter) in _BLANK_CATEGORIES else letter for letter in wide)
    return text_key(bare) or text_key(text)


def digest(*keys: str) -> str:
    """A short, fixed-size stand-in for keys (32 hexadecimal digits), so that a million of them fit in memory.

    >>> digest("a", "b") == digest("a", "b") != digest("ab", "")
    True
    """
    value = hashlib.blake2b(digest_size=16)
    for key in keys:
        encoded = key.encode("utf-8", "surrogatepass")
        value.update(len(encoded).to_bytes(8, "big") + encoded)
    return value.hexdigest()
