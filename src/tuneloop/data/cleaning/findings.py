"""Rules that find something a person should look at: advertising, masks, unfilled templates, swear words."""

from __future__ import annotations

import itertools
import re
from functools import cache
from importlib.resources import files

_SENTENCE = re.compile(r"[^。！？!?\n]+(?:[。！？!?]+|\n|$)")
_ENGLISH_STOP = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“(])")

_CONTACT = (
    r"(?:微信|薇信|威信|[Vv]信|(?<![A-Za-z])(?:[Vv][Xx]|[Ww][Xx]|QQ|qq|Skype|skype|WhatsApp|Whatsapp|whatsapp|Telegram|telegram)(?![A-Za-z])|扣扣|企鹅号)"
    r"[^\w\n]{0,3}(?:号码|号|群|id|ID|at)?[\s:：=是为]{0,4}(?:\+?[0-9][0-9 -]{5,}|[@A-Za-z][A-Za-z0-9_-]{4,})"
)
_LINK = r"https?://|(?<![\w.])www\.|(?<![\w.])(?:t\.me|wa\.me|bit\.ly)/"
_HYPE = (
    r"免费领取|限时(?:优惠|抢购|免费)|点击(?:链接|下方|领取)|加(?:我|群|微信|薇信|[Vv]信|[Vv][Xx]|QQ)|扫码|全网最低|稳赚|日赚|日入|躺赚|刷单|"
    r"代开发票|代办|办证|包过|博彩|彩金|首充|时时彩|棋牌|内部名额|诚招|兼职|加盟|"
    r"(?i:\b(?:click (?:here|below|the link)|buy now|order now|act now|limited[- ]time|100% free|free trial|special offer|"
    r"promo code|coupon code|discount code|earn (?:up to )?\$?[0-9]|make money|work from home|casino|subscribe (?:to|now)|"
    r"join (?:our|my) (?:group|channel)|follow (?:me|us) on|add me|dm me)\b)"
)
_MAY_ADVERTISE = re.compile(f"微信|薇信|威信|扣扣|企鹅号|(?i:v信|vx|wx|qq|skype|whatsapp|telegram)|{_LINK}")
_ADVERTISES = re.compile(f"(?:{_CONTACT})")
_IS_LINK, _IS_HYPE = re.compile(_LINK), re.compile(_HYPE)

_MASK = re.compile(
    r"(?<=[^\n#\w])#{4,}(?![#\w])|^#{4,6}(?!#)(?!\s+\S)|#{7,}"  # up to six may begin a Markdown heading
    r"|(?<=[\w:：])\*{4,}|(?<![*\n])\*{4,}(?=\w)|(?<=\d)\*{3,}(?=\d)"
    r"|＃{3,}|＊{3,}|×{3,}|(?<![A-Za-z])[Xx]{4,}(?![A-Za-z])"
    r"|\[(?:REDACTED|redacted|MASKED|masked|已脱敏|已隐藏)\]|<(?:REDACTED|MASKED)>",
    re.MULTILINE,
)
_MAY_MASK = re.compile(r"##|\*\*|＃＃|＊＊|××|[Xx]{4}|(?i:redacted|masked)|已脱敏|已隐藏")

_LEFTOVER = re.compile(
    r"\{\{[^{}\n]{1,80}\}\}"
    r"|\[(?:Your|YOUR|Insert|INSERT|Enter|Customer|Company|Agent|Bank|Phone|Email)\b[^\[\]\n]{0,40}\](?!\()"
    r"|[【\[（(](?:请填写|请输入|待补充|待填写|此处填写)[^】\]）)\n]{0,20}[】\]）)]"
    r"|<(?:YOUR|INSERT)[_ -][A-Z_ -]{2,40}>"
)
_MAY_BE_LEFT = re.compile(r"\{\{|\[[A-Z]|请填写|请输入|待补充|待填写|此处填写|<(?:YOUR|INSERT)")


def advertising(text: str) -> str | None:
    """The first sentence that advertises: it names a private contact, or it holds a link and the words of advertising.

    >>> advertising("办理流程如下。加微信：abc12345 免费领取资料！")
    '加微信：abc12345 免费领取资料！'
    >>> advertising("Visit https://bank.example for your statement.") is None
    True
    """
    if not _MAY_ADVERTISE.search(text):
        return None
    return next((sentence for sentence in _sentences(text) if _is_advertising(sentence)), None)


def without_advertising(text: str) -> str:
    """Cut the sentences that advertise out of a text.

    >>> without_advertising("先挂失。加QQ群：123456789 领红包！再补卡。")
    '先挂失。再补卡。'
    """
    if not _MAY_ADVERTISE.search(text):
        return text
    sentences = _sentences(text)
    kept = [sentence for sentence in sentences if not _is_advertising(sentence)]
    return text if len(kept) == len(sentences) else "".join(kept).strip()


def masks(text: str) -> str | None:
    """The first masked value: `######`, `****`, `XXXX`, `[REDACTED]`; headings and rules of Markdown are none.

    >>> masks("卡号 6222****1234"), masks("#### Fees"), masks("tel ######")
    ('****', None, '######')
    """
    if not _MAY_MASK.search(text):
        return None
    match = _MASK.search(text)
    return match[0] if match else None


def without_masks(text: str) -> str:
    """Cut masked values out of a text."""
    while _MAY_MASK.search(text) and (shorter := _MASK.sub("", text)) != text:
        text = shorter
    return text


def template_leftovers(text: str) -> str | None:
    """The first placeholder that nobody filled in.

    >>> template_leftovers("Call {{Customer Support Phone Number}}."), template_leftovers("f{x} and [1]")
    ('{{Customer Support Phone Number}}', None)
    """
    if not _MAY_BE_LEFT.search(text):
        return None
    match = _LEFTOVER.search(text)
    return match[0] if match else None


def profanity(text: str) -> str | None:
    """The first swear word, of the lists in `templates/cleaning/`.

    >>> profanity("the fucking card"), profanity("a classic document") is None
    ('fucking', True)
    """
    match = _swear_words().search(text)
    return match[0] if match else None


def _sentences(text: str) -> list[str]:
    """Sentences with what ends them; joined they are the text."""
    found: list[str] = []
    position = 0
    for match in _SENTENCE.finditer(text):
        if match.start() > position:
            found.append(text[position : match.start()])
        found += _split_english(match[0])
        position = match.end()
    return [*found, text[position:]] if position < len(text) else found


def _split_english(sentence: str) -> list[str]:
    cuts = [0, *(match.end() for match in _ENGLISH_STOP.finditer(sentence)), len(sentence)]
    return [sentence[start:end] for start, end in itertools.pairwise(cuts) if start < end]


def _is_advertising(sentence: str) -> bool:
    if not _MAY_ADVERTISE.search(sentence):
        return False
    return bool(_ADVERTISES.search(sentence)) or bool(_IS_LINK.search(sentence) and _IS_HYPE.search(sentence))


@cache
def _swear_words() -> re.Pattern[str]:
    english = "|".join(_lines("profanity.en.txt"))
    chinese = "|".join(map(re.escape, _lines("profanity.zh.txt")))
    return re.compile(rf"(?i:(?<![A-Za-z])(?:{english})(?![A-Za-z]))|{chinese}")


def _lines(name: str) -> list[str]:
    """Lines of a word list; `#` begins a comment."""
    content = (files("tuneloop") / "templates" / "cleaning" / name).read_text(encoding="utf-8")
    return [line for raw in content.splitlines() if (line := raw.partition("#")[0].strip())]
