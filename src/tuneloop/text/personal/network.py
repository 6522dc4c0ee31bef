"""E-mail and IP addresses, also as people write them to hide them from machines."""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Iterator

from tuneloop.text.personal.context import before
from tuneloop.text.personal.span import Span, random_letters

EMAIL_HINT = re.compile(
    r"@|[\[({<]\s?(?:at|a)\s?[\])}>]|艾特|\sat\s.{1,40}?\sdot\s|邮箱.{0,12}#|(?:mail|邮).{0,30}?(?:点|\sdot\s)",
    re.IGNORECASE,
)
IP_HINT = re.compile(r"\d{1,3}\s?\.\s?\d{1,3}\s?\.\s?\d{1,3}\s?\.\s?\d|[0-9a-fA-F]{0,4}:[0-9a-fA-F]{0,4}:")

_AT = r"(?:\s?@\s?|\s?[\[({<]\s?(?:at|a)\s?[\])}>]\s?|\s?(?:\(艾特\)|艾特)\s?)"
_DOT = r"(?:\.|\s?[\[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\s+dot\s+|\s?点\s?|\s\.\s?)"
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_](?:[A-Za-z0-9._%+\-]{{0,62}}[A-Za-z0-9_+\-])?"
    rf"(?:\s?[\[({{<]\s?dot\s?[\])}}>]\s?[A-Za-z0-9_\-]{{1,30}}){{0,3}}{_AT}"
    rf"[A-Za-z0-9](?:[A-Za-z0-9\-]{{0,62}})(?:{_DOT}[A-Za-z0-9\-]{{1,30}}){{0,4}}?{_DOT}[A-Za-z]{{2,12}}"
    rf"(?![A-Za-z0-9\-])(?:\.(?:com|net|org|edu|gov|co|ac)?[A-Za-z]{{2,4}}(?![A-Za-z0-9]))*"
    rf"(?:\s?[\[({{<]\s?dot\s?[\])}}>]\s?[A-Za-z]{{2,6}})*",
    re.IGNORECASE,
)
_HASH_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._+\-]{2,40}#(?:[A-Za-z0-9\-]+\.)+[A-Za-z]{2,6}(?![A-Za-z0-9])"
)
_WORDY_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_][A-Za-z0-9._%+\-]{0,40}(?:\s+dot\s+[A-Za-z0-9]+){0,2}\s+at\s+"
    r"[A-Za-z0-9\-]+(?:\s+dot\s+[A-Za-z0-9\-]+){0,3}\s+dot\s+[A-Za-z]{2,6}(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"://[^\s/@]*:$")
_OFFICE = re.compile(
    r"support|services?|customer\.?service|help(?:desk)?|info|contact|sales|office|no-?reply|admin|webmaster|postmaster|press"
    r"|jobs|hr|careers|privacy|legal|billing|feedback|complaints|kefu|fuwu|marketing|[ei]nquiries|security"
)
"""Addresses of an office belong to nobody: like a hotline, an answer must repeat them."""
_STAND_IN_EMAIL = re.compile(r"user_[a-z2-9]{10}@example\.com")

_IPV4 = re.compile(r"(?<![A-Za-z0-9.])(?<!\d-)(?:\d{1,3}\s?\.\s?){3}\d{1,3}(?![A-Za-z0-9]|\.\d)")
_IPV6 = re.compile(
    r"(?<![A-Za-z0-9.])(?:(?<=[A-Za-z]{5}:)|(?<![0-9A-Fa-f:]:))(?=[0-9A-Fa-f]|::)(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![A-Za-z0-9:])"
)
_VERSION = re.compile(
    r"(?:(?<![A-Za-z])v(?:er)?|version|版本|第|章节?|section|release|build|firmware|固件)[\s:为是号.]{0,3}$",
    re.IGNORECASE,
)
_STAND_IN_IPV6 = "2001:db8:0:7e57:"


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, also with `[at]` and `dot` for the signs; those of an office (support@, info@) are nobody's.

    >>> [span.value for span in find_emails("邮箱是Li.Lei@mail.com，或 zhang (at) bank dot cn。")]
    ['li.lei@mail.com', 'zhang@bank.cn']
    """
    for match in (*_EMAIL.finditer(text), *_WORDY_EMAIL.finditer(text), *_HASH_EMAIL.finditer(text)):
        if _IN_ADDRESS.search(before(text, match.start(), 60)):
            continue  # user:password@host
        value = re.sub(
            _DOT, ".", re.sub(rf"{_AT}|\s+at\s+|#", "@", match[0], count=1, flags=re.IGNORECASE), flags=re.IGNORECASE
        ).lower()
        if not _STAND_IN_EMAIL.fullmatch(value) and not _OFFICE.fullmatch(value.partition("@")[0]):
            yield Span(*match.span(), value)


def stand_in_email(value: str, chance: random.Random) -> str:
    """An address of the domain example.com, which is reserved for examples (RFC 2606)."""
    return f"user_{random_letters(chance, 10)}@example.com"


def find_ips(text: str) -> Iterator[Span]:
    """IP addresses of both versions. Loopback, masks and versions of software (v1.2.3.4) are none.

    >>> [span.value for span in find_ips("从10.2.3.44登录，掩码255.255.255.0，版本 1.2.3.4，fe80::1")]
    ['10.2.3.44', 'fe80::1']
    """
    for match in (*_IPV4.finditer(text), *_IPV6.finditer(text)):
        try:
            address = ipaddress.ip_address(re.sub(r"\s", "", match[0]))
        except ValueError:  # the pattern lets more through than addresses are
            continue
        if address.is_loopback or address.is_unspecified or str(address).startswith(("255.", _STAND_IN_IPV6)):
            continue
        if (address.version == 4 and (int(address) >> 24) >= 240) or _VERSION.search(before(text, match.start(), 12)):
            continue
        if address.version == 6 and not re.search(r"\d|::", match[0]):
            continue
        yield Span(*match.span(), str(address))


def stand_in_ip(value: str, chance: random.Random) -> str:
    """An address of the ranges that are reserved and routed nowhere (240.0.0.0/4; 2001:db8::/32, RFC 3849)."""
    if ":" in value:
        return _STAND_IN_IPV6 + ":".join(f"{chance.randrange(4096, 65536):x}" for _ in range(4))
    return ".".join(str(chance.randrange(low, high)) for low, high in ((240, 248), (1, 255), (1, 255), (1, 255)))
