"""What must survive in a variant, word for word: numbers, codes, placeholders, addresses, quotations, names.

An answer repeats such values. A variant of the question that lost one would teach the model to invent it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from tuneloop.data.grammar_text import Piece

_PLACEHOLDER = (
    r"\{\{[^{}\n]*\}\}|\$\{[^{}\n]*\}|\{\w+\}|<[A-Za-z_][\w -]*>|\[[A-Z][^\[\]\n]*\]|【[^【】\n]*】|%[sd]\b|`[^`\n]+`"
)
_ADDRESS = r"https?://[^\s，。；！？、）)]+|www\.[^\s，。；！？、）)]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_QUOTATION = r"《[^《》\n]+》|“[^“”\n]+”|「[^「」\n]+」|\"[^\"\n]+\""
_NUMBER = r"[$£€¥￥]?[A-Za-z]*[0-9０-９][0-9０-９A-Za-z]*(?:[.,:/-][0-9０-９A-Za-z]+)*[%％]?"
_NAME_EN = r"(?<=[A-Za-z0-9,;:'’] )(?!I\b)[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*"
_LATIN_IN_ZH = r"[A-Za-z]+(?: [A-Za-z]+)*"

_VALUES = {
    "en": re.compile("|".join((_PLACEHOLDER, _ADDRESS, _QUOTATION, _NUMBER, _NAME_EN))),
    "zh": re.compile("|".join((_PLACEHOLDER, _ADDRESS, _QUOTATION, _NUMBER, _LATIN_IN_ZH)), re.ASCII),
}
_MARK = "ZQ"
"""Begins the stand-in of a value: translators leave a word that exists in no language as it is."""
_STAND_IN = re.compile(rf"{_MARK}[ -]?(\d+)", re.IGNORECASE)


def protect(text: str, language: str, known: Sequence[str] = ()) -> tuple[Piece, ...]:
    """Divide a text into free pieces and values.

    Args:
        text: a question.
        language: `en` or `zh`.
        known: values that stand in the text and are known from elsewhere, such as its tags.

    >>> [piece.text for piece in protect("Send £5 to Anna by 3:30, ok?", "en") if piece.is_value]
    ['£5', 'Anna', '3:30']
    """
    spans = [(match.start(), match.end()) for match in _VALUES["zh" if language == "zh" else "en"].finditer(text)]
    for value in known:
        spans += [(match.start(), match.end()) for match in re.finditer(re.escape(value), text)] if value else []
    pieces: list[Piece] = []
    position = 0
    for start, end in _merged(spans):
        pieces += [Piece(text[position:start]), Piece(text[start:end], True)]
        position = end
    return tuple(piece for piece in [*pieces, Piece(text[position:])] if piece.text)


def values_of(text: str, language: str, known: Sequence[str] = ()) -> Counter[str]:
    """The values of a text, each as often as it stands there.

    >>> sorted(values_of("尾号4711的VISA卡，和4711", "zh").items())
    [('4711', 2), ('VISA', 1)]
    """
    return Counter(piece.text for piece in protect(text, language, known) if piece.is_value)


def mask(pieces: Sequence[Piece]) -> tuple[str, list[str]]:
    """Put a stand-in in place of each value.

    >>> mask(protect("Block card 4711 now", "en"))
    ('Block card ZQ0 now', ['4711'])
    """
    values: list[str] = []
    text = ""
    for piece in pieces:
        if piece.is_value:
            text += f"{_MARK}{len(values)}"
            values.append(piece.text)
        else:
            text += piece.text
    return text, values


def unmask(text: str, values: Sequence[str]) -> str | None:
    """Put the values back; None when a stand-in was lost, doubled or invented.

    >>> unmask("Now block card ZQ0", ["4711"]), unmask("Now block it", ["4711"])
    ('Now block card 4711', None)
    """
    found = [int(number) for number in _STAND_IN.findall(text)]
    if sorted(found) != list(range(len(values))):
        return None
    return _STAND_IN.sub(lambda match: values[int(match[1])], text)


def _merged(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order; those that overlap become one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
