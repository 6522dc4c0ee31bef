"""Postal addresses: possible ones. A street and a house number are needed; the name of a town alone is none."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from tuneloop.text.personal.span import Span

ADDRESS_HINT = re.compile(
    r"[路街道巷弄村苑园区镇][^\n。；]{0,12}?\d{1,5}\s?(?:号|弄|栋|幢|室|单元|楼|座|组)|\d{1,5}[A-Za-z]?\s"
    r"(?:[NSEW]\.?\s)?[A-Z][A-Za-z]+|P\.?\s?O\.?\sBox"
)
_NUMBER = r"[0-9一二三四五六七八九十百]{1,6}"
_CHINESE = re.compile(
    r"(?:[\u4e00-\u9fff]{2,8}?(?:省|自治区|特别行政区))?(?:[\u4e00-\u9fff]{2,8}?"
    r"(?:市|自治州|盟))?(?:[\u4e00-\u9fff]{1,8}?(?:区|县|旗|市))?"
    r"(?:[\u4e00-\u9fff]{1,8}?(?:镇|乡|街道))?[\u4e00-\u9fff]{1,10}?(?:路|大街|街|大道|道"
    r"|巷|胡同|村|弄|里|苑|园|小区|花园|社区)"
    rf"[\u4e00-\u9fffA-Za-z]{{0,8}}?{_NUMBER}\s?(?:号院|号楼|号|弄|栋|幢|组)"
    rf"(?:[\u4e00-\u9fffA-Za-z]{{0,10}}?{_NUMBER}\s?(?:号楼|号|栋|幢|座|单元|楼|层|室|户))*(?:[A-Z]?座)?"
    rf"(?:\s?\d{{3,4}}室?)?"
)
_LEAD = re.compile(
    r"^(?:.*?(?:地址|住址|寄到|寄往|送到|送往|搬到|搬去|搬至|住在|家住|位于|来自|居住于|就在|我在|他在"
    r"|她在|到|在|是|于|为))(?=[\u4e00-\u9fff]{3})"
)
_STREETS = (
    "Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|"
    "Way|Parkway|Pkwy|Circle|Cir|Crescent|Close|Highway|Hwy"
)
_ENGLISH = re.compile(
    rf"(?<![A-Za-z0-9$€£.,\-])\d{{1,5}}[A-Za-z]?\s(?:[NSEW]\.?\s)?(?:[A-Z0-9][A-Za-z0-9'\-]*\s){{1,4}}?"
    rf"(?:{_STREETS})(?![A-Za-z])\.?"
    r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl|#)\.?\s?#?[A-Za-z0-9\-]{1,6})?"
    r"(?:,\s[A-Z][a-z][A-Za-z'\-]*(?:\s[A-Z][a-z][A-Za-z'\-]*){0,2})?(?:,?\s[A-Z]{2}\s\d{5}"
    r"(?:-\d{4})?|,?\s[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})?"
    r"|P\.?\s?O\.?\sBox\s\d{1,6}"
)
_LEGAL = re.compile(r"[法令规例]第|条|款")
_CITIES = ["临江市", "云河市", "安平市", "江源市", "清林市", "南岭市", "东岭市", "平湖市", "长泽市", "明山市"]
_ROADS = [
    "和平路",
    "建设路",
    "人民路",
    "文化路",
    "解放路",
    "青年路",
    "育才路",
    "新华路",
    "光明路",
    "中兴路",
    "春晖路",
    "学府路",
]
_ENGLISH_ROADS = [
    "Maple",
    "Cedar",
    "Birch",
    "Willow",
    "Juniper",
    "Linden",
    "Alder",
    "Hazel",
    "Rowan",
    "Poplar",
    "Spruce",
    "Laurel",
]


def find_addresses(text: str) -> Iterator[Span]:
    """Chinese addresses with a road and a house number, English ones with a number and a street.

    >>> [span.value for span in find_addresses("我住在杭州市西湖区文三路138号2单元501室。")]
    ['杭州市西湖区文三路138号2单元501室']
    >>> [span.value for span in find_addresses("Send it to 42 Baker Street, London NW1 6XE please")]
    ['42 Baker Street, London NW1 6XE']
    """
    for match in _CHINESE.finditer(text):
        start = match.start()
        while lead := _LEAD.match(text[start : match.end()]):
            start += lead.end()
        value = text[start : match.end()]
        if not _LEGAL.search(value):
            yield Span(start, match.end(), value)
    for match in _ENGLISH.finditer(text):
        yield Span(*match.span(), match[0])


def stand_in_address(value: str, chance: random.Random) -> str:
    """A made-up place with a road and a number."""
    if value.isascii():
        return f"{chance.randrange(1, 999)} {chance.choice(_ENGLISH_ROADS)} Street"
    room = f"{chance.randrange(1, 9)}单元{chance.randrange(1, 19)}{chance.randrange(1, 5):02d}室"
    return f"{chance.choice(_CITIES)}{chance.choice(_ROADS)}{chance.randrange(1, 999)}号{room}"
