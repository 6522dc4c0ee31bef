"""The rule that gives all answers one form: numbered steps, quotes, an opening and a closing."""

from __future__ import annotations

import re
from collections.abc import Callable

from tuneloop.data.cleaning.config import AnswerFormat
from tuneloop.data.cleaning.spacing import outside_code

_CHINESE = "一二三四五六七八九十"
_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_STEP = re.compile(
    r"^[ \t\u3000]*(?:"
    r"[(（](?P<bracket>[0-9]{1,2})[)）]"
    r"|(?P<mark>[0-9]{1,2})[)）、．]"
    r"|(?P<dot>[0-9]{1,2})\.(?=[^\s0-9])"
    rf"|(?P<circled>[{_CIRCLED}])[、.．]?"
    rf"|第(?P<chinese>[{_CHINESE}])步[：:，,、]?"
    r"|[Ss]tep (?P<step>[0-9]{1,2})[:.)]"
    r")[ \t\u3000]*(?=\S)",
    re.MULTILINE,
)
_NUMBERED = re.compile(r"^[0-9]{1,2}\. ", re.MULTILINE)


def answer_format(config: AnswerFormat) -> Callable[[str], str]:
    """A rule that gives an answer the form that the recipe describes; an empty answer stays empty.

    >>> rule = answer_format(AnswerFormat(opening="您好！", quotes="curly"))
    >>> rule('1、打开"设置"\\n2、点击注销')
    '您好！\\n1. 打开“设置”\\n2. 点击注销'
    """
    opening, closing = (config.opening or "").strip(), (config.closing or "").strip()

    def apply(text: str) -> str:
        if not text.strip():
            return text
        if config.steps:
            text = outside_code(_number_steps, text)
        if config.quotes is not None:
            text = outside_code(_curl if config.quotes == "curly" else _straighten, text)
        if opening and not text.startswith(opening):
            text = opening + config.joiner + text
        if closing and not text.endswith(closing):
            text = text + config.joiner + closing
        return text

    return apply


def _number_steps(text: str) -> str:
    """Write the beginnings of steps as `1. `; a lone one is no list."""
    if len(_STEP.findall(text)) + len(_NUMBERED.findall(text)) < 2:
        return text
    return _STEP.sub(lambda match: f"{_number(match)}. ", text)


def _number(match: re.Match[str]) -> int:
    if circled := match["circled"]:
        return _CIRCLED.index(circled) + 1
    if chinese := match["chinese"]:
        return _CHINESE.index(chinese) + 1
    return int(match["bracket"] or match["mark"] or match["dot"] or match["step"])


def _curl(text: str) -> str:
    """Make straight double quotes curly, paragraph by paragraph; where one is without its pair they stay."""
    return "\n".join(_curl_line(line) for line in text.split("\n"))


def _curl_line(line: str) -> str:
    parts = line.split('"')
    if len(parts) % 2 == 0 or re.search(r'\d"', line):  # an odd quote, or inches
        return line
    return "".join(part + ("" if last else "“" if at % 2 == 0 else "”") for at, part, last in _marked(parts))


def _marked(parts: list[str]) -> list[tuple[int, str, bool]]:
    return [(at, part, at == len(parts) - 1) for at, part in enumerate(parts)]


def _straighten(text: str) -> str:
    return re.sub("[“”]", '"', text)
