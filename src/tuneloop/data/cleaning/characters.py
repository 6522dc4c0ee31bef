"""Rules about single characters: wrong decoding, invisible ones, width, simplified and traditional."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Literal

import ftfy

HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"

# The defaults of ftfy turn “全角，！” into ASCII and resolve entities; both would damage Chinese text or belong to other rules.
_REPAIR = ftfy.TextFixerConfig(
    unescape_html=False,
    uncurl_quotes=False,
    fix_character_width=False,
    fix_latin_ligatures=False,
    remove_control_chars=False,
    fix_line_breaks=False,
    normalization="NFC",
)
# Wrongly decoded text always holds letters of other alphabets (bytes above 127 read one by one); Chinese text and the
# punctuation that it shares with English (“ ” ‘ ’ … — ·) don't need ftfy, which takes 50 times as long as this search.
_SUSPICIOUS = re.compile(
    "[\x1b\x80-\xb6\xb8-\u2012\u2015-\u2017\u201a\u201b\u201e\u201f-\u2025\u2027-\u2dff\ud800-\udfff\ufffd]"
)
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"  # control characters other than tab and line ends
    "|[\xad\u061c\u180e\u200b\u200c\u200e\u200f\u2060-\u2064\ufeff\ufff9-\ufffb]"  # zero-width and formatting characters
    "|[\u202a-\u202e\u2066-\u2069]"  # characters that turn the direction of writing
    "|[\U000e0000-\U000e007f]"  # tag characters: invisible text
    "|(?<![\U0001f000-\U0001faff\u2600-\u27bf\ufe0f])\u200d"  # a joiner that does not follow an emoji …
    "|\u200d(?![\U0001f000-\U0001faff\u2600-\u27bf])"  # … or that none follows
)
_WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")
_NARROW = {code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_MARK = re.compile(rf"(?<=[{HAN}])(?:[,?!;]|:(?![-)(DPp/]))")
_WIDE_MARKS = {",": "，", "?": "？", "!": "！", ":": "：", ";": "；"}
_HAN = re.compile(f"[{HAN}]")


def unicode_repair(text: str) -> str:
    """Repair text that was decoded wrongly once, and compose characters (NFC).

    >>> unicode_repair("schÃ¶n"), unicode_repair("“全角，！”")
    ('schön', '“全角，！”')
    """
    if text.isascii() and "\x1b" not in text:
        return text
    if _SUSPICIOUS.search(text):
        return str(ftfy.fix_text(text, _REPAIR))
    return unicodedata.normalize("NFC", text)


def control_characters(text: str) -> str:
    """Remove control, zero-width and direction characters; joiners inside emoji stay.

    >>> control_characters("a\\u200bb\\x00c")
    'abc'
    """
    return _UNWANTED.sub("", text)


def half_width(text: str) -> str:
    """Make full-width letters and digits half-width.

    >>> half_width("ＶＩＳＡ卡，尾号４７１１")
    'VISA卡，尾号4711'
    """
    return text.translate(_NARROW) if _WIDE.search(text) else text


def chinese_width(text: str) -> str:
    """Make letters and digits half-width, and punctuation after a Chinese character full-width.

    >>> chinese_width("你好,ＡＴＭ在哪?10:30开门")
    '你好，ATM在哪？10:30开门'
    """
    return _MARK.sub(lambda match: _WIDE_MARKS[match[0]], half_width(text))


def chinese_variant(wanted: Literal["simplified", "traditional"]) -> Callable[[str], str]:
    """A rule that converts Chinese characters by OpenCC's dictionaries, and leaves other text alone.

    >>> chinese_variant("simplified")("信用卡餘額")
    '信用卡余额'
    """
    converter = _converter("t2s" if wanted == "simplified" else "s2t")

    def convert(text: str) -> str:
        return converter(text) if _HAN.search(text) else text

    return convert


@cache
def _converter(name: str) -> Callable[[str], str]:
    import opencc

    converter = opencc.OpenCC(name)
    return lambda text: str(converter.convert(text))
