"""Rules about spaces and repeated marks, and the way rules keep out of code."""

from __future__ import annotations

import re
from collections.abc import Callable

_LINE_ENDS = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_FENCED = re.compile(r"(```.*?```)", re.DOTALL)
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_SPACES_IN_LINE = re.compile("(?<=\\S)[ \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]{2,}(?=\\S)")
_ODD_SPACE = re.compile("[\xa0\u1680\u2000-\u200a\u202f\u205f]")
_SPACES_AT_END = re.compile("[ \t\u3000]+$", re.MULTILINE)
_WIDE_INDENT = re.compile("^\u3000+", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n{3,}")
_UNTIDY = re.compile(
    "[ \t\u3000]{2}|[ \t\u3000]$|^[ \t\u3000]|\n\n\n|[\r\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f]",
    re.MULTILINE,
)
_REPEATED = re.compile(r"([!?！？，、；：～])\1{2,}")
_STOPS = re.compile(r"。{2,}")
_DOTS = re.compile(r"\.{4,}")
_ELLIPSES = re.compile(r"…{3,}")
_REPEATS = re.compile(r"([!?！？，、；：～。.…])\1")


def outside_code(change: Callable[[str], str], text: str) -> str:
    """Apply a change to a text but for its code: fenced blocks and words in backquotes.

    >>> outside_code(str.upper, "use `cp` now")
    'USE `cp` NOW'
    """
    if "`" not in text:
        return change(text)
    parts = _CODE.split(text)
    parts[::2] = [change(part) for part in parts[::2]]
    return "".join(parts)


def whitespace(text: str) -> str:
    """Trim, make runs of spaces one space and runs of empty lines one empty line. Indentation and code blocks stay.

    >>> whitespace("  a   b \\n\\n\\n\\n    c ")
    'a b\\n\\n    c'
    """
    if not _UNTIDY.search(text):
        return text.strip()
    parts = _FENCED.split(_LINE_ENDS.sub("\n", text))
    parts[::2] = [_tidy(part) for part in parts[::2]]
    return "".join(parts).strip()


def repeated_punctuation(text: str) -> str:
    """Make runs of the same mark one mark, and runs of full stops an ellipsis; code stays.

    >>> repeated_punctuation("Help!!!! 在吗？？？ 好的。。。"), repeated_punctuation("wait......")
    ('Help! 在吗？ 好的……', 'wait...')
    """
    return outside_code(_calm, text) if _REPEATS.search(text) else text


def _calm(text: str) -> str:
    text = _STOPS.sub(lambda match: "。" if len(match[0]) == 2 else "……", _REPEATED.sub(r"\1", text))
    return _ELLIPSES.sub("……", _DOTS.sub("...", text))


def _tidy(text: str) -> str:
    text = _SPACES_AT_END.sub("", _WIDE_INDENT.sub("", _SPACES_IN_LINE.sub(" ", _ODD_SPACE.sub(" ", text))))
    return _EMPTY_LINES.sub("\n\n", text)
