"""Finding: which values of which types stand where in a text."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

from tuneloop.text.personal.recognisers import RECOGNISERS
from tuneloop.text.personal.view import fold

PREFILTER = re.compile(
    r"\d[\s\S]{0,3}\d[\s\S]{0,3}\d|[@＠#\u00ad\u200b-\u200f\u2060-\u2064\ufeff]|[^\x00-\x7f]\d[^\x00-\x7f]"
    r"|[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖][\s\S]?[零〇○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖]"
    r"|[\U0001d400-\U0001d7ff\u2460-\u24ea\u2776-\u2793]|密码|口令|密钥|秘钥|令牌|微信|威信|薇信|卫星号|艾特"
    r"|pass|pwd|(?<![a-z])pw(?![a-z])|token|secret|key|bearer|wechat|weixin|wx|vx|v信|加v|qq|\sat\s|[\[({<]\s?a|private"
    r"|AKIA|ASIA|gh[pousr]_|github_|glpat|xox|AIza|LTAI|AKID|hf_|npm_|pypi-|SG\.|eyJ|ya29|[sr]k[-_]",
    re.IGNORECASE,
)
"""What a text must hold to hold any certain value; possible names are looked for in every text."""

PLACEHOLDER = re.compile(
    r"<[A-Z][A-Z_]*(?:_\d+)?>|\{\{[^{}\n]{1,80}\}\}|\[(?:[A-Z][A-Z_ ]{2,30}|已脱敏|已屏蔽|电话|手机号"
    r"|姓名|身份证号?)\]|#{3,}"
    r"|[0-9A-Za-z]{0,8}[*＊•×]{2,}(?:[ \-]?[*＊•×]{2,})*[0-9A-Za-z]{0,8}|(?<![A-Za-z0-9])[Xx]{3,}"
    r"(?:[\- ]?[Xx]{2,})*(?:[\- ]?\d{1,4})?(?![A-Za-z0-9])"
    r"|user_[a-z2-9]{10}@example\.com|Masked-[a-z2-9]{8}|wxid-tl-[a-z2-9]{10}|tlmasked[a-z2-9]{12,32}"
    r"|(?<![A-Za-z0-9])[A-Z]{2}\d{2} ?(?:0000|XXXX)(?: ?[0-9A-Z]{4}){2,7}(?: ?[0-9A-Z]{1,3})?(?![A-Za-z0-9])"
    r"|(?<![\dA-Za-z])[1-9](?:[ .-]?0){5}(?:[ .-]?\d){7,13}(?!\d)"
    r"|(?<![\dA-Za-z])0\d{2,3}[ -]?1\d{6,7}(?!\d)"
    r"|(?<![\dA-Za-z])9[ .-]9(?:[ .-]\d){15}[ .-][\dXx](?![ .-]?\d)"
)
"""What somebody masked before, ourselves included: it is left alone, whatever its letters spell. The last four are stand-ins of
IBANs, cards, landlines and ID cards written digit by digit, in whose middle another recogniser would see a number."""


class Found(NamedTuple):
    """One value found in a text: `text[start:end]`."""

    type: str
    start: int
    end: int
    value: str
    """Without the way it is written."""
    possible: bool


def find(
    text: str, language: str, *, possible: bool = True, without: Collection[str] = (), keep: Collection[str] = ()
) -> list[Found]:
    """Find personal data and secrets.

    Args:
        text: any text.
        language: language of the data, `en` or `zh`; some types are looked for in one of them only.
        possible: also look for names and addresses, which can only be guessed.
        without: names of recognisers that are left out.
        keep: values that are left alone, as they are written, or without the way they are written.
    Returns:
        What was found, in its order; nothing overlaps.

    >>> [(found.type, found.value) for found in find("我的手机号是138-1234-5678，卡已换成<BANK_CARD_1>", "zh")]
    [('mobile', '13812345678')]
    """
    certain = PREFILTER.search(text) is not None
    if not certain and not possible:
        return []
    view = fold(text)
    kept: list[Found] = []
    taken = [match.span() for match in PLACEHOLDER.finditer(view.text)]
    for name, recogniser in RECOGNISERS.items():
        if (recogniser.possible and not possible) or (not recogniser.possible and not certain):
            continue
        if language not in recogniser.languages or name in without or not recogniser.hint.search(view.text):
            continue
        for span in recogniser.find(view.text):
            kept_back = span.value in keep or view.text[span.start : span.end] in keep
            if not kept_back and not any(span.start < end and start < span.end for start, end in taken):
                taken.append((span.start, span.end))
                kept.append(Found(name, *view.original(span.start, span.end), span.value, recogniser.possible))
    return sorted(kept, key=lambda found: found.start)
