"""Numbers that name a person: mainland ID card, passport, US social security number."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date

from stdnum.cn import ric

from tuneloop.text.personal.context import before, is_labelled_after, is_named_nearby, is_numbered_thing
from tuneloop.text.personal.span import Span, digits_of, random_digits

ID_CARD_HINT = re.compile(r"\d(?:[ .\-]{0,2}\d){13,16}[ .\-]{0,2}[\dXx]")
PASSPORT_HINT = re.compile(r"护照|通行证|回乡证|台胞证|passport|travel document", re.IGNORECASE)
SSN_HINT = re.compile(r"\d{3}[ .\-]{0,2}\d{2}[ .\-]{0,2}\d{4}|\d(?:[ \-]\d){8}")

_ID_CARD = re.compile(r"(?<![A-Za-z0-9])(?<!\d[.\-])[1-9](?:[ .\-]{0,2}\d){16}[ .\-]{0,2}[\dXx](?![A-Za-z0-9])")
_OLD_ID_CARD = re.compile(r"(?<![A-Za-z0-9])[1-9](?:[ .\-]{0,2}\d){14}(?![A-Za-z0-9])")
_ID_WORDS = re.compile(
    r"(?:身份证|证件号|公民身份|ID ?card|identity (?:card|number)|resident id)[^\d\n，。;；]{0,14}$", re.IGNORECASE
)
_PROVINCES = frozenset([
    "11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41", "42", "43",
    "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71", "81", "82", "83",
])  # fmt: skip
_UNASSIGNED_REGION = "99"

_PASSPORT = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,2}[ \-]?\d{7,8}|[A-Za-z]\d{10}|\d{8,9})(?![A-Za-z0-9])")
_PASSPORT_WORDS = re.compile(
    rf"(?:{PASSPORT_HINT.pattern})(?:[^\d\n。；;]{{0,20}}|[^\d\n.。；;]{{0,40}}(?:number|no\.?|id|is|was|to|as)[ :#(]{{0,3}})$",
    re.IGNORECASE,
)
_PASSPORT_SHAPE = re.compile(r"[A-Z]{1,2}[ \-]?\d{7,8}|[a-z]{1,2}\d{7,8}")
_NUMBER_FOLLOWS = re.compile(r"(?:passport|护照|号码?|number|no\.?|is|是|为)[ :(#]{0,3}$", re.IGNORECASE)
"""Before eight digits that could be a date: without these words they are one."""

_SSN = re.compile(
    r"(?<![A-Za-z0-9])(?<!\d[.\-])(?P<a>\d{3})(?P<gap>[ .\-]{0,2})(?P<b>\d{2})(?P=gap)(?P<c>\d{4})(?![A-Za-z0-9]|-\d)"
    r"|(?<![A-Za-z0-9])(?<!\d[ \-])\d(?:[ \-]\d){8}(?![A-Za-z0-9]|[ \-]\d)"
)
_SSN_NAME = re.compile(
    r"(?<![A-Za-z])(?:ssn|social(?: security| insurance)?|tax ?(?:payer)? ?id|TIN)|社会安全号", re.IGNORECASE
)
_SSN_WORDS = re.compile(rf"(?:{_SSN_NAME.pattern})[^\d\n.;。；]{{0,24}}$", re.IGNORECASE)


def find_id_cards(text: str) -> Iterator[Span]:
    """Mainland ID cards of 18 digits (GB 11643: region, date of birth, check digit) and the old ones of 15.

    Beside the words 身份证 a wrong check digit is a slip of the pen, and the number no less personal. The old form has no
    check digit and needs the words.

    >>> [span.value for span in find_id_cards("身份证11010519491231002X，订单110105194912310020")]
    ['11010519491231002X']
    """
    for match in _ID_CARD.finditer(text):
        value = re.sub(r"[ .\-]", "", match[0]).upper()
        if value[:2] not in _PROVINCES or not _is_date(value[6:14]):
            continue
        if ric.calc_check_digit(value) == value[17] or _ID_WORDS.search(before(text, match.start())):
            yield Span(*match.span(), value)
    for match in _OLD_ID_CARD.finditer(text):
        value = digits_of(match[0])
        labelled = _ID_WORDS.search(before(text, match.start()))
        if labelled and value[:2] in _PROVINCES and _is_date("19" + value[6:12]):
            yield Span(*match.span(), value)


def stand_in_id_card(value: str, chance: random.Random) -> str:
    """A number with a right check digit in a region that does not exist."""
    born = date.fromordinal(chance.randrange(date(1955, 1, 1).toordinal(), date(2004, 1, 1).toordinal()))
    first = f"{_UNASSIGNED_REGION}{random_digits(chance, 4)}{born:%Y%m%d}{random_digits(chance, 3)}"
    return first + ric.calc_check_digit(first + "0") if len(value) == 18 else first[:6] + first[8:17]


def is_stand_in_id_card(value: str) -> bool:
    """Say whether digits are a stand-in of ours, so that nobody takes them for a bank card.

    >>> is_stand_in_id_card("996912195501178838"), is_stand_in_id_card("11010519491231002X")
    (True, False)
    """
    if not value.startswith(_UNASSIGNED_REGION) or len(value) not in (15, 18):
        return False
    return _is_date(value[6:14] if len(value) == 18 else "19" + value[6:12])


def find_passports(text: str) -> Iterator[Span]:
    """Passports and travel permits, where words near the number say so.

    >>> [span.value for span in find_passports("护照号E12345678，型号E12345679")]
    ['E12345678']
    """
    for match in _PASSPORT.finditer(text):
        value = re.sub(r"[ \-]", "", match[0]).upper()
        if digits_of(value).startswith("000"):  # our stand-ins
            continue
        if _is_plain_date(value) and not _NUMBER_FOLLOWS.search(before(text, match.start(), 12)):
            continue
        shaped = _PASSPORT_SHAPE.fullmatch(match[0]) is not None
        if (
            _PASSPORT_WORDS.search(before(text, match.start(), 60))
            or is_labelled_after(text, match.end(), PASSPORT_HINT)
            or is_named_nearby(text, *match.span(), PASSPORT_HINT, 60 if shaped or len(value) == 9 else 16)
        ):
            yield Span(*match.span(), value)


def stand_in_passport(value: str, chance: random.Random) -> str:
    """The same letters, and a number that starts with 000."""
    digits = digits_of(value)
    return value[: len(value) - len(digits)] + "000" + random_digits(chance, len(digits) - 3)


def find_social_security_numbers(text: str) -> Iterator[Span]:
    """US social security numbers: written 3-2-4, or nine digits after the words.

    Areas 000, 666 and 9xx, group 00 and serial 0000 are never issued (SSA, POMS RM 10201.035).

    >>> [span.value for span in find_social_security_numbers("SSN 123-45-6789, or 987-65-4321, order 123456789")]
    ['123456789']
    """
    for match in _SSN.finditer(text):
        value = digits_of(match[0])
        if value[:3] in ("000", "666") or value[0] == "9" or value[3:5] == "00" or value[5:] == "0000":
            continue
        written = match["gap"] in ("-", " ") if match["a"] else value not in "1234567890 9876543210"
        labelled = _SSN_WORDS.search(before(text, match.start(), 40)) or is_labelled_after(text, match.end(), _SSN_NAME)
        if labelled or (written and not is_numbered_thing(text, match.start())):
            yield Span(*match.span(), value)


def stand_in_social_security_number(value: str, chance: random.Random) -> str:
    """A number of the area 666, which is never issued."""
    return f"666{chance.randrange(1, 100):02d}{chance.randrange(1, 10_000):04d}"


def _is_plain_date(value: str) -> bool:
    return len(value) == 8 and value[:2] in ("19", "20") and value.isdigit() and _is_date(value)


def _is_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born.year >= 1880
