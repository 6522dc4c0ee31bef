"""Facts of a domain answer: cited articles, dates and numbers, compared by value however they are written.

`第二百三十四条` is article 234 and `三十日` is 30; `March 15, 2024` is `2024年3月15日`. What a text says beside its facts
are *points*: its list items, else its sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tuneloop.evaluation.script_facts import LIST_MARKER, emails, phones, spelled_numbers, urls
from tuneloop.evaluation.script_facts import numbers as digits
from tuneloop.text.words import has_han, split_characters, words


class Claim(NamedTuple):
    """One fact: what kind it is of, and its value."""

    kind: str
    value: str


_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10_000, "亿": 100_000_000}
_NUMERAL = "零〇一二两三四五六七八九十百千万亿"
_HAN_NUMBER = re.compile(
    # 万一 and 一千零一夜 are no numbers here: a measure must follow, and 一 alone means "a"
    rf"(?<![{_NUMERAL}第])([{_NUMERAL}]{{2,}}|[二两三四五六七八九十])(?=[天日年月周岁元次倍条款项页人份%％]|个月|个工作日|小时|分钟)"
)
_ARTICLE_ZH = re.compile(rf"(?:《([^《》]{{2,40}})》[^《》。；\n]{{0,6}}?)?第([{_NUMERAL}]+|\d+)条")
_LAW_ZH = re.compile(r"《([^《》]{2,40})》")
_ARTICLE_EN = re.compile(
    r"(?:\b(?:article|section|sec\.|art\.|rule|clause)\s+|§+\s?)(\d+(?:\.\d+)*[a-z]?)", re.IGNORECASE
)
_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTH = "|".join(month if month == "may" else f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)
_DATES = (
    re.compile(r"(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?:(?P<y>\d{4})\s?年\s?)?(?P<m>\d{1,2})\s?月(?:\s?(?P<d>\d{1,2})\s?[日号])"),
    re.compile(rf"\b(?P<n>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<y>\d{{4}}))?\b", re.IGNORECASE),
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<n>{_MONTH})\.?(?:,?\s+(?P<y>\d{{4}}))?\b", re.IGNORECASE),
)
_SENTENCE_END = re.compile(r"(?<=[。！？；!?;])|(?<=\.)\s+|\n+")
_WORDS_WITHOUT_MEANING = """
a an the and or of to in on for at by with from is are be was were has have had will would can could may might this that
these those it its you your we our i my please as if not do does
的 了 和 与 或 在 是 将 会 可以 您 您的 你 我们 请 为 对 等 也 并 就 都 被 把 由 其 该 这 那 有 以 到 如果 可能
"""
_SMALL_WORDS = frozenset(_WORDS_WITHOUT_MEANING.split())


def claims(text: str) -> set[Claim]:
    """Every fact of a text.

    >>> sorted(claims("根据《刑法》第二百三十四条，应在2024年3月15日前的三十日内申请。"))[:2]
    [Claim(kind='article', value='234'), Claim(kind='date', value='2024-3-15')]
    >>> sorted(claims("See Article 12. Pay $1,200 within 30 days."))
    [Claim(kind='article', value='12'), Claim(kind='number', value='1200'), Claim(kind='number', value='30')]
    """
    found: set[Claim] = set()
    rest = text
    for kind, find in FINDERS.items():
        spans: list[tuple[int, int]] = []
        for value, start, end in find(rest):
            found.add(Claim(kind, value))
            spans.append((start, end))
        # What was read as an article or a date is no number as well.
        for start, end in spans:
            rest = rest[:start] + " " * (end - start) + rest[end:]
    return found


def points(text: str) -> list[str]:
    """The points that a text makes: items of its list where it has one, else its sentences.

    >>> points("Do this:\\n1. Call us.\\n2. Wait for 3 days.")
    ['Do this:', 'Call us.', 'Wait for 3 days.']
    >>> points("请先挂失。再补办新卡！")
    ['请先挂失。', '再补办新卡！']
    """
    pieces = text.splitlines() if LIST_MARKER.search(text) else _SENTENCE_END.split(text)
    bare = (LIST_MARKER.sub("", piece).strip(" \t-*•·") for piece in pieces)
    return [piece for piece in bare if any(letter.isalnum() for letter in piece)]


def content_words(text: str, split: str) -> set[str]:
    """The words of a text that carry meaning; all of them where none does.

    Args:
        split: `en` or `zh`.
    """
    found = set(words(text, split)) or set(split_characters(text))
    return found - _SMALL_WORDS or found


def covered(point: str, said: set[str], split: str) -> float:
    """Share of a point's words that an answer says.

    >>> covered("Block the lost card", {"block", "card"}, "en")
    0.6666666666666666
    """
    wanted = content_words(point, split)
    return len(wanted & said) / len(wanted) if wanted else 1.0


def invented(answer: str, allowed: str) -> set[Claim]:
    """Facts of an answer that stand nowhere else.

    Args:
        answer: what was said.
        allowed: everything that may be repeated: the reference, the conversation, the script.

    >>> invented("It costs $25 and takes 3 days.", "How much? It takes three days.")
    {Claim(kind='number', value='25')}
    >>> invented("按《中华人民共和国继承法》和《海关法》办理。", "请按继承法办理。")
    {Claim(kind='law', value='海关法')}
    """
    known = claims(allowed)
    values = {claim.value for claim in known} | {fact.value for fact in spelled_numbers(allowed)}
    new = {claim for claim in claims(answer) if claim not in known and claim.value not in values}
    return {claim for claim in new if not is_named(claim, allowed)}


def is_named(claim: Claim, text: str) -> bool:
    """Whether a text names a law without the brackets that mark one: 根据继承法."""
    return claim.kind == "law" and claim.value in text


def han_number(text: str) -> int:
    """The value of a Chinese numeral.

    >>> han_number("二百三十四"), han_number("十五"), han_number("三万五千"), han_number("二〇二四")
    (234, 15, 35000, 2024)
    """
    if not any(letter in _UNITS or letter in _LARGE for letter in text):
        return int("".join(str(_DIGITS[letter]) for letter in text))
    total = section = digit = 0
    for letter in text:
        if letter in _DIGITS:
            digit = _DIGITS[letter]
        elif letter in _UNITS:
            section, digit = section + (digit or 1) * _UNITS[letter], 0
        else:
            total, section, digit = total + (section + digit or 1) * _LARGE[letter], 0, 0
    return total + section + digit


Found = tuple[str, int, int]
"""Value, start and end of a fact in the text."""


def _articles(text: str) -> Iterator[Found]:
    for match in _ARTICLE_ZH.finditer(text):
        number = match[2]
        yield number if number.isdigit() else str(han_number(number)), match.start(2) - 1, match.end()
    for match in _ARTICLE_EN.finditer(text):
        yield match[1].lower(), match.start(), match.end()


def _laws(text: str) -> Iterator[Found]:
    for match in _LAW_ZH.finditer(text):
        # 《中华人民共和国刑法》 and 《刑法》 are the same law.
        yield match[1].removeprefix("中华人民共和国"), match.start(), match.end()


def _dates(text: str) -> Iterator[Found]:
    taken: list[tuple[int, int]] = []
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if any(start < match.end() and match.start() < end for start, end in taken):
                continue
            taken.append(match.span())
            parts = match.groupdict()
            month = parts.get("m") or str(
                1 + next(n for n, name in enumerate(_MONTHS) if name[:3] == parts["n"][:3].lower())
            )
            year = f"{parts['y']}-" if parts.get("y") else ""
            yield f"{year}{int(month)}-{int(parts['d'])}", match.start(), match.end()


def _numbers(text: str) -> Iterator[Found]:
    for fact in digits(text):
        yield fact.value, fact.start, fact.end
    for match in _HAN_NUMBER.finditer(text):
        yield str(han_number(match[1])), match.start(), match.end()
    if not has_han(text):
        for fact in spelled_numbers(text):
            if fact.value != "1":  # "one" is rarely a number
                yield fact.value, fact.start, fact.end


def _addresses(text: str) -> Iterator[Found]:
    for find in (urls, emails, phones):
        for fact in find(text):
            yield fact.value, fact.start, fact.end


FINDERS: dict[str, Callable[[str], Iterator[Found]]] = {
    "law": _laws,
    "article": _articles,
    "date": _dates,
    "address": _addresses,
    "number": _numbers,
}
"""Kinds of facts, in the order in which they are looked for; what one found is hidden from the next."""
