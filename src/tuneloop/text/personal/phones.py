"""Telephone numbers. Numbers that a business gives out for all (400, 800, toll-free, hotlines of five digits) are no
personal data: a house script names them, and an answer must repeat them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from tuneloop.text.personal.context import before, is_amount, is_numbered_thing
from tuneloop.text.personal.span import Span, digits_of, random_digits

MOBILE_HINT = re.compile(r"1[ .\-]{0,2}[3-9](?:[ .\-()]{0,2}\d){9}")
LANDLINE_HINT = re.compile(r"0\d{2,3}[ .\-()]{0,3}[2-8]\d{2,3}[ .\-]?\d{4}|[2-8]\d{6,7}|[2-8]\d{2,3}[ \-]\d{4}")
PHONE_HINT = re.compile(r"\d(?:[ .\-()/]{0,3}\d){8}")

_MOBILE = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d[.\-])(?:(?:\(?(?:\+|00)[ ]?86\)?|86)[ .\-]{0,2})?\(?"
    r"1[ .\-]{0,2}[3-9](?:[ .\-()]{0,2}\d){9}(?![A-Za-z0-9]|\.\d|,\d{3}(?!\d)|-\d)"
)
_AMERICAN_SHAPE = re.compile(r"\+?1[ .\-(]{1,2}\d{3}[ .\-)]{1,2}\d{3}[ .\-]\d{4}")
_LANDLINE = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d[.\-])(?:\(?(?:\+|00)[ ]?86\)?[ .\-]{0,2}\(?0?|\(?0)(?P<area>10|2\d"
    r"|[3-9]\d\d)\)?[ .\-]{0,3}"
    r"(?P<local>[2-8]\d{2,3}[ .\-]?\d{4}|[2-8](?:[ \-]\d){6,7})(?:[ ]?(?:转|ext\.?|x"
    r"|-)[ ]?\d{1,6})?(?![A-Za-z0-9]|\.\d)"
)
_LOCAL = re.compile(r"(?<![A-Za-z0-9])(?<!\d[.,\- ])[2-8]\d{2,3}[ \-]?\d{4}(?![A-Za-z0-9]|[.\-]\d|,\d{3}(?!\d))")
_TELEPHONE = re.compile(
    r"(?:电话|座机|固话|家里|致电|拨打|传真|来电|tel|phone|landline|fax)(?:号码|号|为|是|:|：|\.| |是)*$", re.IGNORECASE
)

_CALL = re.compile(
    r"phone|call|mobile|cell|text|reach|tel|contact|whatsapp|fax|dial|ring|sms|my number|number is|电话|手机|联系",
    re.IGNORECASE,
)
_AMERICAN = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d[.\-])(?:\+?1[ .\-]{0,2})?(?P<open>\(?)(?P<area>[1-9]\d\d)\)?"
    r"(?P<gap>[ .\-/]{0,2})(?P<exchange>\d{3})"
    r"[ .\-]{0,2}\d{4}(?:[ ,]{0,2}(?:ext\.?|x|extension)[ ]?\d{1,6})?(?![A-Za-z0-9]|[.\-]\d|,\d{3}(?!\d))"
    r"|(?<![A-Za-z0-9])(?:\+?1[ \-])?[2-9](?:[ .\-]\d){9}(?![A-Za-z0-9]|[ .\-]\d)"
)
_INTERNATIONAL = re.compile(
    r"(?<![A-Za-z0-9])(?:\+|(?<!\d[.\- ])00)[1-9]\d{0,2}(?:[ .\-()/]{0,3}\d){6,12}(?![A-Za-z0-9])"
)
_BRITISH = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d[.\-])\(?0(?=[ \-()]{0,2}[1-9])(?:[ \-()]{0,2}\d){9,10}(?![A-Za-z0-9]|[.\-]\d|,\d{3}(?!\d))"
)
_TOLL_FREE = ("400", "800", "833", "844", "855", "866", "877", "888", "900")
_STAND_IN_AREAS = tuple(f"29{last}" for last in range(10))
"""North American area codes with a 9 in their middle are kept for an expansion of the plan; nobody has one. Those that start
with 2 are not read as mainland mobiles when a 1 stands before them."""


def find_mobiles(text: str) -> Iterator[Span]:
    """Mainland mobile numbers, with or without +86.

    >>> [span.value for span in find_mobiles("手机138-1234-5678，订单号13812345679，转账13812345678元")]
    ['13812345678']
    """
    for match in _MOBILE.finditer(text):
        value = digits_of(match[0])[-11:]
        if value.startswith("1540") or _AMERICAN_SHAPE.fullmatch(match[0]):  # our stand-ins; 1-800-555-0199
            continue
        if not is_numbered_thing(text, match.start()) and not is_amount(text, *match.span()):
            yield Span(match.start() + (match[0].startswith("(") and ")" not in match[0]), match.end(), value)


def stand_in_mobile(value: str, chance: random.Random) -> str:
    """A number of the range 1540, which no operator has."""
    return "1540" + random_digits(chance, 7)


def find_landlines(text: str) -> Iterator[Span]:
    """Mainland landlines: an area code and seven or eight digits; without the code only after 电话 and the like.

    >>> [span.value for span in find_landlines("座机0571-87654321，电话62345678，共62345678元")]
    ['057187654321', '62345678']
    """
    taken = []
    for match in _LANDLINE.finditer(text):
        value = "0" + match["area"] + digits_of(match["local"])
        if len(value) < 10 or is_numbered_thing(text, match.start()) or is_amount(text, *match.span()):
            continue
        taken.append(match.span())
        yield Span(*match.span(), value)
    for match in _LOCAL.finditer(text):
        if any(start <= match.start() < end for start, end in taken) or is_amount(text, *match.span()):
            continue
        if _TELEPHONE.search(before(text, match.start())):
            yield Span(*match.span(), digits_of(match[0]))


def stand_in_landline(value: str, chance: random.Random) -> str:
    """The same area code, and a number that starts with 1, which no landline does."""
    area = "" if len(value) <= 8 else value[:3] if value[1] in "12" else value[:4]
    return area + "1" + random_digits(chance, len(value) - len(area) - 1)


def find_phones(text: str) -> Iterator[Span]:
    """Numbers of other countries: American ones as people write them, all others as `phonenumbers` knows them.

    Ten digits in a row are a telephone number only where the words before say so.

    >>> sorted(span.value for span in find_phones("Call (415) 555-2671 or +44 20 7946 0958, not 1-800-555-0199."))
    ['+442079460958', '4155552671']
    """
    taken = []
    for span in _international(text):
        taken.append(span)
        yield span
    for match in _AMERICAN.finditer(text):
        value = digits_of(match[0].partition("x")[0].partition("e")[0])[-10:]
        whole = digits_of(match[0])
        if whole.startswith("1540") and len(whole) == 11 and not _AMERICAN_SHAPE.fullmatch(match[0]):
            continue  # a stand-in of a mainland mobile
        if any(span.start < match.end() and match.start() < span.end for span in taken):
            continue
        if value[:3] in _TOLL_FREE or value[:3] in _STAND_IN_AREAS or len(value) < 10:
            continue
        labelled = _CALL.search(before(text, match.start(), 40)) is not None
        unlike = match[0].isdigit() or value[0] == "1" or value[3] in "01" or is_numbered_thing(text, match.start())
        if unlike and not labelled:
            continue
        if (match[0].isdigit() and is_numbered_thing(text, match.start())) or is_amount(text, *match.span()):
            continue
        yield Span(*match.span(), value)


def stand_in_phone(value: str, chance: random.Random) -> str:
    """American: an area code that is not given out. Others: the same country, and a number that starts with 00."""
    import phonenumbers

    if not value.startswith("+"):
        return f"{chance.choice(_STAND_IN_AREAS)}{chance.randrange(2, 10)}{random_digits(chance, 6)}"
    country = str(phonenumbers.parse(value).country_code)
    return f"+{country}00{random_digits(chance, len(value) - len(country) - 3)}"


def _international(text: str) -> Iterator[Span]:
    """Numbers with a country code, and British ones with their leading zero. After + the right length will do."""
    import phonenumbers

    for pattern, region in ((_INTERNATIONAL, None), (_BRITISH, "GB")):
        for match in pattern.finditer(text):
            written = match[0]
            try:
                number = phonenumbers.parse(re.sub("^00", "+", written), region)
            except phonenumbers.NumberParseException:  # digits that are no number anywhere
                continue
            known = phonenumbers.is_possible_number if written.startswith("+") else phonenumbers.is_valid_number
            if number.country_code in (1, 86) or not known(number):
                continue
            if phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.TOLL_FREE:
                continue
            digits = digits_of(written)
            if not region and (digits[len(str(number.country_code)) :].startswith("00") or digits[-11:-7] == "1540"):
                continue  # our stand-ins, of such a number or of a mainland mobile
            if region and match[0].isdigit() and not _CALL.search(before(text, match.start(), 40)):
                continue
            value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            yield Span(*match.span(), value)
