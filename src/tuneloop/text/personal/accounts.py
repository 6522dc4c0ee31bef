"""Accounts that have a label and no check digit: WeChat and QQ, licence plates, driver's licences."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from tuneloop.text.personal.context import TELLS, before, is_labelled_after, is_named_nearby
from tuneloop.text.personal.span import Span, random_digits, random_letters

WECHAT_HINT = re.compile(r"微信|威信|薇信|wechat|weixin|(?<![a-z])[wv]x|[vV]信|加[vV]|卫星号", re.IGNORECASE)
QQ_HINT = re.compile(r"qq|扣扣|企鹅|Ｑ", re.IGNORECASE)
PLATE_HINT = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][ ]?[A-Za-z][ .\-]?[A-Za-z0-9]"
    r"|plate|registration|tag number",
    re.IGNORECASE,
)
DRIVER_HINT = re.compile(
    r"driv(?:er['’]?s?['’]?|ing) (?:licen[cs]e|permit)|(?<![A-Za-z])DL(?![A-Za-z])|licen[cs]e (?:number|no)|驾照|驾驶证",
    re.IGNORECASE,
)
LICENCE_HINT = re.compile(rf"{DRIVER_HINT.pattern}|licen[cs]e(?! (?:plate|key|agreement|fee))", re.IGNORECASE)

_GAP = r"[ ]?(?:账号|帐号|号码|号|id|ID)?[ ]?(?:是|为|is|was|[:=#])[ :\"'“]{0,2}"
_WECHAT = re.compile(
    r"(?:微信|威信|薇信|wechat|weixin|(?<![a-z])[wv]x(?!id_)|v信|加v|卫星号)"
    rf"(?P<gap>{_GAP}|[ ]?(?:账号|帐号|号码|号|id)?[ :]{{0,2}})(?P<value>[a-z][-_a-z0-9]{{4,19}}"
    rf"|1[3-9]\d{{9}})(?![A-Za-z0-9_@]|[-][a-z0-9])",
    re.IGNORECASE,
)
_WECHAT_SHAPE = re.compile(
    r"(?<![A-Za-z0-9_@.\-/])(?=[A-Za-z\-_]*\d)[A-Za-z][-_A-Za-z0-9]{5,19}(?![A-Za-z0-9_@\-]|\.[A-Za-z0-9])"
)
_QQ_NAME = re.compile(rf"(?<!@)(?:{QQ_HINT.pattern})", re.IGNORECASE)
_QQ_NEARBY = re.compile(r"(?<![A-Za-z0-9@.\-])(?!1[3-9]\d{9})[1-9]\d{5,10}(?![A-Za-z0-9@]|[.\-]\d|[万元%年])")
_QQ = re.compile(
    rf"(?:qq|扣扣|企鹅)(?:群)?(?:{_GAP}|[\u4e00-\u9fff]{{0,5}}(?:id)?[ :]{{0,2}})"
    rf"(?P<value>[1-9](?:[ \-]?\d){{4,10}})(?![A-Za-z0-9@]|[.]\d|[万元%])",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"(?<![A-Za-z0-9])[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][ ]?[A-HJ-NP-Z][ .\-]?"
    r"(?:[A-HJ-NP-Z0-9](?:[ ]?[A-HJ-NP-Z0-9]){3}[ ]?[A-HJ-NP-Z0-9挂学警港澳领](?:[ ]?[A-HJ-NP-Z0-9])?)(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PLATE_NAME = re.compile(
    r"(?<![A-Za-z])(?:(?:licen[cs]e|number) plates?|plates?|registration(?: plate)?|tags?(?= number))(?![A-Za-z])",
    re.IGNORECASE,
)
_BARE_PLATE = r"(?=[A-Z0-9 \-]*\d)(?=[A-Z0-9 \-]*[A-Z])[A-Z0-9]{1,4}(?:[ \-]?[A-Z0-9]{1,5}){1,2}"
_ENGLISH_PLATE = re.compile(
    rf"(?i:{_PLATE_NAME.pattern})(?i:{TELLS})(?<![A-Za-z0-9])(?P<value>{_BARE_PLATE})(?![A-Za-z0-9])"
)
_PLATE_SHAPE = re.compile(r"[1-9][A-Z]{3}\d{3}|[A-Z]{3}[ \-]?\d{3,4}|[A-Z]{2}\d{2} ?[A-Z]{3}")
_PLATE_BEFORE_NAME = re.compile(rf"(?<![A-Za-z0-9])(?:{_BARE_PLATE})(?![A-Za-z0-9])")
_LICENCE = r"[A-Z]{0,2}[ \-]?\d(?:[ \-]?\d|[A-Z](?![A-Z]{2})){5,17}"
_DRIVER = re.compile(
    rf"(?:{DRIVER_HINT.pattern})(?:(?:号码|号|编号)?(?:是|为)?|(?: [a-z']+){{0,6}}?{TELLS})[ :#(]{{0,2}}"
    rf"(?<![A-Za-z0-9])(?P<value>{_LICENCE})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_LICENCE_SHAPE = re.compile(r"[A-Z]{1,2}\d{6,14}")
_BARE_LICENCE = re.compile(rf"(?<![A-Za-z0-9])(?:{_LICENCE})(?![A-Za-z0-9])", re.IGNORECASE)
_PLAIN_WORDS = frozenset(
    [
        "payment",
        "payments",
        "transfer",
        "wallet",
        "account",
        "accounts",
        "official",
        "group",
        "message",
        "messages",
        "friend",
    ]
)


def find_wechat(text: str) -> Iterator[Span]:
    """WeChat names after or close to 微信, wx, WeChat; plain words after them ("WeChat payment") are none.

    >>> [span.value for span in find_wechat("加微信zhang_san88，或WeChat ID: lilei_2020，支持WeChat payment")]
    ['zhang_san88', 'lilei_2020']
    """
    labelled: set[int] = set()
    for match in _WECHAT.finditer(text):
        value = match["value"].lower()
        told = re.search(r"[是为:=#]|is|号|id", match["gap"], re.IGNORECASE) is not None
        plain = value.isalpha()
        if (
            value in _PLAIN_WORDS
            or value.startswith("wxid-tl-")
            or (plain and (not told or not _ends_like_a_name(text, match.end())))
        ):
            continue
        labelled.add(match.start("value"))
        yield Span(match.start("value"), match.end("value"), value)
    for match in _WECHAT_SHAPE.finditer(text):
        ours = match[0].startswith("wxid-tl-") or match.start() in labelled
        if not ours and is_named_nearby(text, *match.span(), WECHAT_HINT, 24):
            yield Span(*match.span(), match[0].lower())


def stand_in_wechat(value: str, chance: random.Random) -> str:
    """A name that starts with wxid-tl-."""
    return f"wxid-tl-{random_letters(chance, 10)}"


def find_qq(text: str) -> Iterator[Span]:
    """QQ numbers after QQ or 扣扣, or close to them.

    >>> [span.value for span in find_qq("QQ:12345678，QQ群号 987654321，QQ 2023版")]
    ['12345678', '987654321']
    """
    labelled: set[int] = set()
    for match in _QQ.finditer(text):
        value = re.sub(r"[ \-]", "", match["value"])
        if len(value) == 11 and value.startswith("10000"):  # our stand-ins
            continue
        labelled.add(match.start("value"))
        yield Span(match.start("value"), match.end("value"), value)
    for match in _QQ_NEARBY.finditer(text):
        ours = (len(match[0]) == 11 and match[0].startswith("10000")) or match.start() in labelled
        if not ours and is_named_nearby(text, *match.span(), _QQ_NAME, 14):
            yield Span(*match.span(), match[0])


def stand_in_qq(value: str, chance: random.Random) -> str:
    """An eleven-digit number that starts with 10000; no account is so long and so low."""
    return "10000" + random_digits(chance, 6)


def find_plates(text: str) -> Iterator[Span]:
    """Mainland licence plates (also of electric cars, trailers, police), and others after "licence plate".

    >>> [span.value for span in find_plates("车牌京A.12345和粤B D12345，license plate 7ABC123")]
    ['京A12345', '粤BD12345', '7ABC123']
    """
    for match in _PLATE.finditer(text):
        value = re.sub(r"[ .\-]", "", match[0]).upper()
        if any(letter.isdigit() for letter in value[2:]):
            yield Span(*match.span(), value)
    named = {match.span("value") for match in _ENGLISH_PLATE.finditer(text)}
    for match in _PLATE_BEFORE_NAME.finditer(text):
        if len(match[0]) >= 5 and (
            is_labelled_after(text, match.end(), _PLATE_NAME)
            or (_PLATE_SHAPE.fullmatch(match[0]) and is_named_nearby(text, *match.span(), _PLATE_NAME))
        ):
            named.add(match.span())
    for start, end in sorted(named):
        if not text.startswith("ZZ0", start):
            yield Span(start, end, re.sub(r"[ \-]", "", text[start:end]))


def stand_in_plate(value: str, chance: random.Random) -> str:
    """The same province with the letter I, which no city has; elsewhere a plate that starts with ZZ0."""
    letters = "ABCDEFGHJKLMNRSTUYZ0123456789"  # spells neither QQ nor WX
    count = max(len(value) - 3, 4)
    if value[0].isascii():
        return "ZZ0" + "".join(chance.choices(letters, k=count))
    return f"{value[0]}I{chance.choice('0123456789')}" + "".join(chance.choices(letters, k=count))


def find_driver_licences(text: str) -> Iterator[Span]:
    """Numbers of driver's licences, beside those words; of a telling shape also where they stand farther off.

    >>> [span.value for span in find_driver_licences("My driver's license (D1234567); S7654321 is her driving licence.")]
    ['D1234567', 'S7654321']
    """
    named = {match.span("value") for match in _DRIVER.finditer(text)}
    named |= {
        match.span()
        for match in _BARE_LICENCE.finditer(text)
        if is_labelled_after(text, match.end(), DRIVER_HINT)
        or (
            _LICENCE_SHAPE.fullmatch(match[0])
            and (
                is_named_nearby(text, *match.span(), DRIVER_HINT)
                or is_named_nearby(text, *match.span(), LICENCE_HINT, 40)
            )
        )
    }
    for start, end in sorted(named):
        value = re.sub(r"[ \-]", "", text[start:end]).upper()
        if not value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").startswith("000"):
            yield Span(start, end, value)


def stand_in_driver_licence(value: str, chance: random.Random) -> str:
    """The same letters, and a number that starts with 000."""
    letters = value[: len(value) - len(value.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
    return letters + "000" + random_digits(chance, max(len(value) - len(letters) - 3, 4))


def _ends_like_a_name(text: str, end: int) -> bool:
    """A word of letters alone is a name only where nothing follows that goes on with the sentence in English."""
    return not re.match(r" [a-z]", text[end : end + 2]) and before(text, end + 1, 2) != ""
