"""Masking: found values are replaced by stand-ins, tags, or one word."""

from __future__ import annotations

import hashlib
import hmac
import random
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from tuneloop.text.personal.find import Found, find
from tuneloop.text.personal.recognisers import RECOGNISERS
from tuneloop.text.personal.span import digits_of, pour

Mode = Literal["pseudonym", "tag", "redact"]
SHAPED = frozenset({"id_card", "bank_card", "mobile", "landline", "ssn", "phone", "iban", "plate", "passport"})
"""Types whose stand-in is written with the separators of the value."""

REDACTED = {"zh": "[已脱敏]", "en": "[REDACTED]"}
_TAG = re.compile(r"<([A-Z_]+)_(\d+)>")


@dataclass(frozen=True, slots=True)
class Masked:
    """A masked text, and how many values of each type were found in it."""

    text: str
    counts: dict[str, int]
    """Type and number; types that were only reported (`possible`) are counted as `possible_name`, `possible_address`."""
    replaced: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    """Type, what was written, and what stands there now: for a vault, never for a report."""


def mask_texts(
    texts: Iterable[str],
    *,
    language: str,
    mode: Mode = "pseudonym",
    key: bytes = b"",
    possible: Literal["off", "report", "mask"] = "mask",
    without: Collection[str] = (),
    keep: Collection[str] = (),
) -> list[Masked]:
    """Mask the texts of one conversation; tags are numbered through all of them.

    Args:
        texts: the texts in their order.
        language: language of the data, `en` or `zh`.
        mode: `pseudonym` puts a value of the same form in its place, always the same one for the same value and key; `tag`
            puts `<PHONE_1>`; `redact` puts one word for everything.
        key: secret that stand-ins are derived from; without it nobody can find the value of a stand-in by trying.
        possible: what is done with names and addresses, which can only be guessed.
        without: names of recognisers that are left out.
        keep: values that are left alone.
    """
    texts = list(texts)
    replace = _replacement(texts, language, mode, key)
    return [
        _mask(text, find(text, language, possible=possible != "off", without=without, keep=keep), replace, possible)
        for text in texts
    ]


def mask_text(
    text: str,
    *,
    language: str,
    mode: Mode = "pseudonym",
    key: bytes = b"",
    possible: Literal["off", "report", "mask"] = "mask",
    without: Collection[str] = (),
    keep: Collection[str] = (),
) -> Masked:
    """Mask one text: what serving, feedback and reports use. The arguments are those of `mask_texts`.

    >>> mask_text("打13812345678找我", language="zh", mode="tag")
    Masked(text='打<MOBILE_1>找我', counts={'mobile': 1})
    >>> mask_text("打138 1234 5678找我", language="zh", key=b"k").text[:6]
    '打154 0'
    """
    return mask_texts([text], language=language, mode=mode, key=key, possible=possible, without=without, keep=keep)[0]


def stand_in(type_: str, value: str, key: bytes) -> str:
    """The stand-in of a value: made from HMAC-SHA256 of the type and the value, so that the key decides."""
    seed = hmac.new(key, f"{type_}\0{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return RECOGNISERS[type_].stand_in(value, random.Random(seed))


def _replacement(texts: list[str], language: str, mode: Mode, key: bytes) -> Callable[[Found, str], str]:
    """What replaces a value, given how it is written."""
    if mode == "redact":
        word = REDACTED.get(language, REDACTED["en"])
        return lambda found, written: word
    if mode == "tag":
        return _Tags(texts).tag

    def pseudonym(found: Found, written: str) -> str:
        value = stand_in(found.type, found.value, key)
        # "+44 (0)20 …" has a digit more than its number: poured into it, the country would be another one.
        fits = not value.startswith("+") or len(digits_of(value)) == len(digits_of(written))
        return pour(value, written) if found.type in SHAPED and fits else value

    return pseudonym


class _Tags:
    """Numbers the values of each type, going on after the tags that the texts already hold."""

    def __init__(self, texts: list[str]) -> None:
        self.numbers: dict[tuple[str, str], int] = {}
        self.last: Counter[str] = Counter()
        for match in (match for text in texts for match in _TAG.finditer(text)):
            self.last[match[1]] = max(self.last[match[1]], int(match[2]))

    def tag(self, found: Found, written: str) -> str:
        kind = found.type.upper()
        if (kind, found.value) not in self.numbers:
            self.last[kind] += 1
            self.numbers[kind, found.value] = self.last[kind]
        return f"<{kind}_{self.numbers[kind, found.value]}>"


def _mask(text: str, spans: list[Found], replace: Callable[[Found, str], str], possible: str) -> Masked:
    counts: Counter[str] = Counter()
    replaced: list[tuple[str, str, str]] = []
    pieces: list[str] = []
    position = 0
    for found in spans:
        if found.possible and possible == "report":
            counts[f"possible_{found.type}"] += 1
            continue
        counts[found.type] += 1
        written = text[found.start : found.end]
        after = replace(found, written)
        replaced.append((found.type, written, after))
        pieces += [text[position : found.start], after]
        position = found.end
    if not pieces:
        return Masked(text, dict(counts))
    return Masked("".join([*pieces, text[position:]]), dict(counts), tuple(replaced))
