"""What in a text can be true or invented: phone numbers, web and mail addresses, numbers, amounts of money.

A fact is compared by its value (`$1,200.00` is 1200, `400-820-8888` is 4008208888), so that another way of writing is
no invention. All patterns are ASCII: `\\w` would take the Chinese characters beside a number for a part of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

URL = re.compile(
    r"(?:https?://|www\.)[A-Za-z0-9._~:/?#@!$&'*+,;=%-]*[A-Za-z0-9/]"
    r"|(?<![A-Za-z0-9@.-])(?:[A-Za-z0-9-]+\.)+(?:com|org|net|io|co|bank|gov|edu|info|cn|uk|app)(?![A-Za-z0-9@-])"
    r"(?:/[A-Za-z0-9._~/?#=&%-]*)?"
)
EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
PHONE = re.compile(
    # seven to fifteen digits with the usual separators, a vanity number, a Chinese bank's hotline of five digits
    r"(?<![A-Za-z0-9$€£¥￥.,])\+?\(?\d(?:[ ().\-]{0,2}\d){6,14}(?![A-Za-z0-9]|\s?(?:[元万亿%]|美元))"
    r"|(?<![A-Za-z0-9])1-8\d\d-[A-Z0-9]+(?:-[A-Z0-9]+)*"
    r"|(?<![0-9A-Za-z$€£¥￥.,])95\d{3}(?![0-9,.]\d|\d|\s?(?:[元万亿%]|美元))"
)
DATE_OR_DECIMAL = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d+\.\d{1,2}")
NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
AMOUNT = re.compile(
    r"[$€£¥￥]\s?(\d[\d,]*(?:\.\d+)?)|(\d[\d,]*(?:\.\d+)?)\s?(?:dollars|bucks|euros|pounds|USD|CNY|RMB|万?元)",
    re.IGNORECASE,
)
DOSAGE = re.compile(
    r"(?<![A-Za-z0-9.])(\d[\d,.]*|one|two|three|four|half an?|[一两二三四五六半])[ -]?"
    r"(mg|milligrams?|mcg|micrograms?|g|grams?|ml|milli(?:lit(?:er|re)s?)|IU|tablets?|pills?|capsules?|drops?|puffs?|"
    r"teaspoons?|毫克|微克|克|毫升|片|粒|滴|丸)(?![A-Za-z])",
    re.IGNORECASE,
)
ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
SPELLED = {word: value for value, word in enumerate(ONES.split())} | {
    word: 10 * value for value, word in enumerate(TENS.split(), start=2)
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
SPELLED_NUMBER = re.compile(
    r"\b(?:{0})(?:(?:[ -]|,? and |, )(?:{0}))*\b".format("|".join([*SPELLED, *SCALES])), re.IGNORECASE
)
LIST_MARKER = re.compile(r"^[ \t]*[(（]?\d{1,2}(?:[)）、．]|\.(?=\D))", re.MULTILINE)


class Fact(NamedTuple):
    """One thing that a text claims, and where."""

    value: str
    span: str
    start: int
    end: int


def urls(text: str) -> Iterator[Fact]:
    """Find web addresses.

    >>> [fact.value for fact in urls("See www.bank.com/help. Or harbor.bank!")]
    ['bank.com/help', 'harbor.bank']
    """
    mails = [match.span() for match in EMAIL.finditer(text)]
    for match in URL.finditer(text):
        if not any(start <= match.start() < end for start, end in mails):
            value = re.sub(r"^(https?://)?(www\.)?", "", match[0].lower()).rstrip("/")
            yield Fact(value, match[0], match.start(), match.end())


def emails(text: str) -> Iterator[Fact]:
    """Find mail addresses.

    >>> [fact.value for fact in emails("邮箱是Help@bank.cn。")]
    ['help@bank.cn']
    """
    for match in EMAIL.finditer(text):
        yield Fact(match[0].lower(), match[0], match.start(), match.end())


def phones(text: str) -> Iterator[Fact]:
    """Find phone numbers; a date or a price is none.

    >>> [fact.value for fact in phones("Call +1 (800) 555-0199 or 致电95588, not on 2024-03-15, not $1234567.")]
    ['18005550199', '95588']
    """
    for match in PHONE.finditer(text):
        if not DATE_OR_DECIMAL.fullmatch(match[0]):
            value = re.sub(r"[^0-9A-Z]", "", match[0])
            yield Fact(value, match[0], match.start(), match.end())


def numbers(text: str) -> Iterator[Fact]:
    """Find numbers, but not the markers of a list, and not what belongs to a phone number or an address.

    >>> [fact.value for fact in numbers("1. Send $1,200.50 within 3 days.")]
    ['1200.5', '3']
    """
    taken = [(fact.start, fact.end) for find in (urls, emails, phones) for fact in find(text)]
    taken += [match.span() for match in LIST_MARKER.finditer(text)]
    for match in NUMBER.finditer(text):
        if not any(start <= match.start() < end for start, end in taken):
            yield Fact(_value(match[0]), match[0], match.start(), match.end())


def amounts(text: str) -> Iterator[Fact]:
    """Find amounts of money.

    >>> [fact.value for fact in amounts("from $1,630 to 500 dollars, 2 days")]
    ['1630', '500']
    """
    for match in AMOUNT.finditer(text):
        yield Fact(_value((match[1] or match[2]).rstrip(",")), match[0], match.start(), match.end())


def dosages(text: str) -> Iterator[Fact]:
    """Find doses of a medicine.

    >>> [fact.value for fact in dosages("Take 500mg or two tablets; 每次2片")]
    ['500 mg', 'two tablet', '2 片']
    """
    for match in DOSAGE.finditer(text):
        number = _value(match[1].rstrip(".,")) if match[1][:1].isdigit() else match[1].lower()
        unit = match[2].lower()
        yield Fact(f"{number} {unit.rstrip('s') if len(unit) > 2 else unit}", match[0], match.start(), match.end())


def spelled_numbers(text: str) -> Iterator[Fact]:
    """Find English numbers in words, as customers write them; the answer may repeat them in digits.

    >>> [fact.value for fact in spelled_numbers("Send one thousand six hundred and twenty bucks to my two sons.")]
    ['1620', '2']
    """
    for match in SPELLED_NUMBER.finditer(text):
        total = current = 0
        for word in re.findall(r"[a-z]+", match[0].lower()):
            if word == "hundred":
                current = max(current, 1) * SCALES[word]
            elif word in SCALES:
                total, current = total + max(current, 1) * SCALES[word], 0
            elif word != "and":
                current += SPELLED[word]
        yield Fact(str(total + current), match[0], match.start(), match.end())


FACTS: dict[str, Callable[[str], Iterator[Fact]]] = {
    "phone": phones,
    "url": urls,
    "email": emails,
    "number": numbers,
    "amount": amounts,
    "dosage": dosages,
}


def shape(text: str) -> str:
    """The text with every digit as `#`: `$1,200` and `$1,700` have one shape."""
    return re.sub(r"\d", "#", text)


def _value(number: str) -> str:
    plain = number.replace(",", "")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
