"""Cleaning rules: text to text, in the order of the table.

To add a rule: a function `text -> text` here, its name in `CLEANERS`, and a switch of the same name in `config.CleanConfig`.
A rule must leave clean text alone: applying it twice is applying it once.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import ftfy

from tuneloop.data.config import CleanConfig

# The defaults of ftfy turn “全角，！” into ASCII and resolve entities; both would damage Chinese text or belong to other rules.
_REPAIR = ftfy.TextFixerConfig(
    unescape_html=False,
    uncurl_quotes=False,
    fix_character_width=False,
    fix_latin_ligatures=False,
    remove_control_chars=False,
    fix_line_breaks=False,
    normalization="NFC",
)
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"  # control characters other than tab and line ends
    "|[\xad\u061c\u180e\u200b\u200c\u200e\u200f\u2060-\u2064\ufeff\ufff9-\ufffb]"  # zero-width and formatting characters
    "|[\u202a-\u202e\u2066-\u2069]"  # characters that turn the direction of writing
    "|[\U000e0000-\U000e007f]"  # tag characters: invisible text
    "|(?<![\U0001f000-\U0001faff\u2600-\u27bf\ufe0f])\u200d"  # a joiner that does not follow an emoji …
    "|\u200d(?![\U0001f000-\U0001faff\u2600-\u27bf])"  # … or that none follows
)
_LINE_ENDS = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_CODE = re.compile(r"(```.*?```)", re.DOTALL)
_SPACES_IN_LINE = re.compile("(?<=\\S)[ \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]{2,}(?=\\S)")
_ODD_SPACE = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f]")
_SPACES_AT_END = re.compile("[ \t\u3000]+$", re.MULTILINE)
_WIDE_INDENT = re.compile("^\u3000+", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")


def unicode_repair(text: str) -> str:
    """Repair text that was decoded wrongly once, and compose characters (NFC).

    >>> unicode_repair("schÃ¶n"), unicode_repair("“全角，！”")
    ('schön', '“全角，！”')
    """
    return text if text.isascii() and "\x1b" not in text else str(ftfy.fix_text(text, _REPAIR))


def control_characters(text: str) -> str:
    """Remove control, zero-width and direction characters; joiners inside emoji stay.

    >>> control_characters("a\\u200bb\\x00c")
    'abc'
    """
    return _UNWANTED.sub("", text)


def whitespace(text: str) -> str:
    """Trim, make runs of spaces one space and runs of empty lines one empty line. Indentation and code blocks stay.

    >>> whitespace("  a   b \\n\\n\\n\\n    c ")
    'a b\\n\\n    c'
    """
    parts = _CODE.split(_LINE_ENDS.sub("\n", text))
    parts[::2] = [_tidy(part) for part in parts[::2]]
    return "".join(parts).strip()


CLEANERS: dict[str, Callable[[str], str]] = {
    "unicode_repair": unicode_repair,
    "control_characters": control_characters,
    "whitespace": whitespace,
}


def active_cleaners(config: CleanConfig) -> dict[str, Callable[[str], str]]:
    """The rules that the recipe leaves switched on, in their order."""
    return {name: rule for name, rule in CLEANERS.items() if getattr(config, name)}


def clean(text: str, rules: dict[str, Callable[[str], str]]) -> tuple[str, list[tuple[str, str, str]]]:
    """Apply rules one after the other.

    Returns:
        The clean text, and for each rule that changed something its name, the text before and the text after.

    >>> clean(" a ", {"whitespace": whitespace})
    ('a', [('whitespace', ' a ', 'a')])
    """
    changes = []
    for name, rule in rules.items():
        after = rule(text)
        if after != text:
            changes.append((name, text, after))
            text = after
    return text, changes


def _tidy(text: str) -> str:
    text = _SPACES_AT_END.sub("", _WIDE_INDENT.sub("", _SPACES_IN_LINE.sub(" ", _ODD_SPACE.sub(" ", text))))
    return _EMPTY_LINES.sub("\n\n", text)
