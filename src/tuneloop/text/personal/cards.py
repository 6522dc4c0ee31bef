"""Bank cards. (IBANs are found by presidio, see `international.py`.)"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from stdnum import luhn

from tuneloop.text.personal.context import before, is_amount, is_numbered_thing
from tuneloop.text.personal.identity import is_stand_in_id_card
from tuneloop.text.personal.span import Span, digits_of, random_digits

CARD_HINT = re.compile(r"\d(?:[ .\-]{0,2}\d){12}")

_CARD = re.compile(r"(?<![A-Za-z0-9])(?<!\d[.\-])[2-9]\d{0,3}(?:[ .\-]{0,2}\d){9,18}(?![A-Za-z0-9]|\.\d|,\d{3}(?!\d))")
_CARD_NUMBER = re.compile(
    r"(?:卡号|账号|帐号|银行卡|信用卡|储蓄卡|借记卡|卡片|card (?:number|no\.?|#)|(?:credit|debit|bank) card"
    r"|account (?:number|no\.?|#))"
    r"[\s:=#.'\"“（(-]{0,3}(?:是|为|号|is|was)?[\s:=#'\"“（(]{0,3}$",
    re.IGNORECASE,
)
_ISSUERS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|3(?:0[0-5]|[689]\d)\d{11,16}"
    r"|35(?:2[89]|[3-8]\d)\d{12,15}|6(?:2\d{14,17}|(?:011|4[4-9]\d|5\d\d)\d{12,15}|0\d{14,17})|(?:5[06-8]"
    r"|6[37])\d{11,17}|9\d{15,18}"
)
"""Visa, Mastercard, American Express, Diners, JCB, UnionPay and Discover, Maestro, and older Chinese debit cards (95, 60, 9)."""
_SUM = re.compile(r"[=+*/×÷][ ]?$")
_STAND_IN = re.compile(r"[2-9]00000\d{7,13}")


def find_bank_cards(text: str) -> Iterator[Span]:
    """Cards of 13 to 19 digits with a right check digit and an issuer's beginning.

    Directly after 卡号, 账号 or "card number" any 13 to 19 digits count: accounts have no check digit, and a slip of the pen
    is no less personal. What stands after 订单号 or "order number", or counts money, is none.

    >>> [span.value for span in find_bank_cards("我的卡6222 0212 3456 7894没了，订单号6222021234567894")]
    ['6222021234567894']
    """
    for match in _CARD.finditer(text):
        value = digits_of(match[0])
        if not 13 <= len(value) <= 19 or _STAND_IN.fullmatch(value) or is_stand_in_id_card(value):
            continue
        if (
            is_numbered_thing(text, match.start())
            or is_amount(text, *match.span())
            or _SUM.search(before(text, match.start(), 2))
        ):
            continue
        issued = _ISSUERS.fullmatch(value) and luhn.is_valid(value)
        if issued or _CARD_NUMBER.search(before(text, match.start())):
            yield Span(*match.span(), value)


def stand_in_bank_card(value: str, chance: random.Random) -> str:
    """A number of the same length and first digit, with a right check digit, of an issuer that does not exist."""
    first = f"{value[0]}00000{random_digits(chance, len(value) - 7)}"
    return first + str(luhn.calc_check_digit(first))
