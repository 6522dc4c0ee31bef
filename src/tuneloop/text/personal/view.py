"""The folded view of a text, in which a number is found however it is disguised.

Full-width letters, digits and signs (but not the comma, which would look like one inside a number), mathematical and
circled digits become ASCII, all kinds of dashes `-`, all kinds of spaces a space; Chinese numerals become digits where at
least five stand in a row; zero-width characters disappear. Places in the view lead back to the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_DASHES = "‐‑‒–—―−﹣－ー─"
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_DOTS = "·•・．｡"
INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff\u20e3]")
_NUMERALS = dict(zip("零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖", "00012345678911" + "23456789", strict=True))
_NUMERAL_RUN = re.compile(f"[{''.join(_NUMERALS)}0-9](?:[ .-]?(?!一[直个下次样起定般])[{''.join(_NUMERALS)}0-9]){{4,}}")
_HAS_NUMERALS = re.compile(f"[{''.join(_NUMERALS)}](?:[ .-]?[{''.join(_NUMERALS)}0-9]){{3}}")


def _single_characters() -> dict[int, str]:
    """Every character that stands for one ASCII letter, digit or sign."""
    table = {ord(c): "-" for c in _DASHES} | {ord(c): " " for c in _SPACES} | {ord(c): "." for c in _DOTS}
    table |= {ord("﹫"): "@"}
    blocks = (range(0xFF01, 0xFF0C), range(0xFF0D, 0xFF5F), range(0x2460, 0x2469), range(0x2474, 0x247D), range(0x24EA, 0x24EB),
              range(0x2776, 0x277F), range(0x2780, 0x2789), range(0x1D400, 0x1D800), range(0x1F100, 0x1F101),
              range(0x0660, 0x066A), range(0x06F0, 0x06FA), range(0x0966, 0x0970), range(0x2070, 0x208A))  # fmt: skip
    for code in (code for block in blocks for code in block):
        letter = chr(code)
        digit = unicodedata.digit(letter, None)
        wide = unicodedata.normalize("NFKC", letter)
        if digit is not None:
            table[code] = str(digit)
        elif len(wide) == 1 and wide.isascii():
            table.setdefault(code, wide)
    return table


_TABLE = _single_characters()


class View(NamedTuple):
    """A folded text."""

    text: str
    places: tuple[int, ...] | None
    """For each character of `text` its place in the original, and the original's length; None when they are the same."""

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original that `text[start:end]` came from."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> View:
    """Fold a text.

    >>> fold("电话：１３８—1234 5678").text
    '电话:138-1234 5678'
    >>> fold("手机一三八零零一三八零零零").text
    '手机13800138000'
    >>> view = fold("1\\u200b2"); view.text, view.original(1, 2)
    ('12', (2, 3))
    """
    if text.isascii():
        return View(text, None)
    places = None
    if INVISIBLE.search(text):
        kept = [(place, letter) for place, letter in enumerate(text) if not INVISIBLE.match(letter)]
        places = (*(place for place, _ in kept), len(text))
        text = "".join(letter for _, letter in kept)
    text = text.translate(_TABLE)
    if _HAS_NUMERALS.search(text):
        text = _NUMERAL_RUN.sub(lambda run: "".join(_NUMERALS.get(letter, letter) for letter in run[0]), text)
    return View(text, places)
