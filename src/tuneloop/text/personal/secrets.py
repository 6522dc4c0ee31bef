"""API keys, tokens and passwords."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from tuneloop.text.personal.context import is_labelled_after, is_named_nearby
from tuneloop.text.personal.span import Span, random_letters

API_KEY_HINT = re.compile(
    r"(?<![A-Za-z0-9])(?:sk|pk|rk|AKIA|ASIA|gh[pousr]_|github_pat_|glpat|xox|AIza|LTAI|AKID|hf_|npm_"
    r"|pypi-|SG\.|eyJ|ya29)"
    r"|BEGIN [A-Z ]*PRIVATE KEY|bearer|key|token|secret|密钥|秘钥|令牌|口令",
    re.IGNORECASE,
)
PASSWORD_HINT = re.compile(
    r"密码|口令|passw(?:or)?d|passcode|passphrase|pwd|(?<![A-Za-z])p(?:in|w)(?![A-Za-z])|://[^/\s:@]+:[^/\s:@]+@",
    re.IGNORECASE,
)

_KNOWN = re.compile(
    r"(?<![A-Za-z0-9_\-])(?:"
    r"sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9_\-]{16,}|(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,}|glpat-[A-Za-z0-9_\-]{18,}"
    r"|xox[abeoprs]-[A-Za-z0-9\-]{10,}"
    r"|AIza[A-Za-z0-9_\-]{33,37}|ya29\.[A-Za-z0-9_\-]{20,}|LTAI[A-Za-z0-9]{12,26}|AKID[A-Za-z0-9]{16,36}"
    r"|hf_[A-Za-z0-9]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_\-]{20,}|SG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}(?:\.[A-Za-z0-9_\-]*)?)(?![A-Za-z0-9])"
)
_LONG_AND_MIXED = re.compile(
    r"(?<![A-Za-z0-9_\-/.])(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{24,64}(?![A-Za-z0-9_\-/.]\S)"
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_LABELLED_KEY = re.compile(
    r"(?:(?:api|access|secret|app|auth|private|client|account)[ _\-]?(?:key|token|secret)(?:[ _\-]?id)?"
    r"|(?<![A-Za-z])(?:token|secret|key)|"
    r"(?:access|api|secret)?密钥|秘钥|令牌|bearer)[\"'”]?\s?(?:is|was|是|为|[:=])?[\s:=\"'“`]{0,4}"
    r"(?P<value>[A-Za-z0-9_\-./+]{16,}={0,2})",
    re.IGNORECASE,
)
_NAME = r"passwords?|passwd|passcode|passphrase|(?<![A-Za-z])pwd?"
_PASSWORD = re.compile(
    rf"(?:(?:密码|口令)[\u4e00-\u9fff]{{0,6}}?|{_NAME})[\"'”]?\s?"
    r"(?P<told>(?:is now|is|was|are|改成了?|改为|设置?[为成]|就是|还是|用的?是?|叫|是|为|[:=]|->)+)"
    r"[\s:\"'“`]{0,3}(?P<value>[!-~]{4,64})"
    rf"|(?:密码|口令|{_NAME})[ \"'“]{{0,2}}"
    r"(?P<bare>(?=[!-~]*\d)[A-Za-z0-9!@#$%^&*_.\-]{6,32})"
    r"|(?<![A-Za-z])PIN(?: code| number)?\s?(?:is now|is|was|to|:|=|是|为)\s?(?P<pin>\d{4,8})(?!\d)",
    re.IGNORECASE,
)
_PASSWORD_NAME = re.compile(
    rf"(?:{_NAME}(?![A-Za-z])|密码|口令)"
    r"(?! (?:manager|policy|form|field|page|prompt|reset|hint|box|screen))",
    re.IGNORECASE,
)
_TOLD_IN_A_SENTENCE = re.compile(
    rf"(?:{_NAME})[\"'”]?"
    r"(?: (?:for|on|of|at|in)(?: [a-z'\-]+){1,4}?)?"
    r"(?:[ ,]{0,2}(?:(?:is|was|are|to|as|now|from|should be|must be|reads|"
    r"(?:has been |was |got |been )?(?:changed|reset|set|updated) to)(?![A-Za-z])|[:=(]|->))+"
    r"[\s\"'“`(]{0,3}(?P<first>[!-~]{5,64})(?:(?: to|,? now| ->) [\"'“`]?(?P<second>[!-~]{5,64}))?",
    re.IGNORECASE,
)
"""Between label and value stand words of a sentence: "password for the portal was changed to X", "password from X to Y"."""
_APPOSITION = re.compile(
    rf"(?:{_NAME}), [\"'“`]?(?P<value>[!-~]{{5,64}}?)[\"'”`]?(?=,|[.!?]?\s*$)",
    re.IGNORECASE,
)
_PASSWORD_SHAPE = re.compile(
    r"(?!(?:iphone|ipad|windows|win|android|ios|galaxy|office|covid|model|build|chrome|firefox|version|error|code|inv|ref|no)"
    r"[\d.\-])(?=.*\d)[A-Za-z]{3,}[!@#$%^&*_]?\d[A-Za-z0-9!@#$%^&*_]*(?<!@)",
    re.IGNORECASE,
)
_WORD_WITH_DIGIT = re.compile(
    r"(?<![!-~])[\"'(`]?(?P<value>(?=[!-~]*\d)(?=[!-~]*[A-Za-z])[A-Za-z0-9][!-~]{4,40}+)(?!\s?(?:@|[\[({<]\s?(?:at|a)\s?[\])}>]))"
)
_IN_ADDRESS = re.compile(r"://[^/\s:@]+:(?P<value>[^/\s:@]+)@")
_STAND_IN = re.compile(r"(?:Masked-|.{0,12}tlmasked)[a-z2-9]+", re.IGNORECASE)
_TRAILING = ".,;:)]}\"'>`"


def find_api_keys(text: str) -> Iterator[Span]:
    """Keys with a known beginning, private keys, and long mixed strings after or near "token", "api_key=", 密钥 and the like.

    >>> [span.value[:8] for span in find_api_keys("key: sk-abcdefghijklmnop1234, the token expires soon")]
    ['sk-abcde']
    """
    taken: list[tuple[int, int]] = []
    for match in (*_PRIVATE_KEY.finditer(text), *_KNOWN.finditer(text)):
        taken.append(match.span())
        if not _STAND_IN.fullmatch(match[0]):
            yield Span(*match.span(), match[0])
    for match in _LABELLED_KEY.finditer(text):
        value = match["value"].rstrip(_TRAILING)
        start = match.start("value")
        if any(begin < start + len(value) and start < end for begin, end in taken) or _STAND_IN.fullmatch(value):
            continue
        if _is_mixed(value) and len(value) >= 16:
            taken.append((start, start + len(value)))
            yield Span(start, start + len(value), value)
    for match in _LONG_AND_MIXED.finditer(text):
        free = not any(begin < match.end() and match.start() < end for begin, end in taken)
        if free and not _STAND_IN.fullmatch(match[0]) and is_named_nearby(text, *match.span(), API_KEY_HINT):
            yield Span(*match.span(), match[0])


def stand_in_api_key(value: str, chance: random.Random) -> str:
    """A string with the same known beginning, then `tlmasked`, and as long again as the key was (40 at most)."""
    if value.startswith("-----"):
        return f"-----BEGIN PRIVATE KEY-----tlmasked{random_letters(chance, 24)}-----END PRIVATE KEY-----"
    known = re.match(r"(?:sk-(?:proj-|ant-)?|[spr]k_(?:live|test)_|gh[pousr]_|hf_|glpat-|npm_)", value)
    return (known[0] if known else "") + "tlmasked" + random_letters(chance, min(max(len(value) - 8, 12), 32))


def find_passwords(text: str) -> Iterator[Span]:
    """Passwords that are told: after "password:", "password is", 密码是, or in the same sentence; talk about passwords holds none.

    >>> [span.value for span in find_passwords("I reset my password to Summer81x; tiger77 was my old password")]
    ['Summer81x', 'tiger77']
    >>> [span.value for span in find_passwords("密码是Abc@1234，password: hunter2!, the password is required, 密码为6位数字")]
    ['Abc@1234', 'hunter2!']
    """
    found: list[Span] = []
    for match in _PASSWORD.finditer(text):
        group = next(name for name in ("value", "bare", "pin") if match[name])
        value = match[group].rstrip(_TRAILING) if group != "pin" else match[group]
        assigned = group == "pin" or (bool(match["told"]) and set(match["told"]) & set(":="))
        if len(value) < 4 or "(" in value or _is_masked(value):
            continue
        if (
            _is_mixed(value)
            or value.isdigit()
            or (assigned and _stands_alone(text, match.end(group)) and not value.islower())
        ):
            found.append(Span(match.start(group), match.start(group) + len(value), value))
    found += [span for span in _passwords_in_sentences(text) if span not in found]
    yield from dict.fromkeys(found)
    for match in _IN_ADDRESS.finditer(text):
        if not _STAND_IN.fullmatch(match["value"]):
            yield Span(match.start("value"), match.end("value"), match["value"])


def _passwords_in_sentences(text: str) -> Iterator[Span]:
    """Passwords that words of a sentence part from their label, on either side of it; only mixed ones are believed."""
    places = [
        match.span(name) for match in _TOLD_IN_A_SENTENCE.finditer(text) for name in ("first", "second") if match[name]
    ]
    places += [match.span("value") for match in _APPOSITION.finditer(text)]
    for match in _WORD_WITH_DIGIT.finditer(text):
        value = match["value"].rstrip(_TRAILING)
        start, end = match.start("value"), match.start("value") + len(value)
        near = _PASSWORD_SHAPE.fullmatch(value) and is_named_nearby(text, start, end, _PASSWORD_NAME)
        if near or is_labelled_after(text, end, _PASSWORD_NAME):
            places.append(match.span("value"))
    for start, end in places:
        value = text[start:end].rstrip(_TRAILING)
        no_word = len(value) >= 5 and _is_mixed(value) and any(letter.isdigit() for letter in value)
        if no_word and not _is_masked(value):
            yield Span(start, start + len(value), value)


def stand_in_password(value: str, chance: random.Random) -> str:
    """A string that starts with `Masked-`."""
    return f"Masked-{random_letters(chance, 8)}"


def _is_masked(value: str) -> bool:
    return value.startswith(("{{", "<", "[", "***", "###")) or _STAND_IN.fullmatch(value) is not None


def _is_mixed(value: str) -> bool:
    """Say whether a string is no word: it holds letters and a digit, or a sign inside."""
    has_letter = any(letter.isalpha() for letter in value)
    has_other = any(letter.isdigit() for letter in value) or re.search(r"[!@#$%^&*+=?~][A-Za-z0-9]", value) is not None
    return has_letter and has_other


def _stands_alone(text: str, end: int) -> bool:
    return re.match(r"\s*(?:$|[\n,;。，；])", text[end : end + 4]) is not None
